"""Wishes for films of which little is missing: what it is, and the word of somebody that the film is kept so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kinodom_common.errors import Conflict
from kinodom_downloader.domain import wishes as rules

if TYPE_CHECKING:
    from kinodom_downloader.domain.holes import Stretch
    from kinodom_downloader.domain.wishes import StoredWish


class NothingMissing(Conflict):
    """There is nothing that could be left out of this film, or it is on its way."""

    code = "nothing_missing"
    title = "There is no hole to keep it with"


def noted(wish: StoredWish, missing: tuple[Stretch, ...]) -> StoredWish:
    """Return a wish that has just stopped, with what alone it lacks; nothing: that is not why."""
    return replace(wish, missing=missing)


def may_be_kept(wish: StoredWish) -> bool:
    """Tell whether somebody can say that the film is kept without what is missing."""
    return wish.state in ("waiting", "refused") and bool(wish.missing)


def kept_so(wish: StoredWish, *, now_s: float) -> StoredWish:
    """Return the wish to be fulfilled without what does not come, and tried at once.

    Raises:
        NothingMissing: it is not known to lack just that.
    """
    if not may_be_kept(wish):
        raise NothingMissing("Nothing is known to be missing of this film, or it is being fetched just now.")
    return rules.asked_again(replace(wish, with_holes=True), now_s=now_s)
