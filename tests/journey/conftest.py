"""One real house for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.real_house import real_house

if TYPE_CHECKING:
    from tests.support.house_of_stand_ins import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with real_house(tmp_path_factory.mktemp("house") / "data", KINODOM_DEMO_SECONDS="30") as running:
        yield running
