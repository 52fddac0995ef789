"""How long a media host may take, and how slow it may be."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_common.egress import OutsideTimeout
from kinodom_downloader.domain.hours import Pace

if TYPE_CHECKING:
    from collections.abc import Callable


_SLICE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a host may take and how slow it may be."""

    connect_s: float = 5.0
    first_byte_s: float = 15.0
    stall_s: float = 20.0
    slowest_bytes_s: float = 10_000.0
    slow_after_s: float = 30.0
    still_s: float = 10.0  # longest wait, three times, for a list without an end to change


class Brake:
    """The speed limit of one film that is fetched, over all of its connections: its share of the house's line."""

    def __init__(self, bytes_s: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._whole_bytes_s = bytes_s
        self._pace = Pace(bytes_s)
        self._lock = threading.Lock()
        self._sleep = sleep

    def share(self, films: int) -> None:
        """Keep to one part of so many from now on."""
        with self._lock:
            self._pace.bytes_s = self._whole_bytes_s / max(1, films)

    def hold(self, count: int, check: Callable[[], None]) -> float:
        """Take note of bytes and hold still as long as it takes; return how long that was.

        Args:
            check: raises when the work is to stop.
        """
        with self._lock:
            whole_s = left_s = self._pace.hold_s(count, now_s=time.monotonic())
        while left_s > 0:
            check()
            self._sleep(min(left_s, _SLICE_S))
            left_s -= _SLICE_S
        return whole_s


@dataclass(slots=True)
class Watch:
    """The patience of one worker: limits of one answer, and whether anybody still wants it."""

    limits: Limits
    check: Callable[[], None]  # raises when the work is to stop
    on_bytes: Callable[[int], None]
    clock: Callable[[], float] = time.monotonic
    brake: Brake | None = None  # the speed limit; None: there is none
    _since_s: float = 0.0
    _last_s: float = 0.0
    _bytes: int = 0
    _head: bool = False

    def begin(self) -> None:
        """Start the clocks of one answer."""
        self._since_s = self._last_s = self.clock()
        self._bytes, self._head = 0, True

    def body(self) -> None:
        """The head is whole; from here on the rate counts."""
        self._head = False

    def wait_s(self) -> float:
        """Return how long the present wait may still take.

        Raises:
            OutsideTimeout: the head took too long, nothing comes, or too little.
        """
        self.check()
        now_s = self.clock()
        spent_s = now_s - self._since_s
        if self._head:
            if spent_s >= self.limits.first_byte_s:
                raise OutsideTimeout("the host took too long to answer")
            return self.limits.first_byte_s - spent_s
        if spent_s > self.limits.slow_after_s and self._bytes < spent_s * self.limits.slowest_bytes_s:
            raise OutsideTimeout("the host sends too slowly")
        if now_s - self._last_s >= self.limits.stall_s:
            raise OutsideTimeout("the host stopped sending")
        return self.limits.stall_s - (now_s - self._last_s)

    def got(self, count: int) -> None:
        """Count bytes that came."""
        self._bytes += count
        self.on_bytes(count)
        if self.brake is not None:
            held_s = self.brake.hold(count, self.check)
            self._since_s += held_s  # the host is not slow: we are
        self._last_s = self.clock()
