"""Who may import what. Each rule keeps one promise of docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

import pytest

from tests.support.code import PACKAGES, SERVICES, Module, is_below, modules

FRAMEWORKS = (
    "flask", "werkzeug", "gunicorn", "flask_socketio", "socketio", "redis", "rq", "pymongo", "requests", "urllib3",
    "bs4", "lxml", "structlog", "prometheus_client", "pydantic_settings",
)  # fmt: skip
MAY_KNOW_IN_DOMAIN = tuple(f"kinodom_common.{name}" for name in ("errors", "ids", "logs", "contracts"))
CLIENTS_OF = {
    "kinodom_gateway": {"catalogue", "downloader", "resolver", "sync"},
    "kinodom_downloader": {"resolver", "catalogue"},
}
ENVIRONMENT_READERS = {"wsgi.py", "worker.py", "usher.py", "fsck.py"}
PLACES_OF_REQUESTS = ("http.py", "egress/")
JOINERS = {"wiring.py"}
NAMERS = {"worker.py", "jobs.py"}  # take the names of the queue and of its jobs from the adapter that gives the hints


def offences(found: Iterable[Module], *forbidden: str, but: tuple[str, ...] = ()) -> list[str]:
    """Return `module:line imports name` for each import of something forbidden."""
    return [
        f"{module}:{line} imports {name}"
        for module in found
        for name, line in module.imports().items()
        if is_below(name, *forbidden) and not is_below(name, *but)
    ]


def adapters_known_to(found: Iterable[Module]) -> list[str]:
    return [line for one in found for line in offences([one], f"{one.package}.adapters", f"{one.package}.sources")]


def in_folder(*folders: str) -> list[Module]:
    return [module for module in modules() if module.folder in folders and module.package != "kinodom_common"]


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "kinodom_common"])
def test_a_service_imports_itself_and_common_only(package: str) -> None:
    others = [name for name in PACKAGES if name not in (package, "kinodom_common")]

    assert offences(modules(package), *others) == []


def test_common_imports_no_service() -> None:
    assert offences(modules("kinodom_common"), *(name for name in PACKAGES if name != "kinodom_common")) == []


def test_contracts_and_errors_import_no_framework() -> None:
    found = [one for one in modules("kinodom_common") if one.folder == "contracts" or one.inside == "errors.py"]

    assert found
    assert offences(found, *FRAMEWORKS) == []


def test_domain_imports_the_standard_library_itself_and_the_words_of_common() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in in_folder("domain")
        for name, line in module.imports().items()
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not is_below(name, f"{module.package}.domain", *MAY_KNOW_IN_DOMAIN)
    ]

    assert wrong == []


def test_domain_neither_reads_a_clock_nor_opens_a_socket_or_a_process() -> None:
    forbidden = ("socket", "subprocess", "http", "urllib.request", "random", "sqlite3", "time.time", "time.monotonic")

    assert offences(in_folder("domain"), *forbidden) == []


def test_routes_and_jobs_know_of_adapters_at_most_a_name() -> None:
    found = [*in_folder("routes"), *(one for one in modules() if one.inside in ("jobs.py", "events.py"))]

    assert [line for line in adapters_known_to(found) if not line.rpartition(".")[2].isupper()] == []


def test_adapters_and_sources_do_not_know_routes() -> None:
    wrong = [
        line
        for one in in_folder("adapters", "sources")
        for line in offences([one], f"{one.package}.routes", f"{one.package}.wiring", f"{one.package}.app")
    ]

    assert wrong == []


def test_only_the_wiring_names_adapters() -> None:
    outside = [
        one for one in modules() if one.folder not in ("adapters", "sources") and one.inside not in JOINERS | NAMERS
    ]

    assert adapters_known_to(outside) == []


def test_the_chain_of_clients_has_two_links() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules(*(f"kinodom_{service}" for service in SERVICES))
        for name, line in module.imports().items()
        if is_below(name, "kinodom_common.clients") and name.split(".")[2] not in CLIENTS_OF.get(module.package, set())
    ]

    assert wrong == []


def test_only_entry_points_and_the_house_read_the_environment() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module in modules()
        if module.inside not in ENVIRONMENT_READERS and module.package != "kinodom_house"
        for node in ast.walk(module.tree())
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    ]

    assert wrong == []
    assert offences(modules(), "os.environ", "os.getenv") == []


def test_requests_has_two_doors() -> None:
    found = [
        module
        for module in modules()
        if not (module.package == "kinodom_common" and module.inside.startswith(PLACES_OF_REQUESTS))
    ]

    assert offences(found, "requests") == []


def test_programs_are_run_in_one_place() -> None:
    found = [one for one in modules() if str(one) != "kinodom_common/processes.py" and one.package != "kinodom_house"]

    assert offences(found, "subprocess") == []


def test_the_readers_of_the_environment_are_small() -> None:
    entries = [one for one in modules() if one.inside in ENVIRONMENT_READERS]
    functions = [
        f"{module}:{node.lineno}"
        for module in entries
        for node in ast.walk(module.tree())
        if isinstance(node, ast.FunctionDef) and len(node.body) > 8
    ]

    assert entries
    assert functions == []
