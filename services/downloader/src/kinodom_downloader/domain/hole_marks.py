"""The holes of a packaged film, from those of its tracks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from kinodom_common.contracts.videos import Hole

if TYPE_CHECKING:
    from collections.abc import Sequence

_SLIVER_S: Final = 0.25  # by so much the pieces of picture and sound may end apart


def holes_of(tracks: Sequence[tuple[Literal["video", "audio"], Sequence[tuple[float, float]]]]) -> tuple[Hole, ...]:
    """Return the holes of a film in their order, each with what it lacks.

    Args:
        tracks: kind and what is missing of each, seconds of the film.
    """
    missing = {kind: [each for one, holes in tracks if one == kind for each in holes] for kind, _holes in tracks}
    borders = sorted({max(0.0, at_s) for holes in missing.values() for hole in holes for at_s in hole})
    found: list[Hole] = []
    for from_s, to_s in pairwise(borders):
        lacking = [kind for kind, holes in missing.items() if any(a <= from_s and to_s <= b for a, b in holes)]
        if not lacking:
            continue
        sole: Literal["picture", "sound"] = "picture" if lacking == ["video"] else "sound"
        lacks: Literal["all", "picture", "sound"] = "all" if len(lacking) == len(missing) else sole
        touches = bool(found) and from_s - found[-1].to_s < _SLIVER_S
        if touches and found[-1].lacks == lacks:
            found[-1] = Hole(from_s=found[-1].from_s, to_s=to_s, lacks=lacks)
        elif touches and to_s - from_s < _SLIVER_S:
            found[-1] = Hole(from_s=found[-1].from_s, to_s=to_s, lacks=found[-1].lacks)
        elif touches and found[-1].to_s - found[-1].from_s < _SLIVER_S:
            found[-1] = Hole(from_s=found[-1].from_s, to_s=to_s, lacks=lacks)
        else:
            found.append(Hole(from_s=from_s, to_s=to_s, lacks=lacks))
    return tuple(
        Hole(from_s=round(hole.from_s, 3), to_s=round(hole.to_s, 3), lacks=hole.lacks)
        for hole in found
        if hole.to_s - hole.from_s > 0.001
    )
