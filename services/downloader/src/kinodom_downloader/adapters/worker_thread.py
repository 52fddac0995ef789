"""One thread of the fetch engine: takes a piece, fetches, opens, checks, keeps it; decides what a failure means."""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kinodom_common.egress import OutsideBadStatus
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.bodies import Body, MemoryBody, Piece, Taken
from kinodom_downloader.adapters.failures import patience, told
from kinodom_downloader.adapters.locks import unlock
from kinodom_downloader.adapters.parts import PartBody
from kinodom_downloader.domain import clocks, gate
from kinodom_downloader.domain.continuity import clock_of
from kinodom_downloader.domain.faults import (
    Stopped,
)
from kinodom_downloader.domain.live import USUAL_BIT_S, Spot
from kinodom_downloader.domain.plan import same_version

if TYPE_CHECKING:
    from kinodom_downloader.adapters.pieces import Job, Pieces
    from kinodom_downloader.adapters.segments import Line
    from kinodom_downloader.adapters.sprint import Lanes
    from kinodom_downloader.adapters.tally import Tally
    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.continuity import Clock
    from kinodom_downloader.domain.gate import Payload
    from kinodom_downloader.domain.holes import Missing
    from kinodom_downloader.domain.plan import Segment, TrackPlan

log = get_log(__name__)

PACKINGS: Final = ("gzip", "x-gzip", "deflate")
_OPEN_AT_ONCE: Final = 1  # segments that are looked through, as all of one is in memory meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how soon again."""

    attempts: int = 12  # no connection, timeouts, 5xx, cut answers
    firm_attempts: int = 3  # the host says no, or sends what is no media
    first_s: float = 0.025
    longest_s: float = 4.0
    longest_asked_s: float = 60.0  # of what a Retry-After asks for

    def pause_s(self, failures: int) -> float:
        """Return the pause after so many failures: doubled each time, with full jitter in its upper half."""
        whole_s = min(self.longest_s, self.first_s * 2.0 ** (failures - 1))
        return whole_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, no secret


