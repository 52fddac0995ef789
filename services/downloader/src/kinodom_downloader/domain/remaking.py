"""Renditions after publishing: made when nobody waits for a film, one at a time, by whichever worker is free."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import RenditionJob
from kinodom_common.errors import KinodomError, NoSpace, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_downloader.domain import ladder, order
from kinodom_downloader.domain import remakes as rules
from kinodom_downloader.domain.boxes import BrokenBoxes
from kinodom_downloader.domain.checks import PackagingFailed
from kinodom_downloader.domain.hours import OutsideHours
from kinodom_downloader.domain.room import MediaFolderUnusable, check_room, disk_trouble
from kinodom_downloader.domain.taking import TRIES
from kinodom_downloader.domain.wishes import DISK_WAIT_S, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.domain.remake_ports import Remakes, Tools

log = get_log(__name__)

TELL_AGAIN_S = 60.0  # to a catalogue that did not answer


class _Run:
    """One run of one remake under one lease."""

    def __init__(self, remake: rules.Remake, token: str, tools: Tools) -> None:
        self.remake, self.token, self.tools = remake, token, tools
        self.fraction = 0.0
        self.why: KinodomError | None = None  # it was stopped by us

    def note(self, fraction: float) -> None:
        self.fraction = fraction

    def beat(self) -> None:
        self.change(partial(rules.renewed, token=self.token, now_s=self.tools.clock(), fraction=self.fraction))

    def look(self) -> None:
        """Return while there is nothing better to do; raises LeaseLost."""
        try:
            _check_time(self.tools)
        except (rules.SteppedAside, OutsideHours) as exc:
            self.why = exc
        if self.why or not self.tools.maker.shown(self.remake.video_id):
            raise LeaseLost("There is something better to do, or nothing to do any more.")
        rules.held(self.tools.remakes.get(self.remake.video_id), self.token)

    def fence(self) -> None:
        """Pass the last gate before the new folder is shown; raises LeaseLost."""
        self.beat()

    def change(self, step: Callable[[rules.Remake], rules.Remake]) -> None:
        self.remake = self.tools.remakes.change(self.remake.video_id, step)


def is_busy(tools: Tools) -> bool:
    """Tell whether a film that somebody wants is worked on or waits for a worker."""
    now_s = tools.clock()
    ripe = tools.wishes.ripe(now_s=now_s, limit=1)
    return bool(order.due_now(ripe, now_s=now_s)) or any(wish.lease_until_s > now_s for wish in ripe)


def remake(*, token: str, tools: Tools) -> rules.Remake | None:
    """Take the remake whose turn it is, do it, and return how it stands; None: it is done, or there was nothing to do.

    A film that somebody waits for comes first: whatever was made until then is thrown away, and begun again later.
    """
    taken = take(token=token, tools=tools)
    if taken is None:
        return None
    log.info("remake_taken", video_id=taken.video_id, attempt=taken.attempt)
    run = _Run(taken, token, tools)
    try:
        with tools.heartbeat(run.beat, run.look) as heartbeat:
            _work(run, stopped=lambda: heartbeat.lost)
    except (LeaseLost, rules.NoSuchRemake):
        return _left(run)
    except rules.FilmChanged:
        return _changed(run)
    except KinodomError as exc:
        return _stopped(run, exc)
    except OSError as exc:
        return _stopped(run, disk_trouble(exc, tools.maker.disk, tools.keep_free))
    tools.remakes.drop(taken.video_id)
    log.info("remake_done", video_id=taken.video_id)
    return None


def take(*, token: str, tools: Tools) -> rules.Remake | None:
    """Return the remake that `token` holds now; None when none is due, one is made already, or films wait."""
    for _ in range(TRIES):
        seen, now_s = tools.remakes.turns.turn(), tools.clock()
        line = tools.remakes.in_line()
        due = [one for one in line if rules.is_due(one, now_s=now_s)]
        if not due or any(rules.is_held(one, now_s=now_s) for one in line) or is_busy(tools):
            return None
        best = due[0]
        try:
            claimed = tools.remakes.change(best.video_id, partial(rules.claim, token=token, now_s=now_s))
        except (rules.NotNow, rules.NoSuchRemake):
            continue
        except rules.RemakeCrashes as exc:
            gone = partial(rules.refused, code=exc.code, reason=exc.detail, now_s=now_s)
            tools.remakes.change(best.video_id, gone)
            continue
        if tools.remakes.turns.pass_turn(seen):
            return claimed
        _give_back(best.video_id, token, tools)  # of two that looked at the same time only one may go on
    return None


def hand_back(*, token: str, tools: Tools) -> None:
    """Give the remake of this token back because its worker has to stop; no death is counted."""
    for mine in tools.remakes.in_line():
        if mine.token == token:
            _give_back(mine.video_id, token, tools)


def give_up(*, token: str, tools: Tools) -> None:
    """Refuse the remake of this token, over which its worker met a mistake of our own."""
    reason = "The worker met a mistake of its own over this; its log has the details. The film plays as it is."
    for mine in tools.remakes.in_line():
        if mine.token == token:
            step = partial(_refused_if_held, token=token, reason=reason, now_s=tools.clock())
            with suppress(LeaseLost, rules.NoSuchRemake):
                tools.remakes.change(mine.video_id, step)


def _refused_if_held(found: rules.Remake, *, token: str, reason: str, now_s: float) -> rules.Remake:
    return rules.refused(rules.held(found, token), code="internal", reason=reason, now_s=now_s)


def let_go(token: str, *, remakes: Remakes) -> None:
    """End the lease of a process that is known to be dead; it counts as a death."""
    for one in remakes.in_line():
        if one.token == token:
            with suppress(LeaseLost, rules.NoSuchRemake):
                remakes.change(one.video_id, lambda found: replace(rules.held(found, token), lease_until_s=0.0))


def try_again(video_id: str, *, remakes: Remakes, now_s: float) -> rules.Remake:
    """Return the remake after it was told to try again; raises NoSuchRemake."""
    return remakes.change(video_id, partial(rules.tried_again, now_s=now_s))


def wire(remake: rules.Remake) -> RenditionJob:
    """Return it as others see it: no token, no lease."""
    return RenditionJob(
        video_id=remake.video_id,
        name=remake.name,
        state=remake.state,
        heights_px=remake.heights_px,
        fraction=remake.fraction,
        reason_code=remake.reason_code,
        reason=remake.reason,
    )


def _work(run: _Run, *, stopped: Callable[[], bool]) -> None:
    tools, video_id = run.tools, run.remake.video_id
    video = tools.maker.published(video_id)
    if video is None:
        return  # deleted meanwhile
    rungs = ladder.missing(video, tools.ladder)
    if rungs:
        _check_time(tools)
        check_room(tools.maker.disk(), tools.keep_free, needed_bytes=ladder.needed_bytes(rungs, video.duration_s))
        video = tools.maker.make(
            video_id, rungs, attempt=run.remake.attempt, fence=run.fence, progress=run.note, stopped=stopped
        )
    tools.shelf.register_video(video_id, video)
    if tools.leaving(video_id) or not tools.maker.shown(video_id):
        tools.shelf.delete_video(video_id)  # somebody deleted it just then, and the catalogue had forgotten it already


def _left(run: _Run) -> rules.Remake | None:
    """Stop because the remake is not ours any more, or because there is something better to do."""
    tools, video_id = run.tools, run.remake.video_id
    if run.why is not None:
        return _stopped(run, run.why)
    if not tools.maker.shown(video_id):
        return _changed(run)
    log.info("remake_lost", video_id=video_id)
    return None


def _changed(run: _Run) -> rules.Remake | None:
    """Stop because the film is gone or another one: forget it, or begin again with what is there now."""
    tools, video_id = run.tools, run.remake.video_id
    log.info("remake_of_what_was", video_id=video_id)
    if not tools.maker.shown(video_id):
        tools.remakes.drop(video_id)
        return None
    with suppress(LeaseLost, rules.NoSuchRemake):
        run.change(partial(rules.handed_back, token=run.token, now_s=tools.clock()))
        return run.remake
    return None


def _stopped(run: _Run, error: KinodomError) -> rules.Remake | None:
    """Store why it stopped: what passes waits, the rest is refused."""
    token, now_s, code, reason = run.token, run.tools.clock(), error.code, error.detail
    put_off = partial(rules.waiting, code=code, reason=reason, now_s=now_s)
    if isinstance(error, rules.SteppedAside):
        step = partial(rules.handed_back, token=token, now_s=now_s)
    elif isinstance(error, OutsideHours):
        step = partial(put_off, pause_s=closed_s(run.tools))
    elif isinstance(error, NoSpace | MediaFolderUnusable):
        step = partial(put_off, pause_s=DISK_WAIT_S)
    elif isinstance(error, UpstreamFailed) and not isinstance(error, PackagingFailed | BrokenBoxes):
        step = partial(put_off, pause_s=TELL_AGAIN_S)  # the catalogue is away; the renditions are there
    else:
        step = partial(rules.refused, code=code, reason=reason, now_s=now_s)
    log.info("remake_stopped", video_id=run.remake.video_id, code=code, detail=reason)
    try:
        run.change(lambda found: step(rules.held(found, token)))
    except (LeaseLost, rules.NoSuchRemake):
        return None
    return run.remake


def _give_back(video_id: str, token: str, tools: Tools) -> None:
    with suppress(LeaseLost, rules.NoSuchRemake):
        tools.remakes.change(video_id, partial(rules.handed_back, token=token, now_s=tools.clock()))


def _check_time(tools: Tools) -> None:
    """Return when a remake may go on now; raises SteppedAside or OutsideHours."""
    if is_busy(tools):
        raise rules.SteppedAside("A film that somebody waits for comes first. This is begun again when it is there.")
    tools.hours.check(tools.time_of_day_s(tools.clock()), watched=False)


def closed_s(tools: Tools) -> float:
    """Return how long no remake may begin or go on from now on."""
    return tools.hours.closed_for_s(tools.time_of_day_s(tools.clock()), watched=False)
