"""The whole house under its supervisor, with stand-ins for the services."""

from __future__ import annotations

import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.free_ports import free_port
from tests.support.house_of_stand_ins import House, house_command, house_of_stand_ins

pytestmark = pytest.mark.house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house_of_stand_ins(
        tmp_path_factory.mktemp("house"), KINODOM_OMDB_KEY="abc", KINODOM_ALLOWED_HOSTS="kino.example"
    ) as running:
        running.wait_for_open()
        yield running


def environ_of(house: House, service: str) -> dict[str, str]:
    _, reply = house.get("/", port=house.noted()["ports"][service])
    environ = reply["environ"]
    assert isinstance(environ, dict)
    return environ


def test_the_house_opens_at_one_port(house: House) -> None:
    status, reply = house.get("/")

    assert (status, reply["service"]) == (200, "kinodom_gateway.wsgi")


def test_each_service_gets_what_it_needs_and_nothing_of_the_callers(house: House) -> None:
    for service in ("catalogue", "resolver", "downloader", "sync", "gateway", "demo"):
        environ = environ_of(house, service)
        assert Path(environ["KINODOM_INNER_KEY_FILE"]).read_text().strip()
        assert "HTTP_PROXY" not in environ
        assert ("KINODOM_OMDB_KEY" in environ) is (service == "catalogue")
        assert not [name for name, value in environ.items() if "redis://" in value]


def test_the_services_know_each_other(house: House) -> None:
    ports = house.noted()["ports"]

    gateway, downloader = environ_of(house, "gateway"), environ_of(house, "downloader")

    assert gateway["KINODOM_SYNC_URL"] == f"http://127.0.0.1:{ports['sync']}"
    assert downloader["KINODOM_RESOLVER_URL"] == f"http://127.0.0.1:{ports['resolver']}"
    assert downloader["KINODOM_ALLOW_LAN"] == f"127.0.0.1:{ports['demo']}"
    assert downloader["KINODOM_STORE"] == f"sqlite:///{house.folder}/store/downloader.sqlite?durable=full"
    assert "kino.example" in gateway["KINODOM_ALLOWED_HOSTS"].split(",")


def test_secrets_are_for_the_owner_and_the_group_alone(house: House) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (house.folder / "secrets").iterdir()}

    assert modes == {0o640}
    assert stat.S_IMODE((house.folder / "secrets").stat().st_mode) == 0o750


def test_a_second_house_in_the_same_folder_is_refused_in_one_sentence(house: House) -> None:
    command, environ = house_command(house.folder, house.folder.parent / "stand_ins", free_port())

    second = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert second.returncode == 6
    assert second.stderr.startswith(f"kinodom: Kinodom already runs with the data folder {house.folder} (process ")
    assert second.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_named_with_who_has_it(house: House, tmp_path: Path) -> None:
    command, environ = house_command(tmp_path / "other", house.folder.parent / "stand_ins", house.port)

    second = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert second.returncode == 3
    assert second.stderr.startswith(f"kinodom: Port {house.port} is taken by nginx (process ")
    assert f"KINODOM_PORT={house.port + 1} make run" in second.stderr


def test_status_tells_how_each_part_is(house: House) -> None:
    command, environ = house_command(house.folder, house.folder.parent / "stand_ins", house.port)

    told = subprocess.run(
        [*command[:-1], "status"], env=environ, capture_output=True, text=True, timeout=30, check=False
    )

    assert told.returncode == 0
    assert told.stdout.count(" ready\n") == 8


def test_ctrl_c_ends_it_well_and_secrets_stay_for_the_next_start(tmp_path: Path) -> None:
    with house_of_stand_ins(tmp_path) as running:
        running.wait_for_open()
        keys = {path.name: path.read_text() for path in (running.folder / "secrets").glob("*_key")}
        pids = running.noted()["pids"]
        running.process.send_signal(signal.SIGINT)
        _, errors = running.process.communicate(timeout=30)

    assert running.process.returncode == 0
    assert errors.endswith("Kinodom is closed.\n")
    assert len(keys) == 5
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}").exists()]
    assert not (running.folder / "run/ports.json").exists()
