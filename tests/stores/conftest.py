"""A fresh store for each test, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_common.ids import new_id
from tests.support.mongod import running_mongod


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mongod(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture(params=["sqlite", "mongodb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return f"{request.getfixturevalue('server')}/d{new_id()[:8].lower().replace('-', 'x')}"
