"""A worker takes a wish from its first look to the visible folder. Every end is a state with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from kinodom_common.contracts.wishes import Progress
from kinodom_common.errors import KinodomError, NoSpace, UpstreamFailed
from kinodom_common.logs import bound_request_id, get_log
from kinodom_downloader.domain import lacking, watching
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.asking import event_of
from kinodom_downloader.domain.bringing import bring
from kinodom_downloader.domain.holes import PartsMissing
from kinodom_downloader.domain.hours import ALWAYS, DAY_S, Hours, OutsideHours, put_off
from kinodom_downloader.domain.room import KeepFree, MediaFolderUnusable, disk_trouble, needed_bytes
from kinodom_downloader.domain.taking import take, take_this

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.videos import VideoIn
    from kinodom_downloader.domain.ports import Announcer, Fetcher, Library, Resolver, Shelf, Wishes

log = get_log(__name__)


class HandedBack(KinodomError):
    """The worker has to stop; the wish goes to another one."""

    code = "handed_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything a worker works with."""

    wishes: Wishes
    resolver: Resolver
    fetch: Fetcher
    library: Library
    shelf: Shelf
    announcer: Announcer
    clock: Callable[[], float]  # seconds since 1970
    heartbeat: Callable[[Callable[[], None], Callable[[], None]], Heartbeat]  # of beat and look
    parallel: int = 2  # wishes worked on at once, by all workers together
    keep_free: KeepFree = KeepFree()  # noqa: RUF009  # frozen
    hours: Hours = ALWAYS  # in which films are fetched
    time_of_day_s: Callable[[float], float] = lambda now_s: now_s % DAY_S  # at home, since midnight
    share_line: Callable[[int], None] = lambda _films: None  # keeps to the limit of speed with so many fetched at once
    make_room: Callable[[int], None] = lambda _needed_bytes: None  # empties the trash as far as a film needs it


class Heartbeat:
    """Beats every few seconds, and looks in between, until it is stopped. This one never does; see adapters."""

    def __init__(self, beat: Callable[[], None], look: Callable[[], None]) -> None:
        self._beat, self._look = beat, look

    def __enter__(self) -> Heartbeat:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""

    @property
    def lost(self) -> bool:
        """Tell whether the lease was found gone."""
        return False


class Run:
    """One run of one wish under one lease."""

    def __init__(self, wish: rules.StoredWish, token: str, tools: Tools) -> None:
        self.wish = wish
        self.token = token
        self._tools = tools
        self.progress = Progress(stage="asking")
        self.promised_bytes = 0  # that films which others began before will still take
        self._look_around()

    def note(self, progress: Progress) -> None:
        """Take and announce progress; the store hears of it with the next beat."""
        self.progress = progress
        self._tools.announcer.announce(event_of(self.wish, "task_progress").model_copy(update={"progress": progress}))

    def packaged(self, fraction: float) -> None:
        """Take how far the packaging is, 0 to 1."""
        self.note(self.progress.model_copy(update={"stage": "packaging", "fraction": fraction, "left_s": None}))

    def beat(self) -> None:
        """Make the lease longer and store the progress; raises LeaseLost."""
        self._change(
            lambda wish: rules.renewed(wish, token=self.token, now_s=self._tools.clock(), progress=self.progress)
        )
        self._look_around()
        self._tools.announcer.tell_queue()

    def look(self) -> None:
        """Return while the wish is ours; raises LeaseLost, or NoSuchWish when it was cancelled."""
        rules.held(self._tools.wishes.get(self.wish.wish_id), self.token)

    def fence(self) -> None:
        """Pass the last gate before the folder is shown; raises LeaseLost."""
        self._change(lambda wish: rules.publishing(wish, token=self.token, now_s=self._tools.clock()))

    def end(self, step: Callable[[rules.StoredWish], rules.StoredWish], kind: str) -> rules.StoredWish:
        """Store the end of this run if we still hold the wish, and announce it."""
        self._change(lambda wish: step(rules.held(wish, self.token)))
        self._tools.announcer.announce(event_of(self.wish, kind))
        return self.wish

    def _look_around(self) -> None:
        """Take note of what others fetch at this moment: the disk and the line are shared."""
        now_s = self._tools.clock()
        others = [
            wish
            for wish in self._tools.wishes.held()
            if wish.state == "running" and rules.is_held(wish, now_s=now_s) and wish.wish_id != self.wish.wish_id
        ]
        self.promised_bytes = sum(
            needed_bytes(wish.progress.total_bytes, there_bytes=wish.progress.fetched_bytes)
            for wish in others
            if (wish.changed_at_s, wish.wish_id) < (self.wish.changed_at_s, self.wish.wish_id)
        )
        self._tools.share_line(1 + len(others))

    def _change(self, step: Callable[[rules.StoredWish], rules.StoredWish]) -> None:
        self.wish = self._tools.wishes.change(self.wish.wish_id, step)


