"""Processes that die: a hundred kills in a row, and a film that kills whoever works on it. All parts are real."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from bench import faults
from kinodom_downloader.domain.wishes import MAX_DEATHS, wish_id_of
from tests.support.works import catalogue_rows, children_of, request_for, until, works

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.origin import Answer

pytestmark = pytest.mark.slow


def test_a_hundred_kills_lose_double_and_half_show_nothing(tmp_path: Path) -> None:
    seed = random.randrange(10**6)

    tally = faults.run(tmp_path, kills=100, workers=3, every_s=0.3, seed=seed)

    assert tally.verdict == [], faults.told(tally)
    assert tally.workers_killed == 100
    assert tally.at_once > 1
    assert tally.redis_killed >= 3
    assert tally.looks > 1000
    assert tally.settled_s < faults.CALM_S


def test_when_one_film_at_a_time_is_allowed_three_workers_that_die_never_fetch_two(tmp_path: Path) -> None:
    seed = random.randrange(10**6)

    tally = faults.run(tmp_path, kills=5, workers=3, every_s=0.5, seed=seed, one_at_a_time=True)

    assert tally.verdict == [], faults.told(tally)
    assert tally.at_once == 1
    assert len(tally.asked) > 3


def test_a_film_that_kills_its_worker_each_time_is_refused_and_the_next_one_comes(tmp_path: Path) -> None:
    poison, good = wish_id_of(request_for(13)), wish_id_of(request_for(14))
    with works(tmp_path) as house:
        house.put_film(13)
        house.put_film(14)

        def kill(_answer: Answer, _number: int) -> bool:
            for worker in house.workers():
                for horse in children_of(worker):
                    os.kill(horse, signal.SIGKILL)
            return False

        house.host.faults["/film-13/index.m3u8"] = kill
        house.start_workers(1)
        house.client.wish(request_for(13))
        assert until(lambda: house.states().get(poison) == "refused"), house.states()
        house.client.wish(request_for(14))
        assert until(lambda: house.states().get(good) == "ready"), house.states()

        refused = house.client.one(poison)

    assert house.host.asked["/film-13/index.m3u8"] == MAX_DEATHS
    assert refused.reason_code == "crashes_the_worker"
    assert refused.reason is not None
    assert f"died {MAX_DEATHS} times" in refused.reason


def test_a_film_is_published_while_redis_is_away_and_what_was_asked_for_then_comes_later(tmp_path: Path) -> None:
    first, second = wish_id_of(request_for(1)), wish_id_of(request_for(2))
    asked = threading.Event()
    with works(tmp_path) as house:
        house.put_film(1)
        house.put_film(2)

        def hold(answer: Answer, _number: int) -> bool:
            asked.set()
            answer.server.gate.wait(60)
            return False

        house.host.faults["/film-1/seg1.ts"] = hold
        house.start_workers(1)
        house.client.wish(request_for(1))
        assert asked.wait(30)
        worker = house.workers()

        house.redis.stop()
        accepted = house.client.wish(request_for(2))
        house.host.gate.set()
        assert until(lambda: house.states()[first] == "ready"), (tmp_path / "workers.log").read_text()
        waits = house.states()[second]
        house.redis.start()

        assert until(lambda: house.states()[second] == "ready"), (tmp_path / "workers.log").read_text()
        assert (accepted.created, waits) == (True, "wanted")
        assert house.workers() == worker
        assert set(catalogue_rows(tmp_path)) == {first, second}
