"""Films that were only watched are guests: they stay while there is room for such, and go the longest unseen first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.domain.removing import DAY_S, remove
from kinodom_downloader.domain.room import GB
from kinodom_downloader.domain.watching import is_left

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_downloader.domain.removing import RemovalDesk
    from kinodom_downloader.domain.wishes import StoredWish

log = get_log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRoom:
    """How much of the disk guests may take, and how long they stay unseen."""

    gb: float = 50.0
    days: float = 14.0


def outstayed(guests: Iterable[StoredWish], room: GuestRoom, *, now_s: float) -> list[StoredWish]:
    """Return the guests that have to go now: the longest unseen first, and never one that somebody may be playing."""
    idle = sorted((one for one in guests if not one.keep), key=lambda one: one.viewed_at_s)
    taken_bytes = sum(_bytes(one) for one in idle)
    going = []
    for one in idle:
        too_long = now_s - one.viewed_at_s >= room.days * DAY_S
        if not is_left(one, now_s=now_s) or not (too_long or taken_bytes > room.gb * GB):
            continue
        going.append(one)
        taken_bytes -= _bytes(one)
    return going


def sweep(room: GuestRoom, *, desk: RemovalDesk) -> None:
    """Let the guests go that have outstayed; what cannot be done now is done by the next sweep."""
    now_s = desk.clock()
    for one in outstayed(desk.wishes.guests(), room, now_s=now_s):
        try:
            remove(one.wish_id, desk=desk, for_good=True)
        except KinodomError as exc:
            log.warning("guest_stays", wish_id=one.wish_id, code=exc.code)
        else:
            log.info("guest_gone", wish_id=one.wish_id, unseen_s=round(now_s - one.viewed_at_s))


def _bytes(wish: StoredWish) -> int:
    return wish.progress.total_bytes or wish.progress.fetched_bytes
