"""Spoilt playlists and manifests, 14,000: a plan within bounds or an error in words, soon; nobody else is called."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.worker_thread import Retry
from kinodom_downloader.domain.mpd import parse_mpd
from kinodom_downloader.domain.plan import MAX_SEGMENTS, Segment
from kinodom_downloader.domain.playlists import Media, parse_playlist
from tests.support import media, origin
from tests.support.calls import connections, leads_home
from tests.support.fetching import fetch_from, transport_for
from tests.support.mutated_lists import LISTS, mutated
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

BASE = "https://cdn.example/film/list"
SOON_S = 5.0
EACH_READ = 2000  # of five kinds of list
EACH_FETCHED = 800


class NotSoon(BaseException):
    """A list kept us busy for longer than any may."""


@contextmanager
def soon(text: str) -> Iterator[None]:
    """End a block that takes longer than a list may take, wherever it is; the limit of the whole test goes on."""

    def ring(*_: object) -> None:
        raise NotSoon(text)

    before, began_s = signal.signal(signal.SIGALRM, ring), time.monotonic()
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, SOON_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(0.01, left_s - time.monotonic() + began_s) if left_s else 0.0)
        signal.signal(signal.SIGALRM, before)


def listed(text: str) -> tuple[Segment, ...]:
    """Return all segments that a list leads to, as the planner would read it."""
    if "<MPD" in text[:20_000]:
        return tuple(segment for track in parse_mpd(text, BASE, None).tracks for segment in track.segments)
    found = parse_playlist(text, BASE)
    if isinstance(found, Media):
        return found.segments
    urls = [item.url for item in (*found.variants, *found.renditions) if item.url is not None]
    return tuple(Segment(url=url) for url in urls)


def put_films(host: Origin) -> dict[str, str]:
    """Serve media to which the lists lead, and return the lists with the ranges of these."""
    host.put(media.hls_ts())
    host.put(media.hls_fmp4(), at="/fmp4")
    dash = {path.name: path.read_bytes() for path in media.dash_template().iterdir()}
    host.files |= {f"/dash/{name.replace('stream', '')}": body for name, body in dash.items()}
    sound = [dash[f"{name}.m4s"] for name in ("init-stream1", "chunk-stream1-00001", "chunk-stream1-00002")]
    picture = [host.files[f"/fmp4/{name}"] for name in ("init.mp4", "seg0.m4s", "seg1.m4s")]
    host.files |= {
        "/key.bin": media.KEY,
        "/film.mp4": b"".join(picture),
        "/dash/i.mp4": sound[0],
        "/dash/a.mp4": b"".join(sound),
        "/dash/ru.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n",
    }
    first, second, end = (sum(map(len, sound[: n + 1])) for n in range(3))
    ranges = LISTS["ranges"].replace("720", str(len(picture[0])))
    ranges = ranges.replace("100000", str(len(picture[1]))).replace("120000", str(len(picture[2])))
    manifest = (
        LISTS["mpd"]
        .replace("0-700", f"0-{first - 1}")
        .replace("701-9000", f"{first}-{second - 1}")
        .replace("9001-20000", f"{second}-{end - 1}")
    )
    fitted = LISTS | {"ranges": ranges, "mpd": manifest}
    host.files |= {f"/{name}.m3u8": text.encode() for name, text in fitted.items()}
    return fitted


@pytest.mark.parametrize("name", LISTS)
def test_a_spoilt_list_is_a_plan_within_bounds_or_an_error_in_words(name: str) -> None:
    chance = random.Random(f"{name} 1")
    plans, words = 0, []
    for _ in range(EACH_READ):
        text = mutated(LISTS[name], chance)
        try:
            with soon(text):
                segments = listed(text)
        except KinodomError as exc:
            words.append(exc.detail)
            continue
        plans += 1
        assert 0 < len(segments) <= MAX_SEGMENTS + 1
        assert all(one.url.startswith(("http://", "https://")) or (one.gap and not one.url) for one in segments), text
        assert all(0 <= segment.duration_s < float("inf") for segment in segments), text
    assert all(told.endswith(".") for told in words)
    assert plans > 100  # most mishaps still leave something to read


@pytest.mark.parametrize("name", LISTS)
def test_a_spoilt_list_never_makes_the_engine_break_hang_or_call_anybody_else(name: str, tmp_path: Path) -> None:
    chance = random.Random(f"{name} engine")
    verdicts: dict[str, str] = {}  # by code, the words of one
    with origin.origin() as host, connections() as called:
        lists = put_films(host)
        quick = replace(transport_for(host), retry=Retry(attempts=1, firm_attempts=1, first_s=0.0))
        quick = replace(quick, rules=replace(quick.rules, resolve=leads_home))
        near = (
            *("//127.0.0.1:9000/x", "http://[::1]:9000/x", "http://2130706433:9000/x", "http://0x7f.1:9000/x"),
            *("http://localhost:9000/x", "http://[::ffff:7f00:1]/x", "//router/x", "https://a.example/x"),
        )
        for number in range(EACH_FETCHED):
            text = mutated(lists[name], chance, odd=near)
            host.files["/list"] = text.encode("utf-8", "surrogatepass")
            try:
                with soon(text):
                    fetch_from(host, "/list", tmp_path / str(number), transport=quick)
                verdicts["fetched"] = "Fetched."
            except KinodomError as exc:
                verdicts[exc.code] = exc.detail
            shutil.rmtree(tmp_path / str(number), ignore_errors=True)

    assert set(called) == {("127.0.0.1", host.port)}
    assert {code: words for code, words in verdicts.items() if not words.endswith(".")} == {}
    assert {"fetched", "address_refused"} <= set(verdicts)
