"""One piece over several connections, against a host that answers ranges, or does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_downloader.adapters.bodies import MemoryBody, Piece, Taken
from kinodom_downloader.adapters.segments import Line
from kinodom_downloader.adapters.sprint import LANES, Lanes
from tests.support import origin
from tests.support.fetching import transport_for
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

BODY = bytes(range(256)) * 8000  # 2 MB


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        server.files["/seg.ts"] = BODY
        yield server


def a_line(host: Origin) -> Line:
    offer = Offer(source="test", url=f"{host.address}/seg.ts", delivery="hls")
    return transport_for(host).line(offer, lambda: None, lambda _count: None)


def taken(host: Origin, *, guess: int, start: int | None = None, length: int | None = None) -> tuple[bool, bytes]:
    """Return whether the lanes took a piece, and its bytes."""
    lanes, own, into = Lanes([a_line(host) for _ in range(LANES)]), a_line(host), Taken(body=MemoryBody())
    piece = Piece(url=f"{host.address}/seg.ts", start=start, length=length)
    try:
        took = lanes.take(own, piece, into, guess_bytes=guess)
    finally:
        lanes.close()
        own.close()
    assert isinstance(into.body, MemoryBody)
    return took, bytes(into.body.held)


@pytest.mark.parametrize("guess", [len(BODY), len(BODY) // 3, len(BODY) * 5, len(BODY) + 1])
def test_a_piece_is_whole_however_wrong_its_length_was_guessed(host: Origin, guess: int) -> None:
    assert taken(host, guess=guess) == (True, BODY)
    assert len([1 for path, head in host.heads if "Range" in head]) == 1 + LANES


def test_a_part_of_a_file_is_that_part(host: Origin) -> None:
    assert taken(host, guess=0, start=1000, length=1_000_000) == (True, BODY[1000:1_001_000])


def test_a_host_without_ranges_is_left_to_one_connection(host: Origin) -> None:
    host.ranges = False

    took, body = taken(host, guess=len(BODY))

    assert (took, body) == (False, b"")


def test_a_lane_that_fails_spoils_nothing(host: Origin) -> None:
    host.faults["/seg.ts"] = lambda answer, number: number == 3 and origin.hangs_up(answer, number)

    took, body = taken(host, guess=len(BODY))

    assert (took, body) in ((False, b""), (True, BODY))
    assert not took or body == BODY


def test_what_is_short_is_fetched_in_one_go(host: Origin) -> None:
    assert taken(host, guess=100_000) == (False, b"")
