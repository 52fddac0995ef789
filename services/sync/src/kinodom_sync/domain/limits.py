"""How much one sender may send."""

from __future__ import annotations


class Bucket:
    """A token bucket: `burst` at once, `per_s` in the long run."""

    __slots__ = ("_at_s", "_burst", "_left", "_per_s")

    def __init__(self, *, per_s: float, burst: float, now_s: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s = now_s

    def take(self, now_s: float, cost: float = 1.0) -> bool:
        """Take `cost` out and say whether there was enough; nothing is taken when there was not."""
        self._left = min(self._burst, self._left + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < cost:
            return False
        self._left -= cost
        return True
