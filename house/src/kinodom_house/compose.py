"""What the one-shot service of Compose does at each `up`: make what is missing, keep what is there.

It runs as root with the one capability to change owners, and without a network. It may not change the mode of a file
it has given away, so modes are set first, and only on what was made just now.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_house.nginx_files import NginxFacts, host_patterns, write_nginx_files
from kinodom_house.prepare import write_secrets
from kinodom_house.refusals import UnsuitableProcessorError

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP = 20000  # all services of the house; reads the secrets
USER = 10001  # owns the volumes
SECRETS = Path("/run/kinodom")
# Folders inside volumes: a volume that is never empty keeps the owners it was given.
FOLDERS = ("media/library", "media/work", "media/trash", "covers/files", "store/files", "demo/films")


def prepare_compose(
    environ: Mapping[str, str],
    *,
    secrets: Path = SECRETS,
    volumes: Path = Path("/"),
    group: int = GROUP,
    user: int = USER,
) -> None:
    """Write secrets and generated files into the volume of secrets, and the folders into the others.

    Raises:
        UnsuitableProcessorError: MongoDB is to be used and does not run on this processor.
        BadSettingError: a setting of the operator makes no sense.
    """
    hosts = host_patterns(environ.get("KINODOM_ALLOWED_HOSTS", ""))
    if environ.get("KINODOM_STORE", "").startswith("mongodb"):
        check_processor(platform.machine(), Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    os.umask(0o027)
    keys = write_secrets(
        secrets, redis_host="redis", redis_port=6379, redis_bind="* -::*", redis_folder="/data", group=group
    )
    facts = NginxFacts(
        media_key=keys["media_key"],
        gateway_url="http://gateway:8000",
        sync_url="http://sync:8000",
        downloader_url="http://downloader:8000",
        inner_key=keys["inner_key"],
        library_root="/media/library",
        work_root="/media/work",
        slices="127.0.0.1:8081",
        covers_root="/covers/files",
        static_root="/srv/static",
        listen=("8080",),
        hosts=hosts,
        workers="2",
        resolver="127.0.0.11",  # Docker's own; asked again every two seconds, so replicas come and go
    )
    write_nginx_files(secrets / "nginx-house", facts, group=group)
    if os.stat(secrets).st_gid != group:  # noqa: PTH116 - beside chown
        secrets.chmod(0o750)
        os.chown(secrets, -1, group)
    _make_folders(volumes, user, group)


def _make_folders(volumes: Path, user: int, group: int) -> None:
    for name in FOLDERS:
        folder = volumes / name
        if folder.parent.is_dir() and not folder.is_dir():
            folder.mkdir(mode=0o750)
            os.chown(folder, user, group)


def check_processor(machine: str, cpuinfo: str) -> None:
    """Refuse processors without the instructions MongoDB is built with (AVX; on ARM those of version 8.2).

    Source: MongoDB's platform notes for 5.0 and later. `atomics` came with ARM 8.1 and is missing on a Raspberry Pi 4.
    """
    words = set(cpuinfo.split())
    wanted = {"x86_64": "avx", "aarch64": "atomics"}.get(machine)
    if wanted and wanted not in words:
        raise UnsuitableProcessorError(
            f"MongoDB does not run on this processor (it lacks {wanted.upper()}): keep everything in SQLite instead, "
            "by the line COMPOSE_FILE=docker-compose.yml:docker-compose.sqlite.yml in the file .env."
        )
