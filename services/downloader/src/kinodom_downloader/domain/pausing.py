"""Wishes that somebody stops for a while. Pure: every function takes a wish and the time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kinodom_common.errors import Conflict
from kinodom_downloader.domain.wishes import asked_again, check_stoppable

if TYPE_CHECKING:
    from kinodom_downloader.domain.wishes import StoredWish


class NothingToPause(Conflict):
    """The wish has come to its end already."""

    code = "nothing_to_pause"
    title = "There is nothing to pause"


def paused(wish: StoredWish, *, now_s: float) -> StoredWish:
    """Return the wish stopped until somebody resumes it. Its worker has lost the lease and can publish nothing.

    Raises:
        WishBusy: it is being put on the shelf, and too late to stop.
        NothingToPause: it is ready or refused.
    """
    if wish.state == "paused":
        return wish
    if wish.state in ("ready", "refused"):
        raise NothingToPause("This download has ended already, so there is nothing to pause.")
    check_stoppable(wish, now_s=now_s)
    return replace(
        wish, state="paused", token=None, lease_until_s=0.0, reason=None, reason_code=None, changed_at_s=now_s
    )


def resumed(wish: StoredWish, *, now_s: float) -> StoredWish:
    """Return a paused wish wanted again; any other stays as it is."""
    return asked_again(wish, now_s=now_s) if wish.state == "paused" else wish
