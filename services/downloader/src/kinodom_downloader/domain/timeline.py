"""Where the tracks of a video begin relative to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# MPEG-TS clocks have 33 bits of 1/90000 s and start again (ISO/IEC 13818-1).
_CLOCK_ROUND_S = 2**33 / 90_000
# Tracks of one video that start further apart than this have no common clock: they are taken to start together.
_APART_S = 60.0


def places_s(starts_s: Sequence[float]) -> tuple[float, ...]:
    """Return where each track begins on the video's own timeline, on which the earliest begins at 0.

    Args:
        starts_s: first frame of each track on the source's clock, which may have gone round between two of them.
    """
    if not starts_s:
        return ()
    first_s = starts_s[0]
    offsets = []
    for start_s in starts_s:
        offset_s = (start_s - first_s + _CLOCK_ROUND_S / 2) % _CLOCK_ROUND_S - _CLOCK_ROUND_S / 2
        offsets.append(offset_s if abs(offset_s) <= _APART_S else 0.0)
    return tuple(offset_s - min(offsets) for offset_s in offsets)
