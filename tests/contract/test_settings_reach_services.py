"""What each service can be told, and what the two ways to run the house tell it: nothing missing, nothing unknown."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml

from kinodom_common.settings import CommonSettings
from kinodom_house.layout import Layout
from kinodom_house.plan import INNER, OPERATOR_SETTINGS, PROGRAMS, Site, house_plan, service_environ
from kinodom_house.settings import HouseSettings

REPOSITORY = Path(__file__).parents[2]
SERVICES = ("catalogue", "resolver", "downloader", "sync", "gateway", "demo")
NOT_SERVICES = {"secrets", "redis", "mongo", "nginx"}


def fields_of(service: str) -> tuple[set[str], set[str]]:
    """Return the names of all settings of a service, and of those without a default."""
    module = pytest.importorskip(f"kinodom_{service}.settings")
    classes = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if issubclass(cls, CommonSettings)]
    fields = {name.upper(): field for cls in classes for name, field in cls.model_fields.items()}
    return set(fields), {name for name, field in fields.items() if field.is_required()}


def site() -> Site:
    settings = HouseSettings(repository=REPOSITORY, data=Path("/data"))
    ports = {name: 20000 + number for number, name in enumerate(INNER)}
    programs = {name: f"/usr/bin/{name}" for name in PROGRAMS}
    return Site(settings=settings, layout=Layout(Path("/data")), ports=ports, programs=programs)


def names_in(environ: dict[str, str]) -> set[str]:
    told = {name.removeprefix("KINODOM_") for name in environ if name.startswith("KINODOM_")}
    return {name if name == "SAVED_DATA_FILE" else name.removesuffix("_FILE") for name in told}  # that one names a file


@pytest.mark.parametrize("service", SERVICES)
def test_make_run_tells_a_service_all_it_must_know_and_passes_on_all_an_operator_may_set(service: str) -> None:
    known, required = fields_of(service)

    told = names_in(service_environ(site(), service))

    assert required <= told <= known
    assert known - told == {"LOG_LEVEL", *OPERATOR_SETTINGS[service]} & known
    assert set(OPERATOR_SETTINGS[service]) <= known


@pytest.mark.parametrize("service", SERVICES)
def test_compose_tells_each_service_the_same_settings_as_make_run(service: str) -> None:
    composition = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    told_by_make = names_in(service_environ(site(), service)) | {"LOG_LEVEL", *OPERATOR_SETTINGS[service]}

    for name in (service, f"{service}-worker"):
        if name in composition["services"]:
            assert names_in(composition["services"][name]["environment"]) == told_by_make


def test_both_ways_run_the_same_services() -> None:
    composition = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())

    names = {process.name.rstrip("-12") for group in house_plan(site()) for process in group}

    assert set(composition["services"]) - NOT_SERVICES == names - NOT_SERVICES


def test_compose_publishes_one_port_and_lets_only_fetchers_out() -> None:
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]

    assert {name for name, service in services.items() if "ports" in service} == {"nginx"}
    out = {name for name, service in services.items() if "egress" in service.get("networks", ())}
    assert out == {"resolver", "catalogue-worker", "downloader-worker", "downloader-usher"}
    assert {name for name, service in services.items() if "container_name" in service} == set()
