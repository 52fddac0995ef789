"""Which episodes of a dub somebody means: by number, by range, by season, or all. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kinodom_common.errors import NotFound, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_common.contracts.titles import EpisodeRef, Translation

Place = tuple[int | None, int | None]  # season, episode

RANGES = r"^\s*\d{1,5}(\s*[-–]\s*\d{1,5})?(\s*,\s*\d{1,5}(\s*[-–]\s*\d{1,5})?)*\s*$"  # people type both dashes
DASH = re.compile("[-–]")  # as above
WIDEST = 2000  # numbers that one list of ranges may name
NAMED = 20  # of the missing ones that are listed


class NoSuchTranslation(NotFound):
    """The title has no such dub, or the dub has no such episode."""

    code = "no_such_translation"
    title = "Not in this dub"


class BadRange(Rejected):
    """A range of episodes that runs backwards or names too many."""

    code = "bad_range"
    title = "That is no range of episodes"


class SeasonNeeded(Rejected):
    """The dub has several seasons, and only numbers of episodes were given."""

    code = "season_needed"
    title = "Of which season?"


def numbers_of(ranges: str) -> list[int]:
    """Return the numbers that `3-12`, `0` or `1-3,7` name, each once, in order; raises BadRange."""
    found: set[int] = set()
    for part in ranges.split(","):
        ends = [int(end) for end in DASH.split(part)]
        first, last = ends[0], ends[-1]
        if last < first or len(found) + last - first >= WIDEST:
            raise BadRange(
                f"“{part.strip()}” is no range of episodes. Write the first and the last one, such as 3-12, "
                f"and not more than {WIDEST} in all."
            )
        found.update(range(first, last + 1))
    return sorted(found)


def places_of(translation: Translation, ranges: str | None, season: int | None) -> list[Place]:
    """Return the places that these numbers, this season, or both mean; those that the dub has not are among them.

    Raises:
        BadRange: the numbers make no sense.
        SeasonNeeded: numbers alone are ambiguous.
        NoSuchTranslation: the dub has nothing of this season.
    """
    seasons = sorted({one.season for one in translation.episodes}, key=lambda number: -1 if number is None else number)
    if season is not None and season not in seasons:
        raise NoSuchTranslation(f"“{translation.name}” has not made season {season}. Another dub may have it.")
    if ranges is None:
        return in_order(one for one in translation.episodes if season is None or one.season == season)
    if season is None and len(seasons) > 1:
        raise SeasonNeeded(
            f"“{translation.name}” has {len(seasons)} seasons, and each counts from its own first episode. Say which."
        )
    where = season if season is not None else next(iter(seasons), None)
    return [(where, number) for number in numbers_of(ranges)]


def in_order(episodes: Iterable[EpisodeRef]) -> list[Place]:
    """Return the places of episodes in the order in which they are watched."""
    places = {(one.season, one.episode) for one in episodes}
    return sorted(places, key=lambda place: tuple(-1 if number is None else number for number in place))


def missing_words(translation: Translation, missing: Iterable[Place]) -> str:
    """Return the sentence that names the episodes a dub has not."""
    numbers = [str(episode) for _season, episode in missing if episode is not None]
    shown = ", ".join(numbers[:NAMED]) + (f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else "")
    if not numbers:
        return f"“{translation.name}” has not made this. Another dub may have it."
    word, them = ("episode", "it") if len(numbers) == 1 else ("episodes", "them")
    return f"“{translation.name}” has not made {word} {shown}. Another dub may have {them}."
