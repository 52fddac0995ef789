"""The fetch engine: an offer goes in, checked pieces lie on the disk when it comes out.

Several threads take pieces from one queue, the most urgent first. Each piece is fetched into memory, decrypted,
checked, written beside its place and renamed. Stopped or killed at any moment, the same call goes on from there.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from kinodom_common.egress import EgressRules, target_of
from kinodom_downloader.adapters.connections import OwnConnections, SharedConnections
from kinodom_downloader.adapters.failures import told
from kinodom_downloader.adapters.gatherer import Gatherer
from kinodom_downloader.adapters.harvest import fetched_of
from kinodom_downloader.adapters.patience import Brake, Limits, Watch
from kinodom_downloader.adapters.pieces import Job, Pieces
from kinodom_downloader.adapters.planner import Planner
from kinodom_downloader.adapters.proofreading import thrown_away
from kinodom_downloader.adapters.renditions import strangers
from kinodom_downloader.adapters.segments import Line
from kinodom_downloader.adapters.sprint import LANES, Lanes
from kinodom_downloader.adapters.tally import Tally
from kinodom_downloader.adapters.worker_thread import Bench, Retry, Worker
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.domain import gate
from kinodom_downloader.domain.faults import Stopped
from kinodom_downloader.domain.holes import Missing
from kinodom_downloader.domain.live import Spot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from kinodom_downloader.domain.continuity import Clock
    from kinodom_downloader.domain.fetched import Fetched, FilmSource, Headway
    from kinodom_downloader.domain.holes import Leave
    from kinodom_downloader.domain.plan import Plan

_TICK_S: Final = 0.2
_FLUSH_MOST: Final = 128  # pieces in one go
_FLUSH_AFTER_S: Final = 2.0  # so much of the work a power cut may cost; a film that comes sooner is flushed whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How media hosts are reached."""

    rules: EgressRules
    user_agent: str
    limits: Limits = field(default_factory=Limits)
    retry: Retry = field(default_factory=Retry)
    brake: Brake | None = None  # the speed limit of all downloads of this process; None: as fast as it goes
    hosts: SharedConnections | None = None  # the limit of connections to one host; None: there is none
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait  # for the next attempt

    def line(self, offer: FilmSource, check: Callable[[], None], on_bytes: Callable[[int], None]) -> Line:
        """Return the connections of one worker, with the headers that the offer's host wants to see."""
        watch = Watch(limits=self.limits, check=check, on_bytes=on_bytes, brake=self.brake)
        return Line(
            connections=self.hosts or OwnConnections(self.rules),
            user_agent=self.user_agent,
            headers=offer.headers,
            meant_for=target_of(offer.url),
            watch=watch,
        )

    def pieces(self, jobs: list[Job], plan: Plan, *, at_once: int) -> Pieces:
        """Return the queue of a plan's pieces."""
        if self.hosts is not None:  # who waits for a connection has its piece already, and no viewer can change that
            hosts = {urlsplit(segment.url).netloc for track in plan.tracks for segment in track.segments}
            at_once = min(at_once, self.hosts.slots.most * len(hosts))
        return Pieces(
            jobs,
            at_once=at_once,
            host_of=lambda job: urlsplit(plan.tracks[job.track].segments[job.index].url).netloc,
            clock=self.clock,
            wait=self.wait,
        )


def fetch(
    offer: FilmSource,
    work_dir: Path,
    *,
    transport: Transport,
    workers: int = 8,
    on_progress: Callable[[Headway], None],
    should_stop: Callable[[], bool],
    wanted_height_px: int | None = None,
    on_start: Callable[[Pieces, WorkFolder], None] | None = None,
    hurry: bool = False,
    leave: Leave = "nothing",
) -> Fetched:
    """Return all tracks of an offer, whole and checked, in the work folder.

    Args:
        offer: where it is; a fresh one for every call.
        work_dir: kept from call to call; finished pieces in it are not fetched again.
        workers: pieces fetched at once.
        on_progress: called about five times a second, from this thread.
        should_stop: asked as often.
        wanted_height_px: this height, else the nearest below, else the lowest; None: the highest.
        leave: what may be missing in the end.
        hurry: somebody waits for the first piece, so its connections are opened while the plan is made.
        on_start: given the queue and the folder when the plan is made, so that viewers can begin and reorder it.

    Raises:
        Stopped: because `should_stop` said so.
        Rejected: (with its leaves) final.
        UpstreamFailed: (with its leaves) worth another call, later and with a fresh offer.
        SegmentGap, PartsMissing, TooManyHoles: parts are missing, and how many.
        NotFound: the offer's address leads nowhere. NoSpace: the disk is full; worth another call when it is not.
    """
    start = _Start(offer, transport, should_stop, spare=LANES if hurry else 0)
    with start.closed_on_failure():
        folder, missing = start.open(wanted_height_px, work_dir, leave)
    gatherer = Gatherer(folder)
    clocks: dict[tuple[int, int], Clock] = {}
    for _ in range(max(1, transport.retry.firm_attempts)):
        tally = Tally(folder.plan, workers + 1 + LANES, anew=folder.anew)
        pieces = transport.pieces(_jobs(folder, tally, missing.spots), folder.plan, at_once=workers)
        if on_start is not None:
            with start.closed_on_failure():
                on_start(pieces, folder)
        lines = [transport.line(offer, pieces.check, tally.counter(number)) for number in range(workers + 1 + LANES)]
        for place, warm in zip((0, *range(workers + 1, len(lines))), start.handed_over(), strict=False):
            lines[place] = warm.handed_on(lines[place].watch)
        retry, lanes = transport.retry, Lanes(lines[workers + 1 :])
        bench = Bench(
            folder=folder, pieces=pieces, tally=tally, retry=retry, lanes=lanes, missing=missing, clocks=clocks
        )
        crew = [Worker(n, bench, line, express=n == 0) for n, line in enumerate(lines[: workers + 1])]
        tick = partial(_tick, tally, on_progress, transport.hosts)
        _attend(crew, bench, gatherer, on_tick=tick, should_stop=should_stop)
        on_progress(tally.progress())
        odd = thrown_away(folder, clocks, left_out=bench.left_out, missing=missing.spots)
        if not odd:
            break
    _leave_out(odd, missing, folder, gatherer)
    return fetched_of(folder, left_out=bench.left_out, missing=missing.spots)


