"""Films that somebody watches while they come. Pure: every function takes a wish and the time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinodom_common.contracts.wishes import WishRequest
    from kinodom_downloader.domain.wishes import StoredWish

WATCHED_S = 90.0  # a page that plays says so each half minute
HOPEFUL_WAITS = 2  # so often in a row a source may fail before a viewer is told
LEAVE_S = 600.0  # the pieces of a published film stay so long behind its last viewer


def is_watched(wish: StoredWish, *, now_s: float) -> bool:
    """Tell whether somebody watches it now."""
    return now_s - wish.viewed_at_s < WATCHED_S


def is_left(wish: StoredWish, *, now_s: float) -> bool:
    """Tell whether nobody can be playing its pieces any more."""
    return now_s - wish.viewed_at_s >= LEAVE_S


def viewed(wish: StoredWish, *, now_s: float) -> StoredWish:
    """Return the wish with somebody watching it; what waits for a source tries again at once, the first few times."""
    seen = replace(wish, viewed_at_s=max(wish.viewed_at_s, now_s))
    hopeful = wish.state == "waiting" and wish.waits <= HOPEFUL_WAITS and wish.reason_code != "no_space"
    return replace(seen, next_try_at_s=min(now_s, wish.next_try_at_s)) if hopeful else seen


def asked(wish: StoredWish, request: WishRequest, *, now_s: float) -> StoredWish:
    """Return the wish after somebody asked for its content once more, to watch it or to keep it."""
    return viewed(wish, now_s=now_s) if request.watch else kept(wish)


def kept(wish: StoredWish) -> StoredWish:
    """Return the wish as one that stays on the disk."""
    return replace(wish, keep=True)
