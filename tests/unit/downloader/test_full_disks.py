"""Disks in memory that run really full under the whole way of a film; `make bench-full-disks` does 50 sizes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import media, origin
from tests.support.full_disks import Whole, on_full_disk, sizes, whole_film
from tests.support.origin import Origin
from tests.support.small_disk import small_disk
from tests.support.workshop import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")]


@pytest.fixture(scope="module")
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        server.put(media.hls_ts())
        yield server


@pytest.fixture(scope="module")
def whole(host: Origin, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return whole_film(tmp_path_factory.mktemp("whole"), host)


def test_a_disk_that_fills_anywhere_from_the_first_byte_to_the_last_makes_the_wish_wait_and_go_on(
    host: Origin, whole: Whole, tmp_path: Path
) -> None:
    outcomes = {size: on_full_disk(tmp_path / str(size), host, f"size={size}") for size in sizes(whole, 3, 10)}

    assert {size: one.wrong(whole) for size, one in outcomes.items() if one.wrong(whole)} == {}
    assert {"packaging" in one.stages for one in outcomes.values()} == {False, True}  # in fetching, and after it


def test_a_disk_without_room_for_another_file_makes_the_wish_wait_and_go_on(
    host: Origin, whole: Whole, tmp_path: Path
) -> None:
    counts = [whole.inodes - 1, whole.inodes - 5, whole.inodes // 2]
    outcomes = {count: on_full_disk(tmp_path / str(count), host, f"nr_inodes={count}") for count in counts}

    assert {count: one.wrong(whole) for count, one in outcomes.items() if one.wrong(whole)} == {}


def test_a_disk_that_was_made_read_only_makes_the_wish_wait_and_go_on(
    host: Origin, whole: Whole, tmp_path: Path
) -> None:
    outcome = on_full_disk(tmp_path, host, "ro")

    assert outcome.wrong(whole, reason="media_folder_unusable") == []


def test_a_film_that_is_seen_not_to_fit_is_not_even_begun(host: Origin, whole: Whole, tmp_path: Path) -> None:
    host.asked.clear()
    with small_disk(tmp_path / "disk", f"size={whole.bytes_ // 2}") as disk:
        shop = Workshop(tmp_path, disk.root, host, sees_the_disk=True)
        wish = shop.work()
        segments_asked = sum(path.endswith(".ts") for path in host.asked)

    assert wish is not None
    assert (wish.state, wish.reason_code) == ("waiting", "no_space")
    assert segments_asked <= 6
