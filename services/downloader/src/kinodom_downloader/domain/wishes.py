"""The life of a wish. Pure: every function takes a wish and the time, and returns the changed wish.

    wanted → running → publishing → ready
               │  └──────────────→ refused (reason; final until somebody asks again)
               └→ waiting (reason, next try) → running …
    wanted, waiting, running → paused → wanted

A running wish is held by a lease with a token. Whoever holds another token has lost it and may change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kinodom_common.contracts.wishes import Progress
from kinodom_common.errors import Conflict, NotFound, Rejected
from kinodom_common.ids import content_key, video_id_of

if TYPE_CHECKING:
    from kinodom_common.contracts.wishes import WishRequest, WishState

LEASE_S = 20.0  # renewed at a quarter of it
MAX_DEATHS = 3  # of the worker process while it held this wish
MAX_WAITS = 8
FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 900.0
DISK_WAIT_S = 45.0


class NoSuchWish(NotFound):
    """No wish has this id."""

    code = "no_such_wish"
    title = "No such wish"


class WishBusy(Conflict):
    """The wish is being worked on."""

    code = "wish_busy"
    title = "It is being worked on"


class NotClaimable(Conflict):
    """There is nothing to do for this wish now, or somebody else does it."""

    code = "wish_not_claimable"


class LeaseLost(Conflict):
    """Another worker has taken the wish over; this one must stop and touch nothing."""

    code = "lease_lost"


class CrashesWorker(Rejected):
    """The wish killed its worker too often."""

    code = "crashes_the_worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWish:
    """A wish as the store keeps it. Times are seconds since 1970, UTC."""

    wish_id: str
    request: WishRequest
    state: WishState
    asked_at_s: float
    changed_at_s: float
    position: float = 0.0  # in the queue, the lowest first; new ones get the time they were asked for
    keep: bool = True  # False: only watched, nobody asked to have it on the disk
    viewed_at_s: float = 0.0  # when somebody was last seen watching it
    reason_code: str | None = None
    reason: str | None = None
    attempt: int = 0  # runs begun, also names the RQ job
    waits: int = 0  # times in a row that something outside stopped it
    deaths: int = 0  # times in a row that its worker vanished
    best_bytes: int = 0  # the most that was ever fetched of it: a run that brings more is no failure in a row
    token: str | None = None  # of the lease; None: nobody holds it
    lease_until_s: float = 0.0
    next_try_at_s: float = 0.0
    progress: Progress = field(default_factory=Progress)
    missing: tuple[tuple[float, float], ...] = ()  # of the film when it stopped for that alone, from and to, seconds
    with_holes: bool = False  # somebody said that it is kept without what does not come
    request_id: str = ""  # of the page or call that asked: binds the logs of all services together
    version: int = 0  # of the document in the store


def wish_id_of(request: WishRequest) -> str:
    """Return the id that all requests for the same content share."""
    return video_id_of(
        content_key(request.external_id, request.season, request.episode, request.translation_id, request.height_px)
    )


def new_wish(request: WishRequest, *, now_s: float, request_id: str) -> StoredWish:
    """Return a fresh wish."""
    return StoredWish(
        wish_id=wish_id_of(request),
        request=request,
        state="wanted",
        asked_at_s=now_s,
        changed_at_s=now_s,
        position=now_s,
        keep=not request.watch,
        viewed_at_s=now_s if request.watch else 0.0,
        request_id=request_id,
    )


def asked_again(wish: StoredWish, *, now_s: float, lost: bool = False) -> StoredWish:
    """Return the wish after somebody asked for the same once more: what had stopped may try again at once.

    `lost`: it was ready, and its folder is gone or broken.
    """
    if wish.state not in ("refused", "waiting", "paused") and not (lost and wish.state == "ready"):
        return wish
    return replace(
        wish,
        state="wanted",
        reason=None,
        reason_code=None,
        waits=0,
        deaths=0,
        best_bytes=0,
        next_try_at_s=0.0,
        changed_at_s=now_s,
    )


def placed(wish: StoredWish, *, position: float) -> StoredWish:
    """Return the wish in another place in the queue."""
    return replace(wish, position=position)


def is_held(wish: StoredWish, *, now_s: float) -> bool:
    """Tell whether a live worker holds this wish."""
    return wish.state in ("running", "publishing") and wish.lease_until_s > now_s


def check_stoppable(wish: StoredWish, *, now_s: float) -> None:
    """Return when the wish may be paused or deleted.

    Raises:
        WishBusy: its worker has passed the fence and is showing the folder.
    """
    if wish.state == "publishing" and is_held(wish, now_s=now_s):
        raise WishBusy("It is being put on the shelf right now. It is ready in a moment.")


def is_due(wish: StoredWish, *, now_s: float) -> bool:
    """Tell whether a worker should take this wish now."""
    if wish.state == "wanted":
        return True
    if wish.state == "waiting":
        return wish.next_try_at_s <= now_s
    return wish.state in ("running", "publishing") and wish.lease_until_s <= now_s


def claim(wish: StoredWish, *, token: str, now_s: float) -> StoredWish:
    """Return the wish held by `token`.

    A wish whose lease lapsed lost its worker: that is counted, and the third time in a row it is refused.

    Raises:
        NotClaimable: it is not due.
        CrashesWorker: it has killed its worker too often; the caller refuses it.
    """
    if not is_due(wish, now_s=now_s):
        raise NotClaimable("This wish is not waiting for a worker.")
    deaths = wish.deaths + 1 if wish.state in ("running", "publishing") else wish.deaths
    if deaths >= MAX_DEATHS:
        raise CrashesWorker(
            f"The worker died {deaths} times over this film. What was fetched is kept. "
            "Look into the log of the downloader, then press Try again."
        )
    return replace(
        wish,
        state="running",
        token=token,
        lease_until_s=now_s + LEASE_S,
        attempt=wish.attempt + 1,
        deaths=deaths,
        reason=None,
        reason_code=None,
        changed_at_s=now_s,
        progress=Progress(stage="asking"),
    )


def held(wish: StoredWish, token: str) -> StoredWish:
    """Return the wish if `token` still holds it.

    Raises:
        LeaseLost: it does not.
    """
    if wish.token != token or wish.state not in ("running", "publishing"):
        raise LeaseLost("Another worker has taken this wish over.")
    return wish


def renewed(wish: StoredWish, *, token: str, now_s: float, progress: Progress) -> StoredWish:
    """Return the wish with its lease longer and its progress noted; one that got on has not failed in a row."""
    longer = replace(held(wish, token), lease_until_s=now_s + LEASE_S, progress=progress)
    if progress.fetched_bytes <= wish.best_bytes:
        return longer
    return replace(longer, best_bytes=progress.fetched_bytes, waits=0, deaths=0)


def publishing(wish: StoredWish, *, token: str, now_s: float) -> StoredWish:
    """Return the wish at the last gate before its folder becomes visible: the fence against stale holders."""
    return replace(held(wish, token), state="publishing", lease_until_s=now_s + LEASE_S, changed_at_s=now_s)


def ready(wish: StoredWish, *, token: str, now_s: float, size_bytes: int) -> StoredWish:
    """Return the wish fulfilled."""
    so_far = wish.progress
    done = Progress(
        stage="publishing",
        fraction=1.0,
        fetched_bytes=size_bytes,
        total_bytes=size_bytes,
        duration_s=so_far.duration_s,
        endless=so_far.endless,
    )
    return replace(
        held(wish, token),
        state="ready",
        token=None,
        lease_until_s=0.0,
        waits=0,
        deaths=0,
        changed_at_s=now_s,
        progress=done,
    )


def refused(wish: StoredWish, *, code: str, reason: str, now_s: float) -> StoredWish:
    """Return the wish stopped for a reason that waiting does not mend."""
    return replace(
        wish,
        state="refused",
        reason_code=code,
        reason=reason,
        token=None,
        lease_until_s=0.0,
        changed_at_s=now_s,
    )


def waiting(
    wish: StoredWish, *, code: str, reason: str, now_s: float, retry_after_s: float | None = None
) -> StoredWish:
    """Return the wish put off: longer each time, refused with the same reason after the last try."""
    if wish.waits + 1 >= MAX_WAITS:
        return refused(wish, code=code, reason=f"{reason} (tried {wish.waits + 1} times)", now_s=now_s)
    pause_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**wish.waits)
    if retry_after_s is not None:
        pause_s = min(LONGEST_WAIT_S, max(pause_s, retry_after_s))
    return _put_off(wish, code=code, reason=reason, now_s=now_s, pause_s=pause_s, waits=wish.waits + 1)


def waiting_for_disk(wish: StoredWish, *, code: str, reason: str, now_s: float) -> StoredWish:
    """Return the wish put off until the disk has room, or is back; it is looked at again every 45 s, for ever."""
    return _put_off(wish, code=code, reason=reason, now_s=now_s, pause_s=DISK_WAIT_S, waits=wish.waits)


def handed_back(wish: StoredWish, *, token: str, now_s: float) -> StoredWish:
    """Return the wish given back by a worker that has to stop; no death is counted."""
    return replace(held(wish, token), state="wanted", token=None, lease_until_s=0.0, changed_at_s=now_s)


def _put_off(wish: StoredWish, *, code: str, reason: str, now_s: float, pause_s: float, waits: int) -> StoredWish:
    return replace(
        wish,
        state="waiting",
        reason_code=code,
        reason=reason,
        token=None,
        lease_until_s=0.0,
        next_try_at_s=now_s + pause_s,
        waits=waits,
        changed_at_s=now_s,
    )