def fulfil(*, token: str, tools: Tools, wish_id: str | None = None) -> rules.StoredWish | None:
    """Take a wish, do what it needs, and return it in its new state; None when there is nothing to do.

    Args:
        wish_id: this one, which somebody watches; None: the one whose turn it is.

    Raises:
        HandedBack: the fetch was told to stop; the wish is `wanted` again.
    """
    store, announcer, clock = tools.wishes, tools.announcer, tools.clock
    if wish_id is None:
        wish = take(token=token, parallel=tools.parallel, wishes=store, announcer=announcer, clock=clock)
    else:
        wish = take_this(wish_id, token=token, wishes=store, announcer=announcer, clock=clock)
    if wish is None:
        return None
    log.info("wish_taken", wish_id=wish.wish_id, attempt=wish.attempt, external_id=wish.request.external_id)
    tools.announcer.announce(event_of(wish, "task_started"))
    with bound_request_id(wish.request_id):
        return _done(Run(wish, token, tools), tools)


def hand_back(*, token: str, tools: Tools) -> None:
    """Give the wish of this token back because its worker has to stop. What was fetched stays for the next one."""
    step = partial(rules.handed_back, token=token, now_s=tools.clock())
    if (wish := _let_go(token, tools, step)) is not None:
        log.info("wish_handed_back", wish_id=wish.wish_id)
        tools.announcer.announce(event_of(wish, "queue_status"))


def give_up(*, token: str, tools: Tools) -> None:
    """Refuse the wish of this token, over which its worker met a mistake of our own."""
    reason = (
        "The worker met a mistake of its own over this film; its log has the details. What was fetched is kept. "
        "Press Try again, and tell the operator if it happens again."
    )
    now_s = tools.clock()
    gone = _let_go(token, tools, lambda wish: rules.refused(wish, code="internal", reason=reason, now_s=now_s))
    if gone is not None:
        tools.announcer.announce(event_of(gone, "task_failed"))


def _let_go(token: str, tools: Tools, step: Callable[[rules.StoredWish], rules.StoredWish]) -> rules.StoredWish | None:
    mine = next((wish for wish in tools.wishes.held() if wish.token == token), None)
    if mine is None:
        return None
    try:
        return tools.wishes.change(mine.wish_id, lambda wish: step(rules.held(wish, token)))
    except (rules.LeaseLost, rules.NoSuchWish):
        return None


def _done(run: Run, tools: Tools) -> rules.StoredWish | None:
    wish_id, token = run.wish.wish_id, run.token
    try:
        with tools.heartbeat(run.beat, run.look) as heartbeat:
            video = _work(run, tools, should_stop=lambda: heartbeat.lost)
        done = run.end(
            lambda wish: rules.ready(
                replace(wish, progress=run.progress), token=token, now_s=tools.clock(), size_bytes=video.size_bytes
            ),
            "task_completed",
        )
    except (rules.LeaseLost, rules.NoSuchWish):
        _leave(wish_id, tools)
        return None
    except HandedBack:
        run.end(lambda wish: rules.handed_back(wish, token=token, now_s=tools.clock()), "queue_status")
        raise
    except KinodomError as exc:
        return _stopped(run, exc, tools)
    except OSError as exc:
        return _stopped(run, disk_trouble(exc, tools.library.disk, tools.keep_free), tools)
    if watching.is_left(done, now_s=tools.clock()):  # else the sweep does it when the last viewer has gone
        tools.library.clear(wish_id)
    log.info("wish_fulfilled", wish_id=wish_id, size_bytes=video.size_bytes)
    return done


def _work(run: Run, tools: Tools, *, should_stop: Callable[[], bool]) -> VideoIn:
    video = tools.library.published(run.wish.wish_id)
    if video is None:
        video = bring(run, tools, should_stop=should_stop)
    else:
        run.fence()  # the folder outlived a worker that died before it could say so
    tools.shelf.register_video(run.wish.wish_id, video)
    return video


def _stopped(run: Run, error: KinodomError, tools: Tools) -> rules.StoredWish | None:
    """Store why it stopped: trouble outside waits and tries again, the rest is refused."""
    code, reason, now_s = error.code, error.detail, tools.clock()
    retry_after = error.facts.get("retry_after_s")
    pause_s = float(retry_after) if isinstance(retry_after, int | float) else None
    log.warning("wish_stopped", wish_id=run.wish.wish_id, code=code, detail=reason)
    try:
        if isinstance(error, OutsideHours):
            return run.end(lambda wish: put_off(wish, error, now_s=now_s), "queue_status")
        if isinstance(error, NoSpace | MediaFolderUnusable):
            return run.end(
                lambda wish: rules.waiting_for_disk(wish, code=code, reason=reason, now_s=now_s), "task_failed"
            )
        if isinstance(error, UpstreamFailed):
            found = error.stretches if isinstance(error, PartsMissing) else ()
            return run.end(
                lambda wish: lacking.noted(
                    rules.waiting(wish, code=code, reason=reason, now_s=now_s, retry_after_s=pause_s), found
                ),
                "task_failed",
            )
        return run.end(
            lambda wish: lacking.noted(rules.refused(wish, code=code, reason=reason, now_s=now_s), ()), "task_failed"
        )
    except (rules.LeaseLost, rules.NoSuchWish):
        _leave(run.wish.wish_id, tools)
        return None


def _leave(wish_id: str, tools: Tools) -> None:
    """Stop because the wish is not ours any more. The parts of one that was cancelled are deleted."""
    if tools.wishes.some([wish_id]):
        log.info("lease_lost", wish_id=wish_id)  # paused, or taken over: its parts are of use
        return
    tools.library.clear(wish_id)
    log.info("wish_cancelled", wish_id=wish_id)
