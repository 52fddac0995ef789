"""Work killed by strace at the system calls that it makes; `make bench-publish` does every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import origin
from tests.support.origin import Origin
from tests.support.publish_scenes import SCENES, killed_everywhere
from tests.support.whole_way import FILMS, fetches_killed, put_films, wishes_killed

pytestmark = pytest.mark.slow


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        put_films(server)
        yield server


@pytest.mark.parametrize("name", SCENES)
def test_killed_in_publishing_nothing_half_is_shown_and_the_next_run_makes_it_whole(name: str, tmp_path: Path) -> None:
    kills = killed_everywhere(tmp_path / "kills", name, every=11)

    assert kills.faults == []
    assert kills.points >= 5
    assert {"openat", "fsync", "rename", "write"} <= set(kills.calls)


@pytest.mark.parametrize("entry", FILMS)
def test_killed_in_fetching_also_with_the_power_the_next_run_brings_the_same_film(
    host: Origin, tmp_path: Path, entry: str
) -> None:
    kills = fetches_killed(tmp_path, host, entry, every=19)

    assert kills.faults == []
    assert kills.points >= 5
    assert {"connect", "recvfrom", "fsync", "rename", "write"} <= set(kills.calls)


def test_killed_anywhere_between_the_first_byte_and_the_row_a_wish_ends_with_the_same_folder(
    host: Origin, tmp_path: Path
) -> None:
    kills = wishes_killed(tmp_path, host, every=270)

    assert kills.faults == []
    assert kills.points >= 3