@dataclass(slots=True)
class Tries:
    """What earlier attempts at a piece brought."""

    taken: Taken
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Bench:
    """What all threads of one download share."""

    folder: WorkFolder
    pieces: Pieces
    tally: Tally
    retry: Retry
    lanes: Lanes
    missing: Missing
    kinds: dict[int, gate.Kind] = field(default_factory=dict)  # of each track, from its first piece
    keys: dict[str, bytes] = field(default_factory=dict)
    left_out: set[int] = field(default_factory=set)  # subtitle tracks that could not be had
    clocks: dict[tuple[int, int], Clock] = field(default_factory=dict)  # of pieces by track and index
    at_a_time: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_OPEN_AT_ONCE))
    lock: threading.Lock = field(default_factory=threading.Lock)
    key_lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Worker:
    """One thread and its connections."""

    number: int
    bench: Bench
    line: Line
    express: bool = False  # takes only what somebody waits for, so that it never stands behind what takes long

    def run(self) -> None:
        """Work until there is nothing left or the work has stopped."""
        try:
            while job := self.bench.pieces.take(express=self.express):
                self._one(job)
        finally:
            self.line.close()

    def _one(self, job: Job) -> None:
        pieces = self.bench.pieces
        try:
            if job.track in self.bench.left_out:
                pieces.drop()
                return
            length = self._keep(job)
            pieces.on_done(job)
        except (KinodomError, gate.NotThatMedia) as exc:
            self._failed(job, exc)
        except Stopped as exc:
            pieces.fail(exc, held=1)
        except Exception as exc:  # noqa: BLE001 - the edge of a thread: carried to the one who waits
            pieces.fail(exc, held=1)
        else:
            with self.bench.lock:
                self.bench.tally.finished(job.track, job.index, length)
            pieces.done(job)

    def _keep(self, job: Job) -> int:
        """Fetch one piece and put it in its place; return its length."""
        folder = self.bench.folder
        track = folder.plan.tracks[job.track]
        segment = track.segments[job.index]
        if (payload := self._already(job, segment)) is not None:
            folder.note(job.track, job.index, len(payload))
            return len(payload)
        if not isinstance(job.kept, Tries):
            job.kept = Tries(Taken(body=self._body(job, track, segment)))
        taken = job.kept.taken
        body = taken.body
        with closing(body):
            self._take(job, track, segment, taken)
        if track.file_bytes is not None:
            _check_same_file(track, taken)
        if isinstance(body, PartBody):
            return self._keep_segment(job, segment, taken, body)
        if isinstance(body, MemoryBody):
            if segment.offset:
                gate.check_range(body.held)
            folder.keep(job.track, job.index, body.held)
        else:
            folder.note(job.track, job.index, len(body))
        return len(body)

    def _take(self, job: Job, track: TrackPlan, segment: Segment, taken: Taken) -> None:
        """Fetch a piece; over several connections at once when a viewer waits for it."""
        piece = Piece(url=segment.url, start=segment.offset, length=segment.length)
        self.line.urgency = job.urgency
        if job.urgency < 0 and not segment.is_init and len(taken.body) == 0:
            guess = int(segment.duration_s * (track.bandwidth or USUAL_BIT_S) / 8)
            if self.bench.lanes.take(self.line, piece, taken, guess_bytes=guess):
                return
        self.line.take(piece, taken)

    def _body(self, job: Job, track: TrackPlan, segment: Segment) -> Body:
        if track.shape == "segments":
            return self.bench.folder.part(job.track, job.index)
        return self.bench.folder.stream(job.track) if segment.length is None else MemoryBody()

    def _keep_segment(self, job: Job, segment: Segment, taken: Taken, body: PartBody) -> int:
        """Put a segment that came in its place: just as it lies there when nothing has to be taken off it."""
        folder = self.bench.folder
        with self.bench.at_a_time:
            plain = self._opened(job, segment, taken, body)
            with plain.read() as raw:
                payload = self._checked(job, segment, raw, declared=taken.declared)
                length = len(payload)
                if payload is raw and plain.path is not None:
                    folder.adopt(job.track, job.index, plain)
                else:
                    folder.keep(job.track, job.index, payload)
            plain.cut(0)
            body.cut(0)
        return length

    def _already(self, job: Job, segment: Segment) -> Payload | None:
        """Return a piece that an earlier call put in its place and did not list, when it passes."""
        payload = self.bench.folder.unlisted(job.track, job.index) if job.kept is None else None
        if payload is None:
            return None
        try:
            return self._checked(job, segment, payload, declared=True)
        except gate.NotThatMedia:
            return None

    def _opened(self, job: Job, segment: Segment, taken: Taken, body: PartBody) -> PartBody:
        """Return the bytes of a segment unpacked and decrypted."""
        if taken.encoding not in PACKINGS and segment.key_url is None:
            return body
        plain = self.bench.folder.plain(job.track, job.index)
        with body.read() as raw, closing(plain):
            whole = gate.unpacked(raw) if taken.encoding in PACKINGS else raw
            if segment.key_url is None:
                plain.add(memoryview(whole))
                return plain
            key = self._key(segment.key_url)
            unlock(whole, plain.add, key=key, iv_hex=segment.iv_hex, room=self.line.room)
        return plain

    def _key(self, url: str) -> bytes:
        with self.bench.key_lock:
            if url not in self.bench.keys:
                taken = Taken(body=MemoryBody(limit=65_536))
                self.line.take(Piece(url=url), taken)
                assert isinstance(taken.body, MemoryBody)
                self.bench.keys[url] = gate.check_key(bytes(taken.body.held))
            return self.bench.keys[url]

    def _checked(self, job: Job, segment: Segment, body: Payload, *, declared: bool) -> Payload:
        track = self.bench.folder.plan.tracks[job.track]
        if track.role == "subtitles":
            return gate.check_subtitles(body).payload
        checked = gate.check_piece(body, is_init=segment.is_init)
        with self.bench.lock:
            expected = self.bench.kinds.setdefault(job.track, checked.kind)
        gate.check_against(checked.kind, expected)
        if not declared and checked.kind == "ts" and clocks.is_short(checked.payload, segment.duration_s):
            raise gate.NotThatMedia("a segment that ends too early")
        with self.bench.lock:
            self.bench.clocks[job.track, job.index] = clock_of(checked.payload, checked.kind)
        return checked.payload

    def _failed(self, job: Job, error: KinodomError | gate.NotThatMedia) -> None:
        tries = job.kept if isinstance(job.kept, Tries) else Tries(Taken())
        most, kind = patience(error, self.bench.retry)
        tries.counts[kind] += 1
        if isinstance(error, gate.NotThatMedia) and not isinstance(error, gate.NotThatKey):
            tries.taken.body.cut(0)
        if tries.counts[kind] < most:
            job.kept = tries
            asked_s = error.facts.get("retry_after_s") if isinstance(error, KinodomError) else None
            pause_s = self.bench.retry.pause_s(tries.counts[kind])
            alone_s = min(asked_s, self.bench.retry.longest_asked_s) if isinstance(asked_s, float) else 0.0
            status = error.facts["status"] if isinstance(error, OutsideBadStatus) else None
            self.bench.pieces.again(
                job,
                after_s=max(pause_s, alone_s),
                crowded=status == 429 or (status is not None and asked_s is not None),
                busy=status == 503,
                alone_s=alone_s,
            )
            return
        track = self.bench.folder.plan.tracks[job.track]
        if track.role == "subtitles":
            log.warning("subtitles_left_out", language=track.language, track=job.track, error=str(error))
            self.bench.left_out.add(job.track)
            self.bench.pieces.drop()
            return
        self._left_out(job, told(job, error, self.bench.folder))

    def _left_out(self, job: Job, failure: KinodomError) -> None:
        """Go on without a piece when it may be missing, else end the fetch."""
        segment = self.bench.folder.plan.tracks[job.track].segments[job.index]
        with self.bench.lock:
            end = failure if segment.is_init else self.bench.missing.add(Spot(job.track, job.index), failure)
            if end is None:
                self.bench.tally.finished(job.track, job.index, 0)
        if end is not None:
            self.bench.pieces.fail(end, held=1)
            return
        log.warning("piece_left_out", track=job.track, index=job.index, code=failure.code)
        self.bench.pieces.on_gone(job)
        self.bench.pieces.drop()


def _check_same_file(track: TrackPlan, taken: Taken) -> None:
    if taken.total not in (None, track.file_bytes):
        raise gate.NotThatMedia("a file of another length (it was changed meanwhile)")
    if not same_version(taken.body.version, track.file_version):
        raise gate.NotThatMedia("a part of another version of the file (it was changed meanwhile)")
