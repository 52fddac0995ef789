"""A clock for the fetch engine that stands still while anybody works, and leaps when all wait for a later moment."""

from __future__ import annotations

import threading


class Leaps:
    """Now, and a way to wait on a condition.

    Args:
        crew: how many threads wait when all do.
    """

    def __init__(self, crew: int) -> None:
        self.now_s = 1000.0
        self._crew = crew
        self._waiting = 0
        self._round = 0

    def clock(self) -> float:
        """Return this moment."""
        return self.now_s

    def wait(self, condition: threading.Condition, wait_s: float | None) -> None:
        """Wait until somebody tells of a change, or leap; the caller holds the condition's lock."""
        mine = self._round
        self._waiting += 1
        if self._waiting == self._crew and wait_s is not None:
            self.now_s += wait_s
            self._round, self._waiting = mine + 1, 0
            condition.notify_all()
            return
        condition.wait(10)
        if self._round == mine:
            self._waiting -= 1
