"""The rule for a process that died: start it again after a short wait, or give the house up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW_S = 60.0
DEATHS_TO_GIVE_UP = 5
_DELAYS_S = (0.2, 0.5, 1.0, 2.0)  # before the second, third, … start inside one window


def restart_delay_s(deaths_s: Sequence[float], now_s: float) -> float | None:
    """Return how long to wait before the next start, or None when the process has died too often.

    Args:
        deaths_s: moments at which it died, the newest last and included.
        now_s: the moment of the question, on the same clock.
    """
    recent = [death for death in deaths_s if now_s - death < WINDOW_S]
    if len(recent) >= DEATHS_TO_GIVE_UP:
        return None
    return _DELAYS_S[min(max(len(recent), 1), len(_DELAYS_S)) - 1]
