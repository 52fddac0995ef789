"""Room time on this replica: the clock of Redis, carried on by the local monotonic one between looks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOKS = 7  # per refresh; the quickest round trip has the smallest error, half of itself


class RoomClock:
    """Tells room time without asking anybody.

    Args:
        redis_ms: asks Redis for its time, ms.
        monotonic_s: the local clock.
    """

    def __init__(self, redis_ms: Callable[[], float], monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._redis_ms = redis_ms
        self._monotonic_s = monotonic_s
        self._offset_ms = time.time() * 1000 - monotonic_s() * 1000  # until the first look: a guess of the same kind
        self.error_ms: float | None = None  # bound of the error; None: Redis has not been asked yet

    def now_ms(self) -> float:
        """Return room time, float ms."""
        return self._monotonic_s() * 1000 + self._offset_ms

    def refresh(self) -> None:
        """Look at the clock of Redis a few times and keep what the quickest look said."""
        looks = [self._look() for _ in range(LOOKS)]
        round_trip_ms, self._offset_ms = min(looks)
        self.error_ms = round_trip_ms / 2

    def _look(self) -> tuple[float, float]:
        sent_ms = self._monotonic_s() * 1000
        there_ms = self._redis_ms()
        back_ms = self._monotonic_s() * 1000
        return back_ms - sent_ms, there_ms - (sent_ms + back_ms) / 2
