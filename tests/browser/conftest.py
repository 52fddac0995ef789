"""One cinema for all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cinema import Cinema, cinema


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with cinema(tmp_path_factory.mktemp("cinema")) as running:
        yield running
