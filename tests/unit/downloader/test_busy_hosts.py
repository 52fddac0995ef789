"""Hosts that ask for fewer requests or for some time alone: they get it, and the film comes. No real time is waited."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_downloader.adapters.engine import Transport
from kinodom_downloader.adapters.pieces import Job, Pieces
from kinodom_downloader.adapters.worker_thread import Retry
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.leaps import Leaps
from tests.support.origin import Answer, Origin

pytestmark = pytest.mark.slow

TOO_MANY, TOO_BUSY = 429, 503
COUNT = 60


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def leaping(time: Leaps, *hosts: Origin) -> Transport:
    """Return a transport with the patience of the real one and a clock that leaps."""
    return replace(transport_for(*hosts), retry=Retry(), clock=time.clock, wait=time.wait)


def put_long_film(host: Origin) -> bytes:
    """Serve sixty segments, and return what they are together."""
    host.put(media.hls_ts())
    rows = [f"#EXTINF:2,\nlong{index}.ts" for index in range(COUNT)]
    host.files["/long.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
    bodies = [host.files[f"/seg{index % 6}.ts"] for index in range(COUNT)]
    host.files |= {f"/long{index}.ts": body for index, body in enumerate(bodies)}
    return b"".join(bodies)


def film() -> bytes:
    return b"".join((media.hls_ts() / f"seg{index}.ts").read_bytes() for index in range(6))


@pytest.mark.parametrize("status", [TOO_MANY, TOO_BUSY])
@pytest.mark.parametrize(
    ("asked", "waits_s"), [("5", 5.0), ("1000000000", 60.0), ("Wed, 21 Oct 2099 07:28:00 GMT", 60.0)]
)
def test_a_host_that_asks_to_wait_is_left_alone_for_so_long_and_a_minute_at_most(
    host: Origin, tmp_path: Path, status: int, asked: str, waits_s: float
) -> None:
    host.put(media.hls_ts())
    time = Leaps(crew=2)
    refusal = origin.times(1, origin.status(status, {"Retry-After": asked}))
    calls: list[tuple[str, float]] = []

    def noted(answer: Answer, number: int) -> bool:
        calls.append((answer.path, time.now_s))
        return answer.path == "/seg2.ts" and refusal(answer, number)

    host.faults["*"] = noted
    transport = leaping(time, host)
    fetched = fetch_from(host, "/index.m3u8", tmp_path, workers=1, transport=transport)

    refused = calls.index(("/seg2.ts", 1000.0))
    after = calls[refused + 1 :]
    assert bytes_of(fetched.tracks[0]) == film()
    assert {path for path, _ in after} == {"/seg2.ts", "/seg3.ts", "/seg4.ts", "/seg5.ts"}
    assert {round(at_s) for _, at_s in after} == {1000 + waits_s}


def test_while_one_host_is_left_alone_the_other_goes_on(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    time = Leaps(crew=2)
    with origin.origin() as other:
        other.put(media.hls_ts())
        text = host.files["/index.m3u8"].decode()
        for index in (1, 3, 5):
            text = text.replace(f"seg{index}.ts", f"{other.address}/seg{index}.ts")
        host.files["/index.m3u8"] = text.encode()
        host.faults["/seg0.ts"] = origin.times(1, origin.status(TOO_BUSY, {"Retry-After": "30"}))
        at: dict[str, float] = {}
        for server in (host, other):
            server.pace = lambda: at.setdefault(f"{sum(host.asked.values())} {sum(other.asked.values())}", time.now_s)
        transport = leaping(time, host, other)

        fetched = fetch_from(host, "/index.m3u8", tmp_path, workers=1, transport=transport)

    # The playlist and the refusal; then all of the other host; then, half a minute later, what is left.
    assert bytes_of(fetched.tracks[0]) == film()
    assert [calls for calls, at_s in at.items() if at_s == 1000.0] == ["1 0", "2 1", "2 2", "2 3"]
    assert {round(at_s) for at_s in at.values()} == {1000, 1030}


@pytest.mark.parametrize("asked", ["soon", "-1", "", "5 minutes", "\u0665"])
def test_rubbish_instead_of_a_time_to_wait_is_a_common_pause(host: Origin, tmp_path: Path, asked: str) -> None:
    host.put(media.hls_ts())
    time = Leaps(crew=5)
    told = {"Retry-After": asked.encode().decode("latin-1")}
    host.faults["/seg2.ts"] = origin.times(2, origin.status(TOO_MANY, told))
    transport = leaping(time, host)

    fetched = fetch_from(host, "/index.m3u8", tmp_path, transport=transport)

    assert bytes_of(fetched.tracks[0]) == film()
    assert time.now_s < 1000 + 2 * Retry().longest_s


@pytest.mark.parametrize("status", [TOO_MANY, TOO_BUSY])
def test_a_host_that_serves_two_at_once_is_asked_for_hardly_more(host: Origin, tmp_path: Path, status: int) -> None:
    whole = put_long_film(host)
    room, serving, most_late = threading.Semaphore(2), [0], [0]

    def crowded(answer: Answer, _number: int) -> bool:
        with host.lock:
            serving[0] += 1
            if host.sent_bytes > len(whole) // 3:
                most_late[0] = max(most_late[0], serving[0])
        try:
            if not room.acquire(blocking=False):
                return origin.status(status)(answer, 0)
            try:
                host.gate.wait(0.01)
                answer.serve(host.files[answer.path])
            finally:
                room.release()
            return True
        finally:
            with host.lock:
                serving[0] -= 1

    host.faults |= {f"/long{index}.ts": crowded for index in range(COUNT)}
    fetched = fetch_from(host, "/long.m3u8", tmp_path, workers=16)

    assert bytes_of(fetched.tracks[0]) == whole
    assert most_late[0] <= 4  # after what it said about the first third


def test_a_host_that_is_too_busy_half_of_the_time_gives_the_film(host: Origin, tmp_path: Path) -> None:
    whole = put_long_film(host)
    busy = origin.status(TOO_BUSY)
    time = Leaps(crew=9)
    host.faults |= {
        f"/long{index}.ts": lambda answer, number: number % 2 == 1 and busy(answer, 0) for index in range(COUNT)
    }
    transport = leaping(time, host)

    fetched = fetch_from(host, "/long.m3u8", tmp_path, workers=8, transport=transport)

    assert bytes_of(fetched.tracks[0]) == whole
    assert max(count for path, count in host.asked.items()) == 2


def test_three_that_are_too_busy_in_a_row_ask_for_fewer_at_once_and_one_does_not() -> None:
    pieces = Pieces([Job(float(at), 0, at) for at in range(40)], at_once=8)
    jobs = [job for _ in range(4) if (job := pieces.take()) is not None]

    pieces.again(jobs[0], after_s=100, busy=True)
    pieces.done(jobs[1])
    room_after_one = pieces.room()
    for job in jobs[2:]:
        pieces.again(job, after_s=100, busy=True)
    third = pieces.take()
    assert third is not None
    pieces.again(third, after_s=100, busy=True)

    assert room_after_one == 3  # of five: two are under way
    assert pieces.room() == 2  # of two
