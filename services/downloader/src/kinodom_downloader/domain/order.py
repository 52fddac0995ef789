"""Whose turn it is. Pure: every function takes the unfinished wishes, in any order, and the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import Conflict
from kinodom_downloader.domain.watching import is_watched
from kinodom_downloader.domain.wishes import is_due, is_held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_downloader.domain.wishes import StoredWish

STEP = 1.0  # between neighbours that have no room between them


class NotInQueue(Conflict):
    """The wish is not in the queue, so it has no place in it."""

    code = "not_in_queue"
    title = "Not in the queue"


def place(wish: StoredWish) -> tuple[float, float, str]:
    """Return what the queue is sorted by: the lowest comes first."""
    return wish.position, wish.asked_at_s, wish.wish_id


def held_now(wishes: Iterable[StoredWish], *, now_s: float) -> int:
    """Return how many of these a live worker holds, whichever worker it is. What is watched waits for no place."""
    return sum(is_held(wish, now_s=now_s) and not is_watched(wish, now_s=now_s) for wish in wishes)


def due_now(wishes: Iterable[StoredWish], *, now_s: float) -> list[StoredWish]:
    """Return those that a worker should take now, the best place first."""
    return sorted((wish for wish in wishes if is_due(wish, now_s=now_s)), key=place)


def moved(wishes: Iterable[StoredWish], wish_id: str, before: str | None, *, now_s: float) -> dict[str, float]:
    """Return the new positions, by wish, that put a wish before another; None: behind all.

    Mostly only the moved wish gets a new one. Where its new neighbours have no number between them, all are spaced
    out anew, below `now_s`, so that what is asked for later still comes last.

    Raises:
        NotInQueue: one of the two is not among these wishes.
    """
    queue = sorted(wishes, key=place)
    ids = {wish.wish_id for wish in queue}
    if wish_id not in ids or (before is not None and before not in ids):
        raise NotInQueue("This download is not in the queue any more. Open the list again to see how it stands.")
    if before == wish_id:
        return {}
    rest = [wish for wish in queue if wish.wish_id != wish_id]
    if before is None:
        return {wish_id: max(now_s, rest[-1].position + STEP) if rest else now_s}
    at = next(index for index, wish in enumerate(rest) if wish.wish_id == before)
    above = rest[at].position
    below = rest[at - 1].position if at else above - 2 * STEP
    middle = (below + above) / 2
    if below < middle < above:
        return {wish_id: middle}
    order = [*(wish.wish_id for wish in rest[:at]), wish_id, *(wish.wish_id for wish in rest[at:])]
    return {one: now_s - STEP * (len(order) - index) for index, one in enumerate(order)}
