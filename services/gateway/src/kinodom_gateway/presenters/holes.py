"""What is missing of a film, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext
from kinodom_gateway.presenters import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.videos import Hole
    from kinodom_common.contracts.wishes import Wish

NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A download that has all but a little of its film, and can be kept so."""

    wish_id: str
    name: str
    told: str  # which minutes are missing
    press: str  # what the button says


def lacking(wish: Wish, name: str) -> Lacking | None:
    """Return what can be offered of a wish that stopped; None when it does not lack just a little."""
    if not wish.missing:
        return None
    count = len(wish.missing)
    press = (
        _("Keep it with the hole")
        if count == 1
        else ngettext("Keep it with %(num)d hole", "Keep it with %(num)d holes", count)
    )
    return Lacking(wish_id=wish.wish_id, name=name, told=told(wish.missing), press=press)


def told(holes: Sequence[Hole]) -> str:
    """Return which minutes are missing as a sentence; empty when none are."""
    if not holes:
        return ""
    where = ", ".join(_stretch(hole) for hole in holes[:NAMED])
    if len(holes) > NAMED:
        more = ngettext("%(num)d more", "%(num)d more", len(holes) - NAMED)
        return _("Missing: %(where)s and %(more)s.", where=where, more=more)
    return _("Missing: %(where)s.", where=where)


def _stretch(hole: Hole) -> str:
    text = f"{words.clock(hole.from_s)}–{words.clock(hole.to_s)}"
    return {
        "picture": _("%(time)s (only the picture)", time=text),
        "sound": _("%(time)s (only the sound)", time=text),
    }.get(hole.lacks, text)
