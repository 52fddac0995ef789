"""The queue of pieces between the threads: the most urgent first, failed ones again after a pause."""

from __future__ import annotations

import heapq
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kinodom_downloader.domain.faults import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_AT_ONCE = 4  # so that the first pieces, which a viewer may wait for, have the line
CAREFUL = 8
MODEST_SHARE = 4  # a modest download goes on with this part of its pieces at once


@dataclass(order=True, slots=True)
class Job:
    """One piece in the queue."""

    urgency: float  # the smallest first: its place in the film, seconds; below 0: somebody waits for it
    track: int
    index: int
    attempts: int = field(default=0, compare=False)
    kept: object = field(default=None, compare=False)  # what an earlier attempt brought


class Pieces:
    """A heap by urgency with a waiting room, bounded by how many pieces may be on their way at once."""

    def __init__(self, jobs: list[Job], *, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._heap = jobs
        heapq.heapify(self._heap)
        self._later: list[tuple[float, Job]] = []
        self._busy = 0
        self._most = at_once
        self._at_once = min(at_once, FIRST_AT_ONCE)
        self._each = 1  # good pieces in a row after which one more may be on its way
        self._modest = False  # others need the line more
        self.on_done: Callable[[Job], None] = lambda _job: None  # told of each finished piece, by its thread
        self._good = 0
        self._clock = clock
        lock = threading.RLock()
        self._change, self._over = threading.Condition(lock), threading.Condition(lock)
        self._failure: BaseException | None = None
        self._stopped = False

    def take(self, *, express: bool = False) -> Job | None:
        """Return the next piece when there is one to fetch now; None when all are done or the work has stopped.

        Args:
            express: only what somebody waits for, and that however many are on their way.
        """
        with self._change:
            while True:
                self._wake_later()
                if self._stopped or not (self._heap or self._later or self._busy):
                    return None
                if self._heap and (self._heap[0].urgency < 0 if express else self._busy < self._limit()):
                    self._busy += 1
                    return heapq.heappop(self._heap)
                self._change.wait(self._pause_s())

    def done(self, _job: Job) -> None:
        """Take note of a finished piece: one more may be on its way, once the host asked for fewer after eight only."""
        with self._change:
            self._busy -= 1
            self._good += 1
            if self._good >= self._each and self._at_once < self._most:
                self._at_once, self._good = self._at_once + 1, 0
            self._tell()

    def again(self, job: Job, *, after_s: float, crowded: bool) -> None:
        """Put a piece back for later. `crowded`: the host asked for fewer requests, so half as many go out."""
        with self._change:
            self._busy -= 1
            self._later.append((self._clock() + after_s, job))
            if crowded:
                self._at_once, self._good, self._each = max(1, self._at_once // 2), 0, CAREFUL
            self._tell()

    def drop(self) -> None:
        """Take note of a piece that is given up without harm."""
        with self._change:
            self._busy -= 1
            self._tell()

    def fail(self, failure: BaseException, *, held: int = 0) -> None:
        """Stop everything because of this failure; the first one counts. `held`: pieces given back with it."""
        with self._change:
            self._busy -= held
            self._failure = self._failure or failure
            self._stopped = True
            self._tell()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._change:
            self._stopped = True
            self._tell()

    def prefer(self, urgency_of: Callable[[Job], float]) -> None:
        """Order what is left anew, such as after a viewer jumped."""
        with self._change:
            for job in self._heap:
                job.urgency = urgency_of(job)
            for _, job in self._later:
                job.urgency = urgency_of(job)
            heapq.heapify(self._heap)
            self._tell()

    def modest(self, now: bool) -> None:
        """Leave most of the line to others from now on, or take it again."""
        with self._change:
            self._modest = now
            self._tell()

    def settled(self, wait_s: float) -> bool:
        """Wait a little; return whether nothing is left or under way.

        Raises:
            BaseException: what a worker failed with, once no other is under way.
        """
        with self._change:
            if not self._is_settled():
                self._over.wait(wait_s)
            settled = self._is_settled()
            if settled and self._failure is not None:
                raise self._failure
            return settled

    def room(self) -> int:
        """Return how many more pieces may go on their way at this moment."""
        with self._change:
            return max(0, self._limit() - self._busy)

    def check(self) -> None:
        """Raise Stopped when nobody wants the pieces any more."""
        if self._stopped:
            raise Stopped

    def _limit(self) -> int:
        return max(1, self._at_once // MODEST_SHARE) if self._modest else self._at_once

    def _tell(self) -> None:
        """Wake threads that wait for a piece, and the one that waits for the end when that has come."""
        self._change.notify_all()
        if self._is_settled():
            self._over.notify_all()

    def _is_settled(self) -> bool:
        return not self._busy and (self._stopped or not (self._heap or self._later))

    def _wake_later(self) -> None:
        now_s = self._clock()
        for entry in [entry for entry in self._later if entry[0] <= now_s]:
            self._later.remove(entry)
            heapq.heappush(self._heap, entry[1])

    def _pause_s(self) -> float | None:
        return max(0.0, min(at_s for at_s, _ in self._later) - self._clock()) + 0.001 if self._later else None