def _leave_out(odd: dict[Spot, str], missing: Missing, folder: WorkFolder, gatherer: Gatherer) -> None:
    """Return when pieces that stay odd may be missing, and all that is; raises what says that they may not."""
    for spot, instead in sorted(odd.items()):
        failure = told(Job(0.0, spot.track, spot.index), gate.NotThatMedia(instead), folder)
        if (end := missing.add(spot, failure)) is not None:
            raise end
    missing.check()
    gatherer.finish()


def _tick(tally: Tally, on_progress: Callable[[Headway], None], hosts: SharedConnections | None) -> None:
    on_progress(tally.progress())
    if hosts is not None:
        hosts.tidy()


class _Start:
    """The making of the plan, and the connections that are open when it is there."""

    def __init__(self, offer: FilmSource, transport: Transport, should_stop: Callable[[], bool], *, spare: int) -> None:
        self._offer = offer
        self._should_stop = should_stop
        self._lines = [transport.line(offer, self._check, lambda _count: None) for _ in range(1 + spare)]
        self._warming = [threading.Thread(target=line.warm, args=(offer.url,)) for line in self._lines[1:]]

    def open(self, wanted_height_px: int | None, work_dir: Path, leave: Leave) -> tuple[WorkFolder, Missing]:
        """Return the work folder with the plan, and what is missing of it from the first; raises as the planner."""
        for thread in self._warming:
            thread.start()
        planner = Planner(line=self._lines[0], pause=self._pause)
        plan = planner.plan(self._offer, wanted_height_px)
        if leave == "nothing":
            Missing(plan, _gaps(plan), leave)  # now, for the folder keeps only pieces of the plan that it gets
        folder = WorkFolder.opened(work_dir, plan, start_over=strangers(work_dir, plan, planner))
        gaps = [spot for spot in _gaps(plan) if not folder.has(spot.track, spot.index)]
        return folder, Missing(plan, gaps, leave)

    @contextmanager
    def closed_on_failure(self) -> Iterator[None]:
        """Close the connections that nobody has taken over when the block raises."""
        try:
            yield
        except BaseException:
            for line in self.handed_over():
                line.close()
            raise

    def handed_over(self) -> list[Line]:
        """Return the lines that are open, once; one that is still being opened is left to itself."""
        ready = [not thread.is_alive() for thread in self._warming]
        lines, self._lines = self._lines, []
        return [line for line, is_ready in zip(lines, [True, *ready], strict=False) if is_ready]

    def _check(self) -> None:
        if self._should_stop():
            raise Stopped

    def _pause(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left_s, _TICK_S))


def _attend(
    crew: list[Worker],
    bench: Bench,
    gatherer: Gatherer,
    *,
    on_tick: Callable[[], None],
    should_stop: Callable[[], bool],
) -> None:
    """Run the workers to the end; whatever happens, they have ended and what they finished is safe."""
    pieces, folder = bench.pieces, bench.folder
    threads = [threading.Thread(target=worker.run, name=f"pieces-{worker.number}") for worker in crew]
    for thread in threads:
        thread.start()
    try:
        while not pieces.settled(_TICK_S):
            if should_stop():
                pieces.fail(Stopped())
            gatherer.step()
            folder.settle(after_s=_FLUSH_AFTER_S, at_most=_FLUSH_MOST)
            on_tick()
        while gatherer.step():
            if should_stop():
                raise Stopped
            on_tick()
    finally:
        pieces.stop()
        for thread in threads:
            thread.join()
        bench.lanes.close()
        folder.arrivals.release()
        folder.settle()
        gatherer.close()


def _gaps(plan: Plan) -> list[Spot]:
    """Return what the source itself says is missing."""
    return [
        Spot(number, index)
        for number, track in enumerate(plan.tracks)
        for index, segment in enumerate(track.segments)
        if segment.gap
    ]


def _jobs(folder: WorkFolder, tally: Tally, missing: AbstractSet[Spot]) -> list[Job]:
    """Return what is still to be fetched, ordered by its place in the film."""
    jobs: list[Job] = []
    for number, track in enumerate(folder.plan.tracks):
        at_s = 0.0
        for index, segment in enumerate(track.segments):
            if folder.has(number, index):
                tally.found(number, index, folder.safe[number, index])
            elif Spot(number, index) in missing:
                tally.finished(number, index, 0)
            else:
                urgency = at_s if track.shape == "segments" else float(index)
                jobs.append(Job(urgency, number, index))
            at_s += segment.duration_s
    return jobs
