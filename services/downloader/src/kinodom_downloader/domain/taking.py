"""A free worker takes the due wish with the best place, as long as fewer than so many are worked on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from kinodom_downloader.domain import order
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.asking import event_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.domain.ports import Announcer, Wishes

TRIES = 8  # somebody else was faster in each; the sweep comes by again


def take(
    *, token: str, parallel: int, wishes: Wishes, announcer: Announcer, clock: Callable[[], float]
) -> rules.StoredWish | None:
    """Return the wish that `token` holds now; None when nothing is due or enough is worked on already.

    Counting leases and claiming one are two steps. Each claim therefore passes a turn that was seen before the count:
    of two workers that counted at the same time only one passes, and the other gives its claim back and counts anew.
    """
    for _ in range(TRIES):
        turn, now_s = wishes.turn(), clock()
        ripe = wishes.ripe(now_s=now_s, limit=TRIES)
        due = order.due_now(ripe, now_s=now_s)
        if not due or order.held_now(ripe, now_s=now_s) >= parallel:
            return None
        claimed = _claimed(due[0], token, now_s, wishes, announcer)
        if claimed is None:
            continue
        if wishes.pass_turn(turn):
            return claimed
        _unclaim(due[0], token, wishes)
    return None


def take_this(
    wish_id: str, *, token: str, wishes: Wishes, announcer: Announcer, clock: Callable[[], float]
) -> rules.StoredWish | None:
    """Return this wish held by `token`, however many are worked on; None when it is not due."""
    found = wishes.some([wish_id])
    return _claimed(found[0], token, clock(), wishes, announcer) if found else None


def let_go(tokens: str, *, wishes: Wishes) -> list[str]:
    """End the leases of processes that are known to be dead, and return their wishes; each counts as a death.

    Args:
        tokens: how the tokens of the dead begin.
    """
    freed = []
    for wish in wishes.held():
        if wish.token and wish.token.startswith(tokens):
            with suppress(rules.LeaseLost, rules.NoSuchWish):
                wishes.change(wish.wish_id, partial(_lapsed, token=wish.token))
                freed.append(wish.wish_id)
    return freed


def _lapsed(wish: rules.StoredWish, *, token: str) -> rules.StoredWish:
    return replace(rules.held(wish, token), lease_until_s=0.0)


def _claimed(
    best: rules.StoredWish, token: str, now_s: float, wishes: Wishes, announcer: Announcer
) -> rules.StoredWish | None:
    try:
        return wishes.change(best.wish_id, lambda found: rules.claim(found, token=token, now_s=now_s))
    except (rules.NotClaimable, rules.NoSuchWish):
        return None
    except rules.CrashesWorker as exc:
        code, reason = exc.code, exc.detail
    gone = wishes.change(best.wish_id, lambda found: rules.refused(found, code=code, reason=reason, now_s=now_s))
    announcer.announce(event_of(gone, "task_failed"))
    return None


def _unclaim(before: rules.StoredWish, token: str, wishes: Wishes) -> None:
    """Put a wish back as it was before the claim; its attempt stays counted, so that it gets a hint of its own."""

    def back(found: rules.StoredWish) -> rules.StoredWish:
        attempt = rules.held(found, token).attempt
        return replace(before, attempt=attempt, version=found.version, position=found.position)

    try:
        wishes.change(before.wish_id, back)
    except (rules.LeaseLost, rules.NoSuchWish):
        return  # paused or cancelled in this very moment
