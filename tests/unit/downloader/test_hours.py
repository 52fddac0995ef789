from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_downloader.adapters.patience import Brake, Limits, Watch
from kinodom_downloader.domain import working
from kinodom_downloader.domain.hours import ALWAYS, Hours, Pace
from tests.support import media, origin
from tests.support.fetching import fetch_from, transport_for
from tests.support.wish_world import WISH_ID, World

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("text", "hour", "closed_h"),
    [
        ("01:00-07:00", 1.0, 0), ("01:00-07:00", 6.99, 0), ("01:00-07:00", 7.0, 18), ("01:00-07:00", 0.5, 0.5),
        ("22:30-06:00", 23.0, 0), ("22:30-06:00", 3.0, 0), ("22:30-06:00", 12.0, 10.5), ("0:00-24:00", 15.0, 0),
    ],
)  # fmt: skip
def test_hours_are_closed_until_they_begin(text: str, hour: float, closed_h: float) -> None:
    hours = Hours.of(text)

    assert hours.closed_for_s(hour * HOUR_S, watched=False) == pytest.approx(closed_h * HOUR_S, abs=60)
    assert hours.closed_for_s(hour * HOUR_S, watched=True) == 0
    assert ALWAYS.closed_for_s(hour * HOUR_S, watched=False) == 0


@pytest.mark.parametrize("text", ["", "1-7", "07:00", "01:00-01:00", "24:00-01:00", "01:60-02:00", "01:00-25:00"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="01:00-07:00"):
        Hours.of(text)


def test_outside_its_hours_a_wish_waits_for_them_and_no_try_is_counted() -> None:
    world = World()
    world.tools = replace(world.tools, hours=Hours.of("01:00-07:00"), time_of_day_s=lambda _now_s: 20 * HOUR_S)

    wish = world.work()

    assert (wish.state, wish.reason_code, wish.waits, wish.token) == ("waiting", "outside_hours", 0, None)
    assert wish.next_try_at_s == world.now_s + 5 * HOUR_S
    assert world.fetch.asked == []


def test_a_download_that_runs_when_its_hours_end_is_handed_back_as_waiting() -> None:
    world = World()
    clock = iter([6.9 * HOUR_S, 7.1 * HOUR_S])
    world.tools = replace(world.tools, hours=Hours.of("01:00-07:00"), time_of_day_s=lambda _now_s: next(clock))

    wish = world.work()

    assert (wish.state, wish.reason_code, len(world.fetch.asked)) == ("waiting", "outside_hours", 1)


def test_what_somebody_watches_is_fetched_at_any_time() -> None:
    world = World()
    world.wishes.change(WISH_ID, lambda wish: replace(wish, viewed_at_s=world.now_s))
    tools = replace(world.tools, hours=Hours.of("01:00-07:00"), time_of_day_s=lambda _now_s: 20 * HOUR_S)

    working.fulfil(token="t", tools=tools)

    assert world.wishes.get(WISH_ID).state == "ready"


def test_a_limit_holds_over_all_bytes_that_come_with_a_little_at_once() -> None:
    pace = Pace(1_000_000)

    held = [pace.hold_s(250_000, now_s=100.0) for _ in range(4)]
    rested = pace.hold_s(250_000, now_s=200.0)

    assert held == pytest.approx([0.0, 0.25, 0.5, 0.75])
    assert rested == 0.0


def test_a_film_keeps_to_its_share_while_others_are_fetched() -> None:
    slept: list[float] = []
    brake = Brake(1000.0, sleep=slept.append)

    brake.share(4)
    held_s = brake.hold(1000, lambda: None)

    assert held_s == pytest.approx(4.0, abs=1.0)  # less what may come at once


def test_a_host_is_not_called_slow_because_we_hold_still() -> None:
    slept: list[float] = []
    brake = Brake(1000.0, sleep=slept.append)
    watch = Watch(
        limits=Limits(), check=lambda: None, on_bytes=lambda _count: None, clock=lambda: sum(slept), brake=brake
    )
    watch.begin()
    watch.body()

    watch.got(100_000)

    assert sum(slept) > 90
    assert watch.wait_s() > 0


def test_a_film_comes_whole_under_a_limit(tmp_path: Path) -> None:
    with origin.origin() as host:
        host.put(media.hls_ts())
        slept: list[float] = []
        brake = Brake(500_000, sleep=slept.append)

        fetched = fetch_from(host, "/index.m3u8", tmp_path, transport=replace(transport_for(host), brake=brake))

    assert fetched.total_bytes > 500_000
    assert sum(slept) > 0
