"""The thread that keeps a lease alive and notices when it is gone."""

from __future__ import annotations

import threading

from kinodom_downloader.adapters.heartbeat import ThreadHeartbeat
from kinodom_downloader.domain.wishes import LeaseLost, NoSuchWish

PATIENCE_S = 10.0


def test_it_looks_between_the_beats_and_tells_that_the_wish_is_gone() -> None:
    beats: list[None] = []
    looked = threading.Event()

    def look() -> None:
        looked.set()
        raise NoSuchWish("gone")

    with ThreadHeartbeat(lambda: beats.append(None), look, every_s=60.0, look_s=0.01) as heartbeat:
        assert looked.wait(PATIENCE_S)

    assert (heartbeat.lost, beats) == (True, [])


def test_a_beat_that_finds_the_lease_gone_ends_the_beating() -> None:
    beaten = threading.Event()

    def beat() -> None:
        beaten.set()
        raise LeaseLost("another")

    with ThreadHeartbeat(beat, lambda: None, every_s=0.01, look_s=1.0) as heartbeat:
        assert beaten.wait(PATIENCE_S)

    assert heartbeat.lost
