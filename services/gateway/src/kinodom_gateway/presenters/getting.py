"""What the buttons of the title page get: all that can be had, a season, or episodes by their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_gateway.i18n import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_gateway.presenters.titles import Pane


@dataclass(frozen=True, slots=True, kw_only=True)
class Getting:
    """The buttons."""

    label: str  # of the one that gets all
    seasons: tuple[int, ...]  # to choose from; empty: there is only one
    example: str  # of numbers, as they are typed


def getting(panes: Sequence[Pane]) -> Getting:
    """Return the buttons for the episodes of one dub that can be had."""
    wanted = [pane.place for pane in panes if pane.state == "get"]
    seasons = sorted({season for season, _episode in wanted if season is not None})
    numbers = [episode for _season, episode in wanted if episode is not None]
    return Getting(
        label=_label(numbers, one_season=len({season for season, _episode in wanted}) == 1),
        seasons=tuple(seasons) if len(seasons) > 1 else (),
        example=f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else "1-3, 7",
    )


def _label(numbers: Sequence[int], *, one_season: bool) -> str:
    if not numbers:
        return _("Download")
    if len(numbers) > 1 and one_season and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return _("Get %(first)d to %(last)d", first=numbers[0], last=numbers[-1])
    return _("Get episode %(number)d", number=numbers[0]) if len(numbers) == 1 else _("Download all")
