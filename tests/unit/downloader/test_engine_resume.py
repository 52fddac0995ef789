from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.egress import EgressRules
from kinodom_common.errors import NoSpace
from kinodom_downloader.adapters.disk import told_when_full
from kinodom_downloader.adapters.engine import Transport, fetch
from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.adapters.pieces import Job, Pieces
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.domain.faults import SegmentUnreachable, Stopped
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from, sum_of, transport_for
from tests.support.origin import Origin
from tests.support.whole_way import cut_the_power
from tests.support.works import until

pytestmark = pytest.mark.slow

COUNT = 60
LONG = 24


@cache
def packets(seed: int, count: int = 300) -> bytes:
    """Return MPEG-TS packets without a stream, different for each seed."""
    filling = hashlib.sha512(str(seed).encode()).digest() * 3
    return b"".join(b"\x47\x1f\xff\x10" + filling[:180] + at.to_bytes(4) for at in range(count))


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        rows = [f"#EXTINF:2,\nseg{index}.ts" for index in range(COUNT)]
        server.files["/index.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
        server.files |= {f"/seg{index}.ts": packets(index) for index in range(COUNT)}
        server.files["/film.ts"] = packets(7, 300_000)
        rows = [f"#EXTINF:6,\nlong{index}.ts" for index in range(LONG)]
        server.files["/long.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
        server.files |= {f"/long{index}.ts": packets(index, 8000) for index in range(LONG)}
        yield server


def whole_film(host: Origin) -> bytes:
    return b"".join(host.files[f"/seg{index}.ts"] for index in range(COUNT))


def kill_when(host: Origin, entry: str, folder: Path, requests: int) -> None:
    """Run the engine in a process of its own and kill it when so many more requests came."""
    reached = threading.Event()
    until = sum(host.asked.values()) + requests

    def count(_answer: origin.Answer, _number: int) -> bool:
        if sum(host.asked.values()) >= until:
            reached.set()
        return False

    host.faults["*"] = count
    command = [sys.executable, "-m", "tests.support.fetch_child", host.address, entry, str(folder)]
    child = subprocess.Popen(command, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        assert reached.wait(30)
    finally:
        child.kill()
        child.wait()
        host.faults.clear()


@pytest.mark.parametrize(
    ("entry", "steps"), [("/index.m3u8", (15, 14, 16)), ("/long.m3u8", (5, 6, 5)), ("/film.ts", (5, 5))]
)
def test_killed_again_and_again_the_film_is_the_same(
    host: Origin, tmp_path: Path, entry: str, steps: tuple[int, ...]
) -> None:
    names = {"/index.m3u8": [f"/seg{n}.ts" for n in range(COUNT)], "/long.m3u8": [f"/long{n}.ts" for n in range(LONG)]}

    for requests in steps:
        kill_when(host, entry, tmp_path, requests)
    fetched = fetch_from(host, entry, tmp_path, delivery="progressive")

    expected = b"".join(host.files[name] for name in names.get(entry, [entry]))
    assert sum_of(fetched) == hashlib.sha256(expected).hexdigest()


def test_a_kill_costs_little_more_than_what_was_under_way(host: Origin, tmp_path: Path) -> None:
    kill_when(host, "/index.m3u8", tmp_path, 40)

    fetch_from(host, "/index.m3u8", tmp_path)

    again = sum(count - 1 for path, count in host.asked.items() if path.startswith("/seg"))
    assert again <= 6  # four workers, and a little for the moment between the request and the kill


def test_a_power_cut_in_mid_film_costs_no_piece_that_was_whole_a_moment_before(host: Origin, tmp_path: Path) -> None:
    whole = 31  # fewer than are flushed for their number alone
    for index in range(whole, COUNT):
        host.faults[f"/seg{index}.ts"] = lambda answer, _number: answer.server.gate.wait(60) and False
    command = [sys.executable, "-m", "tests.support.fetch_child", host.address, "/index.m3u8", str(tmp_path)]
    child = subprocess.Popen(command, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    listed = tmp_path / "done.txt"
    try:
        settled = until(lambda: listed.exists() and len(listed.read_text("ascii").splitlines()) == whole)
    finally:
        child.kill()
        child.wait()
        host.gate.set()
    cut_the_power(tmp_path)
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert settled
    assert bytes_of(fetched.tracks[0]) == whole_film(host)
    assert set(host.asked) == {"/index.m3u8", *(f"/seg{index}.ts" for index in range(whole, COUNT))}


def test_pieces_are_flushed_together_when_the_first_of_them_has_waited_long_enough(tmp_path: Path) -> None:
    now_s = 100.0
    plan = Plan(
        tracks=(TrackPlan(role="muxed", segments=tuple(Segment(url=f"http://a/{n}") for n in range(9))),),
        duration_s=None,
    )
    folder = WorkFolder.opened(tmp_path, plan)
    folder.arrivals.clock = lambda: now_s
    on_the_list = []
    for at_s, index in ((100.0, 0), (101.9, 1), (102.0, 2), (103.9, 3), (104.0, 4), (104.1, 5), (106.1, 6)):
        now_s = at_s
        folder.keep(0, index, b"x")
        folder.settle(after_s=2.0, at_most=3)
        on_the_list.append(len((tmp_path / "done.txt").read_text("ascii").splitlines()))

    assert on_the_list == [0, 0, 3, 3, 3, 3, 6]


def test_ranges_of_a_file_that_are_not_flushed_yet_outlive_a_kill_and_not_a_power_cut(tmp_path: Path) -> None:
    ranges = tuple(Segment(url="http://a/film.mp4", offset=4 * number, length=4) for number in range(3))
    plan = Plan(tracks=(TrackPlan(role="muxed", segments=ranges, shape="file"),), duration_s=None)
    first = WorkFolder.opened(tmp_path, plan)
    first.keep(0, 0, b"aaaa")
    first.settle()
    first.keep(0, 2, b"cccc")

    after_a_kill = [WorkFolder.opened(tmp_path, plan).has(0, number) for number in range(3)]
    (tmp_path / "boot.txt").write_text("another time the machine ran", "ascii")
    after_a_power_cut = [WorkFolder.opened(tmp_path, plan).has(0, number) for number in range(3)]

    assert after_a_kill == [True, False, True]
    assert after_a_power_cut == [True, False, False]


def test_a_stop_keeps_what_is_finished(host: Origin, tmp_path: Path) -> None:
    stopping = threading.Event()

    def after_twenty(answer: origin.Answer, _number: int) -> bool:
        if sum(answer.server.asked.values()) > 20:
            stopping.set()
            answer.server.gate.wait(10)
        return False

    host.faults["*"] = after_twenty
    started = time.monotonic()
    with pytest.raises(Stopped):
        fetch_from(
            host, "/index.m3u8", tmp_path, should_stop=stopping.is_set,
            transport=transport_for(host, limits=Limits(stall_s=20, first_byte_s=20)),
        )  # fmt: skip
    took_s = time.monotonic() - started
    host.gate.set()
    host.faults.clear()
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert took_s < 5
    assert bytes_of(fetched.tracks[0]) == whole_film(host)
    assert sum(host.asked.values()) < COUNT - 10


def test_a_piece_that_is_not_on_the_list_is_checked_and_kept(host: Origin, tmp_path: Path) -> None:
    fetch_from(host, "/index.m3u8", tmp_path)
    (tmp_path / "done.txt").write_text("0 0 56400\n0 1 5640")
    (tmp_path / "t0" / "000005.seg").write_bytes(b"\0" * 56400)
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole_film(host)
    assert set(host.asked) == {"/index.m3u8", "/seg5.ts"}


def test_a_damaged_plan_starts_over(host: Origin, tmp_path: Path) -> None:
    fetch_from(host, "/index.m3u8", tmp_path)
    (tmp_path / "plan.json").write_text('{"version": 1, "tracks": [{"segm')

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == whole_film(host)


def silent(answer: origin.Answer, _number: int) -> bool:
    answer.server.gate.wait(10)
    return False


def stalls_in_the_body(answer: origin.Answer, _number: int) -> bool:
    answer.send_response(200)
    answer.send_header("Content-Length", "56400")
    answer.end_headers()
    answer.wfile.write(b"\x47")
    answer.server.gate.wait(10)
    answer.close_connection = True
    return True


def drips(answer: origin.Answer, _number: int) -> bool:
    answer.send_response(200)
    answer.send_header("Content-Length", "56400")
    answer.end_headers()
    while not answer.server.gate.wait(0.05):
        answer.wfile.write(b"\x47")
    return True


@pytest.mark.parametrize("fault", [silent, stalls_in_the_body, drips])
def test_a_host_that_stops_or_crawls_is_given_up(host: Origin, tmp_path: Path, fault: origin.Fault) -> None:
    limits = Limits(first_byte_s=0.2, stall_s=0.2, slow_after_s=0.4)
    transport = Transport(
        rules=EgressRules(allow_lan=frozenset({("127.0.0.1", host.port)})),
        user_agent="test",
        limits=limits,
        retry=transport_for(host).retry.__class__(attempts=2, first_s=0.01),
    )
    host.faults["/seg3.ts"] = fault

    with pytest.raises(SegmentUnreachable, match="Segment 4 of 60"):
        fetch_from(host, "/index.m3u8", tmp_path, transport=transport)


def test_a_full_disk_is_told_in_words() -> None:
    with pytest.raises(NoSpace), told_when_full():
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_listener_that_breaks_ends_the_fetch_and_does_not_hang_it(tmp_path: Path) -> None:
    def break_down(_job: Job) -> None:
        raise FileNotFoundError("the folder of the players is gone")

    def on_start(pieces: Pieces, _folder: WorkFolder) -> None:
        pieces.on_done = break_down

    with origin.origin() as server:
        server.put(media.hls_ts())
        offer = Offer(source="test", url=f"{server.address}/index.m3u8", delivery="hls")

        with pytest.raises(FileNotFoundError):
            fetch(
                offer,
                tmp_path,
                transport=transport_for(server),
                on_progress=lambda _progress: None,
                should_stop=lambda: False,
                on_start=on_start,
            )
