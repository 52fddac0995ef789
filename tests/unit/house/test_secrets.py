from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kinodom_house.compose import check_processor, prepare_compose
from kinodom_house.prepare import KEYS, write_secrets
from kinodom_house.redis_files import users_acl
from kinodom_house.refusals import UnsuitableProcessorError
from kinodom_house.secret_files import keep_secret, write_whole


def secrets_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, port: int = 6379) -> dict[str, str]:
    return write_secrets(folder, redis_host="redis", redis_port=port, redis_bind="*", redis_folder="/data")


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = keep_secret(tmp_path / "key")

    assert keep_secret(tmp_path / "key") == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o640


def test_an_empty_secret_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")

    assert len(keep_secret(tmp_path / "key")) == 64


def test_a_file_that_is_right_is_left_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", "text")

    assert write_whole(tmp_path / "file", "text") is False
    assert write_whole(tmp_path / "file", "other") is True


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "file", "\ud800")

    assert list(tmp_path.iterdir()) == []


def test_a_second_start_changes_nothing_but_what_follows_from_the_port(tmp_path: Path) -> None:
    write(tmp_path)
    before = secrets_in(tmp_path)
    write(tmp_path)
    assert secrets_in(tmp_path) == before

    write(tmp_path, port=7000)

    changed = {name for name, text in secrets_in(tmp_path).items() if text != before[name]}
    assert changed == {"redis.conf", *(name for name in before if name.startswith("redis_url_"))}


def test_every_key_is_another(tmp_path: Path) -> None:
    keys = write(tmp_path)

    assert set(keys) == set(KEYS)
    assert len(set(keys.values())) == len(KEYS)


def test_the_default_user_of_redis_keeps_its_rights_and_cannot_log_in() -> None:
    acl = users_acl(dict.fromkeys(("sync", "downloader", "catalogue", "resolver"), "password"))

    assert acl.splitlines()[0] == "user default off resetpass ~* &* +@all"
    assert "password" not in acl


def test_compose_gets_secrets_and_folders_that_a_second_start_keeps(tmp_path: Path) -> None:
    for volume in ("run", "media", "covers", "store", "demo"):
        (tmp_path / volume).mkdir()

    def prepare() -> None:
        prepare_compose({}, secrets=tmp_path / "run", volumes=tmp_path, group=os.getgid(), user=os.getuid())

    prepare()
    before = secrets_in(tmp_path / "run")
    prepare()

    assert secrets_in(tmp_path / "run") == before
    assert {"nginx-house", "redis.conf", "users.acl"} <= {path.name for path in (tmp_path / "run").iterdir()}
    assert sorted(path.name for path in (tmp_path / "media").iterdir()) == ["library", "trash", "work"]
    assert 'map "" $gateway { default "http://gateway:8000"; }' in (tmp_path / "run/nginx-house/http.conf").read_text()


@pytest.mark.parametrize(
    ("machine", "cpuinfo"),
    [("x86_64", "flags : fpu sse2 avx avx2"), ("aarch64", "Features : fp asimd atomics"), ("s390x", "")],
)
def test_a_processor_that_mongodb_runs_on_passes(machine: str, cpuinfo: str) -> None:
    check_processor(machine, cpuinfo)


@pytest.mark.parametrize(
    ("machine", "cpuinfo"), [("x86_64", "flags : fpu sse2 sse4_2"), ("aarch64", "Features : fp asimd evtstrm crc32")]
)
def test_a_processor_that_mongodb_does_not_run_on_is_refused_with_the_line_to_set(machine: str, cpuinfo: str) -> None:
    with pytest.raises(UnsuitableProcessorError, match=r"COMPOSE_FILE=.*docker-compose\.sqlite\.yml"):
        check_processor(machine, cpuinfo)
