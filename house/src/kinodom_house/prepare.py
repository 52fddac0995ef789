"""Everything that is written before a process starts: secrets, Redis' files, Nginx' generated folder."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import socket
from typing import TYPE_CHECKING

from kinodom_house.nginx_files import NginxFacts, write_nginx_files
from kinodom_house.plan import SLICES, Site, static_root
from kinodom_house.redis_files import DATABASES, redis_conf, redis_url, users_acl
from kinodom_house.secret_files import keep_secret, write_whole
from kinodom_house.settings import EVERY_ADDRESS

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("inner_key", "session_key", "media_key", "member_key", "source_key")


def write_secrets(
    folder: Path, *, redis_host: str, redis_port: int, redis_bind: str, redis_folder: str, group: int | None = None
) -> dict[str, str]:
    """Make the secrets that are missing, write what follows from them, and return the keys by name.

    Args:
        folder: where all of it stands.
        redis_host: as the services see Redis.
        redis_port: as above.
        redis_bind: addresses Redis listens on.
        redis_folder: where Redis keeps its data.
        group: numeric group that may read the files; None leaves them with the process's own.
    """
    keys = {name: keep_secret(folder / name, group=group) for name in KEYS}
    passwords = {user: keep_secret(folder / f"redis_password_{user}", group=group) for user in DATABASES}
    for user, password in passwords.items():
        url = redis_url(user, password, host=redis_host, port=redis_port)
        write_whole(folder / f"redis_url_{user}", url + "\n", group=group)
    acl_file = folder / "users.acl"
    write_whole(acl_file, users_acl(passwords), group=group)
    settings = redis_conf(
        folder=redis_folder, acl_file=str(acl_file), bind=redis_bind, port=redis_port, max_memory="256mb"
    )
    write_whole(folder / "redis.conf", settings, group=group)
    return keys


def prepare_site(site: Site) -> None:
    """Write all that the processes of one machine read at their start."""
    layout = site.layout
    keys = write_secrets(
        layout.secrets,
        redis_host="127.0.0.1",
        redis_port=site.ports["redis"],
        redis_bind="127.0.0.1",
        redis_folder=str(layout.redis),
    )
    if layout.nginx.exists():
        shutil.rmtree(layout.nginx)
    source = site.settings.repository / "nginx"
    shutil.copytree(source / "conf.d", layout.nginx / "conf.d")
    shutil.copy(source / "nginx.conf", layout.nginx / "nginx.conf")
    write_nginx_files(layout.nginx / "house", _nginx_facts(site, keys))


def _nginx_facts(site: Site, keys: dict[str, str]) -> NginxFacts:
    layout, settings = site.layout, site.settings
    return NginxFacts(
        media_key=keys["media_key"],
        gateway_url=site.url("gateway"),
        sync_url=site.url("sync"),
        downloader_url=site.url("downloader"),
        inner_key=keys["inner_key"],
        library_root=str(layout.media / "library"),
        work_root=str(layout.media / "work"),
        slices=f"127.0.0.1:{site.ports[SLICES]}",
        covers_root=str(layout.covers),
        static_root=str(static_root(settings)),
        listen=_listen(settings.bind, settings.port),
        hosts=settings.hosts,
        # Started by root, the workers would change to a user who cannot read the data folder.
        user=f"{getpass.getuser()} {grp.getgrgid(os.getegid()).gr_name}" if os.geteuid() == 0 else None,
    )


def _listen(bind: str, port: int) -> tuple[str, ...]:
    if bind != EVERY_ADDRESS:
        return (f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}",)
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("::", port))
    except OSError:
        return (f"{bind}:{port}",)  # a machine without IPv6, or with that half of the port in use
    return f"{bind}:{port}", f"[::]:{port} ipv6only=on"
