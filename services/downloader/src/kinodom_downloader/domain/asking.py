"""Somebody wants something: store it once, hint once, answer always."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import Hole
from kinodom_common.contracts.wishes import DiskRoom, QueueStatus, Wish, WishEvent, WishPart
from kinodom_common.errors import KinodomError
from kinodom_downloader.domain import lacking, order, pausing, watching
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.room import KeepFree

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.wishes import WishRequest
    from kinodom_downloader.domain.ports import Announcer, Hints, Library, Wishes

MAX_LISTED = 500
MAX_HINTED = 16  # as many as may ever be worked on at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the desk that takes wishes works with."""

    wishes: Wishes
    hints: Hints
    announcer: Announcer
    library: Library
    clock: Callable[[], float]  # seconds since 1970
    parallel: int = 2  # wishes worked on at once
    keep_free: KeepFree = KeepFree()  # noqa: RUF009  # frozen


def ask(request: WishRequest, *, desk: Desk, request_id: str) -> tuple[rules.StoredWish, bool]:
    """Return the stored wish for this content and whether this call made it.

    It is stored before this returns. The same content asked for again, however often, is the same wish; one that had
    been refused or was waiting tries again, and so does one whose film is not on the disk any more.
    """
    now_s = desk.clock()
    made = rules.new_wish(request, now_s=now_s, request_id=request_id)
    while not desk.wishes.add(made):
        with suppress(rules.NoSuchWish):  # somebody deleted it between the two steps
            desk.wishes.change(made.wish_id, lambda found: watching.asked(found, request, now_s=now_s))
            return try_again(made.wish_id, desk=desk), False
    _tell(made, desk)
    return made, True


