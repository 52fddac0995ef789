from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from kinodom_house.layout import Layout
from kinodom_house.preflight import check_port, check_python, find_programs, free_ports, listener_of, only_house
from kinodom_house.refusals import (
    AlreadyRunningError,
    BadSettingError,
    NoPermissionError,
    NoSpaceError,
    PortTakenError,
    ProgramMissingError,
    PythonTooOldError,
)
from kinodom_house.settings import parse_env_file, read_house_settings
from tests.support.free_ports import free_port


def test_an_old_python_is_refused_by_both_numbers() -> None:
    with pytest.raises(PythonTooOldError, match=r"3\.11 or newer, and this is 3\.9"):
        check_python((3, 9))


def test_missing_programs_are_named_with_the_packages_they_come_in(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissingError, match=r"Not installed: ffmpeg, ffprobe.*apt-get install -y ffmpeg$"):
        find_programs({"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg"}, str(tmp_path))


def test_a_free_port_passes() -> None:
    check_port(free_port(), "127.0.0.1")


def test_a_port_in_use_is_refused_with_who_uses_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTakenError, match=rf"Port {port} is taken by .+ \(process {os.getpid()}\)"):
            check_port(port, "0.0.0.0")


def test_nobody_listens_on_a_free_port() -> None:
    assert listener_of(free_port()) is None


def test_all_ports_found_are_different() -> None:
    ports = free_ports([str(number) for number in range(20)])

    assert len(set(ports.values())) == 20


def test_a_folder_is_held_by_one_house_and_free_again_afterwards(tmp_path: Path) -> None:
    holder = f"process {os.getpid()}"

    with only_house(tmp_path), pytest.raises(AlreadyRunningError, match=holder), only_house(tmp_path):
        pass

    with only_house(tmp_path):
        pass


def test_the_layout_is_made_whole(tmp_path: Path) -> None:
    Layout(tmp_path / "data").make()

    made = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*") if path.is_dir()}
    assert {
        "secrets",
        "redis",
        "store",
        "media/library",
        "media/work",
        "media/trash",
        "covers",
        "demo",
        "logs",
        "run",
    } <= made


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(NoSpaceError, match="cannot be used"):
        Layout(tmp_path / "data").make()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(NoPermissionError, match="KINODOM_DATA"):
        Layout(tmp_path / "data").make()


def test_a_disk_that_is_nearly_full_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(10**10, 10**10 - 12_000_000, 12_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(NoSpaceError, match="Only 12 MB are free"):
        Layout(tmp_path / "data").make()


def test_settings_come_from_the_environment_and_then_from_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# words\nKINODOM_PORT=9000\nexport KINODOM_OMDB_KEY='a key'\nOTHER=1\n")

    settings = read_house_settings({"KINODOM_PORT": "9001", "PATH": "/bin"}, tmp_path)

    assert settings.port == 9001
    assert settings.operator["KINODOM_OMDB_KEY"] == "a key"
    assert "OTHER" not in settings.operator
    assert settings.data == tmp_path / "data"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "8080 "])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(BadSettingError, match="KINODOM_PORT"):
        read_house_settings({"KINODOM_PORT": port}, tmp_path)


@pytest.mark.parametrize("hosts", ["http://kino", "kino:8080", "a b", '"', "*", "x;y", "$host"])
def test_a_host_that_is_no_name_is_refused(tmp_path: Path, hosts: str) -> None:
    with pytest.raises(BadSettingError, match="KINODOM_ALLOWED_HOSTS"):
        read_house_settings({"KINODOM_ALLOWED_HOSTS": hosts}, tmp_path)


def test_values_of_the_file_lose_quotes_and_comments() -> None:
    values = parse_env_file('A=1\nB="two words" \nC=x # why\n#D=1\nE\nF=\n')

    assert values == {"A": "1", "B": "two words", "C": "x", "F": ""}
