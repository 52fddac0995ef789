from __future__ import annotations

import pytest

from kinodom_house.restarts import restart_delay_s


def test_the_first_death_is_followed_by_a_short_wait() -> None:
    assert restart_delay_s([100.0], 100.0) == pytest.approx(0.2)


def test_waits_grow_with_deaths_in_the_same_minute() -> None:
    waits = [restart_delay_s([100.0 + n for n in range(count)], 104.0) for count in range(1, 5)]

    assert waits == [0.2, 0.5, 1.0, 2.0]


def test_the_fifth_death_in_a_minute_is_the_end() -> None:
    assert restart_delay_s([100.0, 110.0, 120.0, 130.0, 159.9], 159.9) is None


def test_deaths_older_than_a_minute_are_forgiven() -> None:
    assert restart_delay_s([100.0, 110.0, 120.0, 130.0, 160.0], 160.0) == pytest.approx(2.0)