def try_again(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Return the wish after it was told to try again now; one that runs, or is ready and on the disk, stays as it is.

    Raises:
        NoSuchWish: there is none.
    """
    now_s = desk.clock()
    lost = desk.wishes.get(wish_id).state == "ready" and desk.library.published(wish_id) is None
    wish = desk.wishes.change(wish_id, lambda found: rules.asked_again(found, now_s=now_s, lost=lost))
    if wish.state == "wanted":
        _tell(wish, desk)
    return wish


def keep_with_holes(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Return the wish to be fulfilled without what no source has of its film, and tried at once.

    Raises:
        NoSuchWish: there is none. NothingMissing: it does not lack just that.
    """
    now_s = desk.clock()
    wish = desk.wishes.change(wish_id, lambda found: lacking.kept_so(found, now_s=now_s))
    _tell(wish, desk)
    return wish


def pause(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Return the wish paused; its worker notices within about a second and keeps what it has fetched.

    Raises:
        NoSuchWish: there is none.
        WishBusy: it is being put on the shelf.
        NothingToPause: it is ready or refused.
    """
    now_s = desk.clock()
    wish = desk.wishes.change(wish_id, lambda found: pausing.paused(found, now_s=now_s))
    desk.announcer.announce(event_of(wish, "queue_status"))
    return wish


def resume(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Return the wish wanted again if it was paused; otherwise as it is."""
    now_s = desk.clock()
    wish = desk.wishes.change(wish_id, lambda found: pausing.resumed(found, now_s=now_s))
    if wish.state == "wanted":
        _tell(wish, desk)
    return wish


def move(wish_id: str, before: str | None, *, desk: Desk) -> rules.StoredWish:
    """Return the wish in its new place in the queue, before another one; None: behind all.

    Raises:
        NoSuchWish: there is none.
        NotInQueue: it, or the other, is ready or refused.
    """
    desk.wishes.get(wish_id)
    positions = order.moved(desk.wishes.unfinished(), wish_id, before, now_s=desk.clock())
    for one, position in positions.items():
        desk.wishes.change(one, partial(rules.placed, position=position))
    wish = desk.wishes.get(wish_id)
    desk.announcer.announce(event_of(wish, "queue_status"))
    return wish


def keep(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Return the wish as one that stays on the disk, though it was only watched so far; raises NoSuchWish."""
    wish = desk.wishes.change(wish_id, watching.kept)
    desk.announcer.announce(event_of(wish, "queue_status"))
    return wish


def view(wish_id: str, *, desk: Desk) -> rules.StoredWish:
    """Take note that somebody watches this film just now, and return its wish; raises NoSuchWish.

    Whatever nobody works on and may be worked on is begun at once.
    """
    now_s = desk.clock()
    wish = desk.wishes.change(wish_id, lambda found: watching.viewed(found, now_s=now_s))
    if rules.is_due(wish, now_s=now_s):
        desk.hints.hurry(wish_id)
    return wish


def forget(wish_id: str, *, desk: Desk) -> None:
    """Delete a wish with its unfinished files; one that runs is cancelled. A published film is not touched.

    Raises:
        NoSuchWish: there is none.
        WishBusy: it is being put on the shelf.
    """
    now_s = desk.clock()
    while True:
        wish = desk.wishes.get(wish_id)
        rules.check_stoppable(wish, now_s=now_s)
        if desk.wishes.forget(wish):
            break
    if not rules.is_held(wish, now_s=now_s):  # else its worker clears up: it may be writing this very moment
        desk.library.clear(wish_id)
    desk.announcer.announce(event_of(wish, "queue_status").model_copy(update={"gone": True}))


def disk_room(*, desk: Desk) -> DiskRoom:
    """Return how full the disk of the films is, and what the published ones take of it."""
    disk = desk.library.disk()
    return DiskRoom(
        free_bytes=disk.free_bytes,
        total_bytes=disk.total_bytes,
        library_bytes=desk.library.library_bytes(),
        keep_free_bytes=desk.keep_free.floor_bytes(disk),
    )


def queue_status(*, wishes: Wishes, library: Library, parallel: int) -> QueueStatus:
    """Return how the queue stands; a disk that cannot be read leaves its part out."""
    counts = dict(wishes.counts())
    running = counts.pop("running", 0) + counts.pop("publishing", 0)
    try:
        disk = library.disk()
    except KinodomError:
        disk = None
    return QueueStatus.model_validate(
        {
            **counts,
            "running": running,
            "parallel": parallel,
            "free_bytes": disk.free_bytes if disk else None,
            "total_bytes": disk.total_bytes if disk else None,
        }
    )


def listed(part: WishPart, limit: int, *, desk: Desk) -> list[rules.StoredWish]:
    """Return the newest wishes, those that are not ready in the order of the queue, or those that are ready."""
    lists = {"newest": desk.wishes.newest, "line": desk.wishes.line, "done": desk.wishes.done}
    return lists[part](min(limit, MAX_LISTED))


def sweep(*, desk: Desk) -> int:
    """Hint at the wishes that are due and clear the folders of wishes that are no more; return how many it saw due.

    Any worker, any time, as often as you like.
    """
    due = hint_due(desk=desk)
    desk.library.reap(lambda wish_id: _has_work(wish_id, desk))
    desk.announcer.tell_queue()
    return due


def hint_due(*, desk: Desk) -> int:
    """Hint at the wishes that are due, no more than may begin now; return how many it saw due."""
    now_s = desk.clock()
    ripe = desk.wishes.ripe(now_s=now_s, limit=MAX_HINTED)
    due = order.due_now(ripe, now_s=now_s)
    for wish in due:
        if watching.is_watched(wish, now_s=now_s):
            desk.hints.hurry(wish.wish_id)
    for wish in due[: max(0, desk.parallel - order.held_now(ripe, now_s=now_s))]:
        desk.hints.give(wish.wish_id, wish.attempt)
    return len(due)


def _has_work(wish_id: str, desk: Desk) -> bool:
    """Tell whether the parts of a wish are still of use: for what is not ready, and for those who play them."""
    now_s = desk.clock()
    return any(wish.state != "ready" or not watching.is_left(wish, now_s=now_s) for wish in desk.wishes.some([wish_id]))


def _tell(wish: rules.StoredWish, desk: Desk) -> None:
    if watching.is_watched(wish, now_s=desk.clock()):
        desk.hints.hurry(wish.wish_id)
    else:
        desk.hints.give(wish.wish_id, wish.attempt)
    desk.announcer.announce(event_of(wish, "queue_status"))


def wire(wish: rules.StoredWish) -> Wish:
    """Return the wish as others see it: no token, no lease."""
    return Wish(
        wish_id=wish.wish_id,
        request=wish.request,
        state=wish.state,
        reason_code=wish.reason_code,
        reason=wish.reason,
        attempt=wish.attempt,
        position=wish.position,
        progress=wish.progress,
        keep=wish.keep,
        missing=tuple(Hole(from_s=from_s, to_s=to_s) for from_s, to_s in wish.missing)
        if lacking.may_be_kept(wish)
        else (),
        with_holes=wish.with_holes,
        next_try_at=datetime.fromtimestamp(wish.next_try_at_s, UTC) if wish.state == "waiting" else None,
        asked_at=datetime.fromtimestamp(wish.asked_at_s, UTC),
        changed_at=datetime.fromtimestamp(wish.changed_at_s, UTC),
    )


def event_of(wish: rules.StoredWish, kind: str) -> WishEvent:
    """Return the news about a wish."""
    return WishEvent.model_validate(
        {
            "type": kind,
            "wish_id": wish.wish_id,
            "state": wish.state,
            "title": wish.request.title.name,
            "reason": wish.reason,
            "progress": wish.progress,
        }
    )
