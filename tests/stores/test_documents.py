"""The store's behaviour on SQLite and on a server that speaks MongoDB's protocol, and what is particular to each."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_common.ids import new_id
from kinodom_common.store import StoreUnavailable, open_store
from tests.support.documents_suite import DocumentsSuite
from tests.support.mongod import free_port, running_mongod


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mongod(tmp_path_factory.mktemp("mongo")) as url:
        yield url


class TestSqlite(DocumentsSuite):
    """SQLite, in the mode that is fit for what must survive a power cut."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/store.sqlite?durable=full"


class TestMongo(DocumentsSuite):
    """A server as a process; a database of its own for each test."""

    @pytest.fixture
    def url(self, server: str) -> str:
        return f"{server}/t{new_id()[:8].lower().replace('-', 'x')}"


def test_the_database_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/deep/store.sqlite")

    store.collection("things").insert({"_id": "a"})

    for name in os.listdir(tmp_path / "deep"):
        assert stat.S_IMODE((tmp_path / "deep" / name).stat().st_mode) == 0o600
    store.close()


def test_a_question_on_a_declared_field_uses_its_index(tmp_path: Path) -> None:
    import sqlite3

    store = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    store.collection("things", indexed=("state",)).insert({"_id": "a"})
    link = sqlite3.connect(tmp_path / "store.sqlite")

    plan = link.execute(
        "EXPLAIN QUERY PLAN SELECT body FROM things WHERE 1 AND json_extract(body, '$.state') IS ?", ("x",)
    ).fetchall()
    link.close()
    store.close()

    assert "things_i_state" in str(plan)


def test_a_file_that_is_no_database_is_a_store_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"this is not a database" * 100)
    store = open_store(f"sqlite:///{tmp_path}/store.sqlite")

    with pytest.raises(StoreUnavailable) as caught:
        store.ping()

    assert caught.value.code == "store_unavailable"


def test_a_server_that_is_away_is_a_store_that_does_not_answer() -> None:
    store = open_store(f"mongodb://127.0.0.1:{free_port()}/catalogue")

    with pytest.raises(StoreUnavailable):
        store.collection("things").get("a")

    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgres://x/y",
        "sqlite://relative.sqlite",
        "sqlite:///relative.sqlite",
        "sqlite:////x.sqlite?durable=maybe",
        "sqlite:////x.sqlite?cache=shared",
        "mongodb://127.0.0.1:27017",
        "mongodb://",
    ],
)
def test_an_address_that_names_no_store_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"store|sqlite|mongodb"):
        open_store(url)


@pytest.mark.parametrize(("scheme", "stranger"), [("sqlite:////tmp/x", "pymongo"), ("mongodb://h/x", "sqlite3")])
def test_only_the_chosen_engine_is_imported(scheme: str, stranger: str) -> None:
    code = f"import sys; from kinodom_common.store import open_store; open_store({scheme!r}); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert stranger not in done.stdout.split()
