"""Files go into a pipe whole and in their order, wherever they lie."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kinodom_common.feeding import Feed, widen


def poured(feed: Feed) -> bytes:
    """Return what comes out of a pipe that a slow reader empties."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    widen(writing)
    found = bytearray()

    def drain() -> None:
        while block := os.read(reading, 10_007):
            found.extend(block)

    reader = threading.Thread(target=drain)
    reader.start()
    full = 0
    while True:
        try:
            if not feed.give(writing):
                break
        except BlockingIOError:
            full += 1
    os.close(writing)
    reader.join()
    os.close(reading)
    return bytes(found)


def test_files_come_one_after_another_and_empty_ones_are_no_end(tmp_path: Path) -> None:
    contents = [os.urandom(3_000_001), b"", b"x", os.urandom(70_000), b""]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)

    seen = poured(Feed([tmp_path / str(number) for number in range(len(contents))]))

    assert seen == b"".join(contents)


def test_a_file_whose_pages_cannot_be_handed_over_is_copied() -> None:
    assert poured(Feed([Path("/proc/self/maps")])).startswith(Path("/proc/self/maps").read_bytes()[:100])


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        Feed([Path("/nowhere/at/all")]).give(1)
