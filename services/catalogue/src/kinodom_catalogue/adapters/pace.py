"""How often a provider is asked, counted in the store: each job is a process of its own and remembers nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kinodom_catalogue.adapters.shelf import instant
from kinodom_catalogue.domain.ports import ProviderPaused
from kinodom_common.store import Document, Documents, change

LONGEST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many calls in so many seconds."""

    calls: int
    seconds: float


class Pace:
    """Lets calls to one provider through, no faster than its rules allow, and keeps its pauses."""

    def __init__(
        self,
        documents: Documents,
        name: str,
        limits: tuple[Limit, ...] = (),
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._documents = documents
        self._name = name
        self._limits = limits
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> None:
        """Return when one call may be made, and count it.

        Raises:
            ProviderPaused: that would take longer than a few seconds, or a pause is on.
        """
        wait_s = 0.0

        def step(document: Document) -> Document:
            nonlocal wait_s
            now_s = self._clock().timestamp()
            paused_until_s = float(document.get("paused_until_s", 0.0))
            longest_s = max((limit.seconds for limit in self._limits), default=0.0)
            calls = [at_s for at_s in document.get("calls_s", []) if at_s > now_s - longest_s]
            at_s = max(now_s, next_call_s(calls, now_s, self._limits))
            if paused_until_s > now_s or at_s - now_s > LONGEST_WAIT_S:
                until = datetime.fromtimestamp(max(paused_until_s, at_s), UTC)
                raise ProviderPaused(f"{self._name} is not asked before {instant(until)}.", until)
            wait_s = at_s - now_s
            return document | {"calls_s": [*calls, at_s]}

        change(self._documents, self._name, step, start={"_id": self._name})
        if wait_s > 0:
            self._sleep(wait_s)

    def pause(self, until: datetime, detail: str) -> ProviderPaused:
        """Note that nobody asks before an instant, and return the error that says so."""
        until_s = until.timestamp()
        change(self._documents, self._name, lambda found: found | {"paused_until_s": until_s}, start={})
        return ProviderPaused(detail, until)


def next_call_s(calls_s: list[float], now_s: float, limits: tuple[Limit, ...]) -> float:
    """Return the first instant from `now_s` on at which one more call keeps all limits."""
    at_s = now_s
    for limit in limits:
        if len(calls_s) >= limit.calls:
            at_s = max(at_s, sorted(calls_s)[-limit.calls] + limit.seconds)
    return at_s
