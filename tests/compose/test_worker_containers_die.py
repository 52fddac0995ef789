"""Containers of the downloader's image are killed over and over, with the wishes where the composition keeps them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bench import faults

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.containers import Containers

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]


def test_a_hundred_kills_of_containers_lose_double_and_half_show_nothing(
    containers: Containers, tmp_path: Path
) -> None:
    assert containers.port  # the composition has built the image
    seed = random.randrange(10**6)

    tally = faults.run(tmp_path, kills=100, workers=3, every_s=0.7, seed=seed, containers=True, mongodb=True)

    assert tally.verdict == [], faults.told(tally)
    assert tally.redis_killed >= 3
    assert tally.settled_s < faults.CALM_S
