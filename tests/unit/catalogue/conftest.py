from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_common.store import Store, open_store
from tests.support.catalogue_parts import Clock, FakeHints


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/catalogue.sqlite")
    yield store
    store.close()


@pytest.fixture
def shelf(store: Store, clock: Clock) -> StoreShelf:
    return StoreShelf(store, clock)


@pytest.fixture
def hints() -> FakeHints:
    return FakeHints()
