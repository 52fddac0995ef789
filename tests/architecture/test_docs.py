"""The pages under docs/ say what the code says: settings, codes, endpoints, messages, sources."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kinodom_common.errors import KinodomError
from kinodom_common.problems import HTTP_CODES, STATUS_OF
from kinodom_common.settings import PREFIX, CommonSettings
from kinodom_common.web import OPEN_PATHS
from kinodom_resolver.sources import BUILT_IN
from tests.support.code import PACKAGES, ROOT, SERVICES, modules

RUN_ON_IMPORT = {"wsgi.py", "worker.py", "gconf.py", "__main__.py"}
Row = list[str]


@cache
def tables(page: str) -> dict[str, list[Row]]:
    """Return the rows of all tables of a page by the heading above them; cells without their backticks."""
    found: dict[str, list[Row]] = defaultdict(list)
    heading = ""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").strip("`")
        elif line.startswith("| `"):
            found[heading].append([cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def settings_of(package: str) -> dict[str, FieldInfo]:
    """Return the settings of all processes of a service by variable."""
    classes = [
        one
        for one in vars(importlib.import_module(f"{package}.settings")).values()
        if isinstance(one, type) and issubclass(one, CommonSettings) and one.__module__.startswith(package)
    ]
    return {f"{PREFIX}{name.upper()}": field for one in classes for name, field in one.model_fields.items()}


def default_of(field: FieldInfo) -> str:
    """Return the default as the pages write it."""
    if field.is_required():
        return "required"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | frozenset):
        return ",".join(str(one).rstrip("/") for one in value) or "none"
    return str(value or "none").rstrip("/")


@pytest.mark.parametrize("service", [*SERVICES, "demo"])
def test_every_setting_stands_in_operations_with_its_default(service: str) -> None:
    told = {row[0]: row[1] for row in tables("docs/operations.md")[service]}

    assert told == {name: default_of(field) for name, field in settings_of(f"kinodom_{service}").items()}


@pytest.mark.parametrize("name", [".env.example", "house/src/kinodom_house/settings.py", "docker-compose.yml"])
def test_what_the_operator_may_set_stands_in_operations(name: str) -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    used = set(re.findall(r"\bKINODOM_[A-Z][A-Z_]*[A-Z]\b", (ROOT / name).read_text(encoding="utf-8")))

    assert {one for one in used if one.removesuffix("_FILE") not in page} == set()


def error_classes() -> Iterator[type[KinodomError]]:
    for module in modules():
        if module.inside not in RUN_ON_IMPORT and module.package != "kinodom_house":
            importlib.import_module(
                f"{module.package}.{module.inside[:-3].replace('/', '.')}".removesuffix(".__init__")
            )
    waiting = [KinodomError]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith("kinodom_"):
            yield one


def test_every_error_code_stands_in_the_api_page_with_its_status() -> None:
    told = {row[0]: row[1] for row in tables("docs/api.md")["Error codes"]}
    ours = {
        (one.code, str(next((status for family, status in STATUS_OF if issubclass(one, family)), 500)))
        for one in error_classes()
        if one.__module__ != "kinodom_common.http" or one.__name__ == "ServiceSilent"
    }

    assert {(code, status) for code, status in ours if told.get(code) != status} == set()
    assert {(code, str(status)) for status, code in HTTP_CODES.items() if code not in told} == set()


def test_what_nginx_answers_itself_stands_in_the_api_page() -> None:
    told = {row[0] for row in tables("docs/api.md")["Error codes"]}
    files = (ROOT / "nginx").rglob("*.conf")
    codes = {code for path in files for code in re.findall(r'"code":"(\w+)"', path.read_text(encoding="utf-8"))}

    assert codes
    assert codes <= told


def endpoints_of(package: str) -> set[str]:
    """Return `METHOD /path` of every view of a service."""
    found: set[str] = set()
    for module in modules(package):
        if module.folder != "routes" and module.inside != "app.py":
            continue
        imported = importlib.import_module(
            f"{package}.{module.inside[:-3].replace('/', '.')}".removesuffix(".__init__")
        )
        for blueprint in vars(imported).values():
            if not isinstance(blueprint, Blueprint) or blueprint.import_name != imported.__name__:
                continue
            app = Flask("endpoints", static_folder=None)
            app.register_blueprint(blueprint)
            for rule in app.url_map.iter_rules():
                path = re.sub(r"<\w+:", "<", rule.rule)
                found |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


@pytest.mark.parametrize("service", [*SERVICES, "demo"])
def test_every_endpoint_stands_in_the_api_page(service: str) -> None:
    pages = tables("docs/api.md")
    told = {row[0] for heading, rows in pages.items() if heading.split(":")[0] == service for row in rows}

    assert endpoints_of(f"kinodom_{service}")
    assert told == endpoints_of(f"kinodom_{service}")


def test_the_endpoints_of_all_services_stand_in_the_api_page() -> None:
    assert {row[0].removeprefix("GET ") for row in tables("docs/api.md")["every service"]} == set(OPEN_PATHS)


def test_every_message_of_the_socket_stands_in_the_api_page() -> None:
    sent: set[str] = set()
    for module in modules("kinodom_sync"):
        for node in ast.walk(module.tree()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 3:
                event = node.args[1]
                if node.func.attr in ("to_one", "to_group") and isinstance(event, ast.Constant):
                    sent.add(str(event.value))
    pages = tables("docs/api.md")

    assert {row[0] for row in pages["Messages to the browser"]} == sent
    assert {row[0] for row in pages["Messages from the browser"]} == {"hello", "ping", "op", "report", "queue"}


def test_every_source_has_a_row() -> None:
    assert {row[0] for row in tables("docs/sources.md")["The sources"]} == set(BUILT_IN)


@pytest.mark.parametrize("service", [*SERVICES, "demo"])
def test_every_service_has_its_page_with_the_same_headings(service: str) -> None:
    folder = ROOT / service if service == "demo" else ROOT / "services" / service
    text = (folder / "README.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Owns", "Endpoints", "Settings", "Fails how", "Run alone"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs/adr").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_is_short(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 40
    assert [line for line in ("## Context", "## Choice", "## Figures", "## Consequences") if line not in text] == []


def test_pages_name_files_that_exist() -> None:
    folders = "services|house|demo|nginx|tests|docs"
    dead = {
        f"{page.name}: {name}"
        for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        for name in re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }

    assert dead == set()


def test_all_packages_are_read() -> None:
    assert all(modules(package) for package in PACKAGES)
