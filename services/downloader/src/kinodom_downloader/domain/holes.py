"""Pieces of a film that do not come: which may be left out, and which stretches of the film are missing then.

A film with a hole is shown with it, marked, or not at all. The source may say itself that a piece is missing; one that
should be there and is not is left out only when somebody has said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from kinodom_common.errors import KinodomError, Rejected, UpstreamFailed
from kinodom_downloader.domain.faults import (
    KeyBad,
    LinkExpired,
    SegmentBad,
    SegmentGap,
    SegmentMissing,
    SegmentUnreachable,
)
from kinodom_downloader.domain.live import Spot, starts_s

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kinodom_downloader.domain.plan import Plan

Leave = Literal["nothing", "gaps", "any"]
"""What may be left out: nothing, what the source itself says is missing, or whatever does not come.

With `nothing` the first piece that fails ends the fetch; with `gaps` the others come too, and all that fail are named.
"""
Stretch = tuple[float, float]  # from, to: seconds of the film

MAX_HOLES: Final = 20
MAX_SHARE: Final = 0.05  # of the film
OF_PIECES: Final = (SegmentBad, SegmentMissing, SegmentUnreachable, KeyBad, LinkExpired)  # of one each, not of all


class PartsMissing(UpstreamFailed):
    """Few pieces did not come from any source, so the film may be kept without them. Facts: `holes`."""

    code = "parts_missing"
    title = "Parts of the film did not come"

    def __init__(self, detail: str, stretches: tuple[Stretch, ...]) -> None:
        super().__init__(detail, holes=len(stretches))
        self.stretches = stretches


class TooManyHoles(Rejected):
    """So much of the film is missing that it is not worth keeping."""

    code = "too_many_holes"
    title = "Too much of it is missing"


class Missing:
    """The pieces of one plan that are left out so far. Raises SegmentGap when the source's own gaps are too many.

    Args:
        plan: of the film.
        gaps: what the source says is missing, and is not there from an earlier day.
        leave: what may be left out.
    """

    def __init__(self, plan: Plan, gaps: Collection[Spot], leave: Leave) -> None:
        self._plan, self._leave = plan, leave
        self._failures: dict[Spot, KinodomError] = {}
        self.spots: set[Spot] = set(gaps)
        if gaps and (leave == "nothing" or not self._fits(self.spots)):
            raise SegmentGap(f"The source itself says that parts of the film are missing: {self.words()}.")

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Which stretches of the film are missing."""
        return stretches(self._plan, self.spots)

    def words(self) -> str:
        """Return the first stretches as `1:02:54-1:03:00`, and that there are more."""
        return in_words(self.stretches)

    def add(self, spot: Spot, failure: KinodomError) -> KinodomError | None:
        """Leave a piece out that failed for good; return with what the fetch ends instead, when it may not be."""
        if self._leave == "nothing" or not isinstance(failure, OF_PIECES):
            return failure
        if not self._fits(self.spots | {spot}):
            first = next(iter(self._failures.values()), failure)
            if self._leave == "gaps" or isinstance(first, LinkExpired):
                return first
            return TooManyHoles(
                f"More is missing than the house keeps a film with ({MAX_HOLES} holes, {MAX_SHARE:.0%} of it): "
                f"{self.words()} and more. {first.detail}"
            )
        self._failures[spot] = failure
        self.spots.add(spot)
        return None

    def check(self) -> None:
        """Return when nothing is missing but what may be.

        Raises:
            PartsMissing: names all of it.
        """
        if self._leave == "gaps" and self._failures:
            first = next(iter(self._failures.values()))
            raise PartsMissing(f"Parts of the film did not come: {self.words()}. {first.detail}", self.stretches)

    def _fits(self, spots: Iterable[Spot]) -> bool:
        found = stretches(self._plan, spots)
        whole_s = self._plan.duration_s or 0.0
        return len(found) <= MAX_HOLES and sum(to_s - from_s for from_s, to_s in found) <= MAX_SHARE * whole_s


def stretches(plan: Plan, spots: Iterable[Spot]) -> tuple[Stretch, ...]:
    """Return the stretches of a film that these pieces of all its tracks cover, as the source states its times."""
    starts = starts_s(plan)
    found: list[Stretch] = []
    covered = sorted(
        (starts[spot.track][spot.index], plan.tracks[spot.track].segments[spot.index].duration_s) for spot in spots
    )
    for from_s, length_s in covered:
        to_s = round(from_s + length_s, 3)
        if found and from_s <= found[-1][1] + 0.01:
            found[-1] = (found[-1][0], max(found[-1][1], to_s))
        else:
            found.append((round(from_s, 3), to_s))
    return tuple(found)


def in_words(found: Collection[Stretch], most: int = 5) -> str:
    """Return the first stretches as `1:02:54-1:03:00`, and that there are more."""
    told = [f"{_clock(from_s)}-{_clock(to_s)}" for from_s, to_s in list(found)[:most]]
    return ", ".join([*told, "..."] if len(found) > most else told)


def _clock(at_s: float) -> str:
    minutes, seconds = divmod(round(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
