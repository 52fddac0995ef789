"""The life of a remake: the job that adds renditions to a published film. Pure, as `wishes` is.

    wanted → running → (done: deleted)
               │  └──→ refused (reason; final until somebody tries again)
               └─────→ waiting (reason, next try) → running …

A running one is held by a lease with a token. Whoever holds another token has lost it and may show nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kinodom_common.errors import Conflict, NotFound, Rejected
from kinodom_downloader.domain.wishes import LEASE_S, MAX_DEATHS, LeaseLost

RemakeState = Literal["wanted", "waiting", "running", "refused"]


class NoSuchRemake(NotFound):
    """Nothing is to be made of this film."""

    code = "no_such_rendition"
    title = "No rendition is on its way"


class NotNow(Conflict):
    """Somebody else makes it, or it is not due."""

    code = "rendition_not_claimable"


class SteppedAside(Conflict):
    """A film that somebody waits for comes first."""

    code = "stepped_aside"
    title = "Makes room for a film"


class FilmChanged(Conflict):
    """The published folder is not the one any more that the new one was made from."""

    code = "film_changed"
    title = "The film has changed meanwhile"


class RemakeCrashes(Rejected):
    """It killed its worker too often."""

    code = "crashes_the_worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remake:
    """A remake as the store keeps it. Times are seconds since 1970, UTC."""

    video_id: str
    name: str  # of the film, for people
    state: RemakeState
    asked_at_s: float
    changed_at_s: float
    heights_px: tuple[int, ...] = ()  # what is being made
    fraction: float = 0.0  # of it that is done
    reason_code: str | None = None
    reason: str | None = None
    attempt: int = 0
    deaths: int = 0
    token: str | None = None
    lease_until_s: float = 0.0
    next_try_at_s: float = 0.0
    version: int = 0


def new_remake(video_id: str, name: str, heights_px: tuple[int, ...], *, now_s: float) -> Remake:
    """Return a fresh one."""
    return Remake(
        video_id=video_id, name=name, state="wanted", asked_at_s=now_s, changed_at_s=now_s, heights_px=heights_px
    )


def is_held(remake: Remake, *, now_s: float) -> bool:
    """Tell whether a live worker is at it."""
    return remake.state == "running" and remake.lease_until_s > now_s


def is_due(remake: Remake, *, now_s: float) -> bool:
    """Tell whether a worker that has nothing better to do should take it now."""
    if remake.state == "running":
        return remake.lease_until_s <= now_s
    return remake.state == "wanted" or (remake.state == "waiting" and remake.next_try_at_s <= now_s)


def claim(remake: Remake, *, token: str, now_s: float) -> Remake:
    """Return it held by `token`; a lease that lapsed is a death.

    Raises:
        NotNow: it is not due.
        RemakeCrashes: the third death in a row; the caller refuses it.
    """
    if not is_due(remake, now_s=now_s):
        raise NotNow("It is not waiting for a worker.")
    deaths = remake.deaths + (remake.state == "running")
    if deaths >= MAX_DEATHS:
        raise RemakeCrashes(
            f"The worker died {deaths} times over a further quality of this film. The film plays as it is. "
            "Look into the log of the downloader, then press Try again."
        )
    return replace(
        remake, state="running", token=token, lease_until_s=now_s + LEASE_S, attempt=remake.attempt + 1, deaths=deaths,
        fraction=0.0, reason=None, reason_code=None, changed_at_s=now_s,
    )  # fmt: skip


def held(remake: Remake, token: str) -> Remake:
    """Return it if `token` still holds it; raises LeaseLost."""
    if remake.state != "running" or remake.token != token:
        raise LeaseLost("Another worker has taken this over.")
    return remake


def renewed(remake: Remake, *, token: str, now_s: float, fraction: float) -> Remake:
    """Return it with its lease longer and its progress noted."""
    return replace(held(remake, token), lease_until_s=now_s + LEASE_S, fraction=fraction)


def handed_back(remake: Remake, *, token: str, now_s: float) -> Remake:
    """Return it given back by a worker that has to stop or has something better to do."""
    return _let_go(held(remake, token), state="wanted", now_s=now_s)


def refused(remake: Remake, *, code: str, reason: str, now_s: float) -> Remake:
    """Return it stopped for a reason that waiting does not mend."""
    return replace(_let_go(remake, state="refused", now_s=now_s), reason_code=code, reason=reason)


def waiting(remake: Remake, *, code: str, reason: str, now_s: float, pause_s: float) -> Remake:
    """Return it put off until what is in its way has passed."""
    return replace(
        _let_go(remake, state="waiting", now_s=now_s), reason_code=code, reason=reason,
        next_try_at_s=now_s + pause_s,
    )  # fmt: skip


def tried_again(remake: Remake, *, now_s: float) -> Remake:
    """Return it after somebody pressed Try again; one that runs stays as it is."""
    if remake.state == "running":
        return remake
    return replace(
        _let_go(remake, state="wanted", now_s=now_s), reason=None, reason_code=None, deaths=0, next_try_at_s=0
    )


def _let_go(remake: Remake, *, state: RemakeState, now_s: float) -> Remake:
    return replace(remake, state=state, token=None, lease_until_s=0.0, fraction=0.0, changed_at_s=now_s)
