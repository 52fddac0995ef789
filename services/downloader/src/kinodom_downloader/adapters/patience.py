"""How long a media host may take, and how slow it may be."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.egress import OutsideTimeout

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a host may take and how slow it may be."""

    connect_s: float = 5.0
    first_byte_s: float = 15.0
    stall_s: float = 20.0
    slowest_bytes_s: float = 10_000.0
    slow_after_s: float = 30.0
    still_s: float = 10.0  # longest wait, three times, for a list without an end to change


@dataclass(slots=True)
class Watch:
    """The patience of one worker: limits of one answer, and whether anybody still wants it."""

    limits: Limits
    check: Callable[[], None]  # raises when the work is to stop
    on_bytes: Callable[[int], None]
    clock: Callable[[], float] = time.monotonic
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
        self._last_s = self.clock()
        self.on_bytes(count)
