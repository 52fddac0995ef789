"""Ten thousand spoilt playlists and manifests: a plan within bounds or an error in words, and nobody else is called."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.worker_thread import Retry
from kinodom_downloader.domain.mpd import parse_mpd
from kinodom_downloader.domain.plan import MAX_SEGMENTS, Segment
from kinodom_downloader.domain.playlists import Media, parse_playlist
from tests.support import media, origin
from tests.support.fetching import fetch_from, transport_for
from tests.support.mutated_lists import LISTS, mutated

pytestmark = pytest.mark.slow

BASE = "https://cdn.example/film/list"


def listed(text: str) -> tuple[Segment, ...]:
    """Return all segments that a list leads to, as the planner would read it."""
    if "<MPD" in text[:20_000]:
        return tuple(segment for track in parse_mpd(text, BASE, None).tracks for segment in track.segments)
    found = parse_playlist(text, BASE)
    if isinstance(found, Media):
        return found.segments
    urls = [item.url for item in (*found.variants, *found.renditions) if item.url is not None]
    return tuple(Segment(url=url) for url in urls)


@pytest.mark.parametrize("name", LISTS)
def test_a_spoilt_list_is_a_plan_within_bounds_or_an_error_in_words(name: str) -> None:
    chance = random.Random(f"{name} 1")
    plans, words = 0, []
    for _ in range(2000):
        text = mutated(LISTS[name], chance)
        try:
            segments = listed(text)
        except KinodomError as exc:
            words.append(exc.detail)
            continue
        plans += 1
        assert 0 < len(segments) <= MAX_SEGMENTS + 1
        assert all(segment.url.startswith(("http://", "https://")) for segment in segments), text
        assert all(0 <= segment.duration_s < float("inf") for segment in segments), text
    assert all(told.endswith(".") for told in words)
    assert plans > 100  # most mishaps still leave something to read


def test_a_spoilt_list_never_makes_the_engine_break_or_call_anybody_else(tmp_path: Path) -> None:
    chance = random.Random("engine 1")
    with origin.origin() as host, origin.origin() as stranger:
        host.put(media.hls_ts())
        host.put(media.dash_template(), at="/dash")
        host.files["/key.bin"] = media.KEY
        quick = replace(transport_for(host), retry=Retry(attempts=1, firm_attempts=1, first_s=0.0))
        elsewhere = (
            *(f"{stranger.address}/seg0.ts", f"//127.0.0.1:{stranger.port}/x", f"http://[::1]:{stranger.port}/x"),
            *(f"http://2130706433:{stranger.port}/x", f"http://0x7f.1:{stranger.port}/x", "http://localhost:1/x"),
        )
        verdicts: set[str] = set()
        for number in range(200):
            name = chance.choice(list(LISTS))
            host.files |= {f"/{other}.m3u8": text.encode() for other, text in LISTS.items()}
            host.files["/list"] = mutated(LISTS[name], chance, odd=elsewhere).encode("utf-8", "surrogatepass")
            try:
                fetch_from(host, "/list", tmp_path / str(number), transport=quick)
                verdicts.add("fetched")
            except KinodomError as exc:
                verdicts.add(exc.code if exc.detail else "said nothing")

    assert stranger.asked == {}
    assert "said nothing" not in verdicts
    assert {"fetched", "address_refused", "playlist_bad"} <= verdicts
