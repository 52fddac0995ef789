"""One press for many wishes: try all refused ones again, pause all, let all go on."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal

from kinodom_downloader.domain import pausing
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.asking import event_of, hint_due

if TYPE_CHECKING:
    from kinodom_common.contracts.wishes import WishState
    from kinodom_downloader.domain.asking import Desk

Act = Literal["retry", "pause", "resume"]
STATES: dict[Act, tuple[WishState, ...]] = {
    "retry": ("refused", "waiting"),
    "pause": ("wanted", "waiting", "running"),
    "resume": ("paused",),
}
STEPS = {"retry": rules.asked_again, "pause": pausing.paused, "resume": pausing.resumed}


def do_all(act: Act, *, desk: Desk) -> int:
    """Do this with every wish in the states that it is for, and return how many it changed.

    Each is changed by itself; what somebody else changes meanwhile stays as that made it. Followers hear it once.
    """
    now_s, changed = desk.clock(), 0
    step = partial(STEPS[act], now_s=now_s)
    last: rules.StoredWish | None = None
    for wish_id in desk.wishes.ids_in(STATES[act]):
        with suppress(rules.NoSuchWish, rules.WishBusy, pausing.NothingToPause):
            last = desk.wishes.change(wish_id, step)
            changed += 1
    if last is not None:
        hint_due(desk=desk)
        desk.announcer.announce(event_of(last, "queue_status"))
    return changed
