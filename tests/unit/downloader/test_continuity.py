from __future__ import annotations

import pytest

from kinodom_downloader.domain import gate
from kinodom_downloader.domain.continuity import Placed, clock_of, wrong_pieces
from kinodom_downloader.domain.plan import same_version
from tests.support import media


def track(*rows: tuple[float, float], stated_s: float = 2.0, breaks: tuple[int, ...] = ()) -> list[Placed]:
    """Return pieces with one stream each, by first time and length."""
    return [
        Placed(index=index, stated_s=stated_s, times={1: row}, breaks=index in breaks) for index, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        track((0, 2), (2, 2), (4, 2)),
        track((0, 2), (2, 2), (100, 2), (102, 2), (4, 2), (6, 2)),
        track((0, 2), (2, 2), (0, 2), (2, 2), (4, 2)),
        track((0, 2), (0, 2), (0, 2), (0, 2)),
        track((0, 2), (2, 2), (50, 2), (52, 2)),
        track((0, 2), (4, 2), (2, 2), (6, 2), breaks=(1, 2, 3)),
        track((95440, 2), (95442, 2), (0.2823, 2), (2.2823, 2)),
        track((0, 5), (5, 7), (12, 6), stated_s=10.0),
        track(),
    ],
    ids=["plain", "advertisement", "starts anew", "each starts anew", "moves for good", "marked", "wraps",
         "wrongly stated", "nothing"],
)  # fmt: skip
def test_a_careless_source_is_no_fault(pieces: list[Placed]) -> None:
    assert wrong_pieces(pieces) == {}


@pytest.mark.parametrize(
    ("pieces", "wrong"),
    [
        (track((0, 2), (2, 1.5), (4, 2), (6, 2)), {1}),
        (track((0, 2), (2, 2), (6, 2), (4, 2), (8, 2)), {2, 3}),
        (track((2, 2), (0, 2), (4, 2), (6, 2)), {0, 1}),
        (track((0, 2), (2, 2), (2, 2), (6, 2)), {2}),
        (track((0, 2), (2, 2), (4, 2), (2, 2)), {3}),
        (track((0, 2), (500, 2), (4, 2), (6, 2)), {1}),
    ],
    ids=["cut", "swapped", "first two swapped", "a copy", "a copy at the end", "another film"],
)
def test_a_piece_that_does_not_follow_is_found(pieces: list[Placed], wrong: set[int]) -> None:
    assert set(wrong_pieces(pieces)) == wrong


def test_all_streams_of_a_segment_tell_their_time() -> None:
    clock = clock_of((media.hls_ts() / "seg1.ts").read_bytes(), "ts")

    assert len(clock) == 2
    assert all(length == pytest.approx(2 * 90_000, abs=9_000) for _, length in clock.values())


@pytest.mark.parametrize("body", [b"\0\0\0\x18ftypisom" + b"\0" * 50, b"\x1a\x45\xdf\xa3....webm", b"<!DOCTYPE html>"])
def test_a_range_from_within_a_file_is_not_its_beginning(body: bytes) -> None:
    with pytest.raises(gate.NotThatMedia):
        gate.check_range(body)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a\nmonday", "a\nmonday", True),
        ("a\nmonday", "b\nmonday", True),
        ("a\n", "b\n", False),
        ("a\nmonday", "b\ntuesday", False),
        (None, "b\n", True),
    ],
)
def test_a_file_is_the_same_when_its_tag_or_its_date_is(one: str | None, other: str | None, *, same: bool) -> None:
    assert same_version(one, other) is same
