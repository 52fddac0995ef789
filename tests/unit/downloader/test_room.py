"""How much of the disk a film may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.errors import NoSpace
from kinodom_downloader.adapters.disk import size_of
from kinodom_downloader.domain.room import GB, Disk, KeepFree, check_room, needed_bytes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("total_gb", "floor_gb"), [(100, 5), (250, 5), (1000, 20)])
def test_the_larger_floor_counts(total_gb: int, floor_gb: int) -> None:
    disk = Disk(free_bytes=0, total_bytes=total_gb * GB)

    assert KeepFree(gb=5, percent=2).floor_bytes(disk) == floor_gb * GB


def test_a_film_fits_to_the_last_byte_above_the_floor() -> None:
    disk, keep = Disk(free_bytes=7 * GB, total_bytes=100 * GB), KeepFree(gb=5, percent=2)

    check_room(disk, keep, needed_bytes=2 * GB)
    with pytest.raises(NoSpace, match=r"7\.0 GB are free, 5\.0 GB of them stay free"):
        check_room(disk, keep, needed_bytes=2 * GB + 1)


def test_a_film_of_unknown_size_needs_nothing_and_one_of_known_size_what_is_not_there() -> None:
    assert needed_bytes(None, there_bytes=5) == 0
    assert needed_bytes(100, there_bytes=20) == 200
    assert needed_bytes(100, there_bytes=500) == 0


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"1")

    assert size_of(tmp_path) == 6
    assert size_of(tmp_path / "gone") == 0
