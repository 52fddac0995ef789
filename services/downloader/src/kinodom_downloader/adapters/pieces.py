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
BUSY_IN_A_ROW = 3  # answers of "too busy" after which a host is taken to be crowded
BUSY_SHARE = 0.8  # of one processor that this process uses: the line is not what a download waits for
LOOK_S = 0.02  # how long that is measured


@dataclass(order=True, slots=True)
class Job:
    """One piece in the queue."""

    urgency: float  # the smallest first: its place in the film, seconds; below 0: somebody waits for it
    track: int
    index: int
    attempts: int = field(default=0, compare=False)
    kept: object = field(default=None, compare=False)  # what an earlier attempt brought


class Pieces:
    """A heap by urgency with a waiting room, bounded by how many pieces may be on their way at once.

    Args:
        jobs: what is to be fetched.
        at_once: how many may be on their way, at the most.
        host_of: names the host of a piece, for hosts that ask to be left alone.
        clock: seconds from any moment.
        labour: seconds of a processor that this process has used, from any moment.
        wait: waits on a condition for so many seconds at the most.
    """

    def __init__(
        self,
        jobs: list[Job],
        *,
        at_once: int,
        host_of: Callable[[Job], str] = lambda _job: "",
        clock: Callable[[], float] = time.monotonic,
        labour: Callable[[], float] = time.process_time,
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
    ) -> None:
        self._host_of = host_of
        self._left_alone: dict[str, float] = {}  # hosts, and until when
        self._busy_in_a_row = 0
        self._wait = wait
        self._heap = jobs
        heapq.heapify(self._heap)
        self._later: list[tuple[float, Job]] = []
        self._busy = 0
        self._most = at_once
        self._at_once = min(at_once, FIRST_AT_ONCE)
        self._each = 1  # good pieces in a row after which one more may be on its way
        self._modest = False  # others need the line more
        self.on_done: Callable[[Job], None] = lambda _job: None  # told of each finished piece, by its thread
        self.on_gone: Callable[[Job], None] = lambda _job: None  # of each that is given up and left out of the film
        self._good = 0
        self._clock, self._labour = clock, labour
        self._looked = (clock(), labour())
        self._is_laboured = False
        lock = threading.RLock()
        self._change, self._urgent, self._over = (threading.Condition(lock) for _ in range(3))
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
                if (express or self._busy < self._limit()) and (job := self._next(express)) is not None:
                    self._busy += 1
                    return job
                if express:
                    self._change.notify()  # what it finished has left a place that is not for it
                self._wait(self._urgent if express else self._change, self._pause_s())

    def done(self, _job: Job) -> None:
        """Take note of a finished piece: one more may be on its way, once the host asked for fewer after eight only.

        While the processor is what it waits for, more threads would only be in each other's way. Who calls this takes
        the next piece, so nobody else is woken for it.
        """
        with self._change:
            self._busy -= 1
            self._busy_in_a_row = 0
            self._good += 1
            self._look()
            if self._is_laboured:
                self._at_once = min(self._at_once, max(FIRST_AT_ONCE, self._at_once - 1))
            elif self._good >= self._each and self._at_once < self._most:
                self._at_once, self._good = self._at_once + 1, 0
                self._change.notify()
            if self._is_settled():
                self._tell()

    def again(self, job: Job, *, after_s: float, crowded: bool = False, busy: bool = False, alone_s: float = 0) -> None:
        """Put a piece back for later.

        Args:
            after_s: not before that.
            crowded: the host asked for fewer requests, so half as many go out.
            busy: the host says that it is too busy; several times in a row, that asks for fewer requests too.
            alone_s: the host asked not to be called for so long, for any piece.
        """
        with self._change:
            self._busy -= 1
            self._later.append((self._clock() + after_s, job))
            if alone_s:
                host = self._host_of(job)
                self._left_alone[host] = max(self._left_alone.get(host, 0.0), self._clock() + alone_s)
            if busy:
                self._good, self._busy_in_a_row = 0, self._busy_in_a_row + 1
            if crowded or self._busy_in_a_row >= BUSY_IN_A_ROW:
                self._at_once, self._good, self._each = max(1, self._at_once // 2), 0, CAREFUL
                self._busy_in_a_row = 0
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

    def _next(self, express: bool) -> Job | None:
        """Take the most urgent piece out of the heap whose host may be called."""
        if not self._heap or (express and self._heap[0].urgency >= 0):
            return None
        if not self._left_alone:
            return heapq.heappop(self._heap)
        free = [job for job in self._heap if self._host_of(job) not in self._left_alone]
        job = min(free, default=None)
        if job is None or (express and job.urgency >= 0):
            return None
        self._heap.remove(job)
        heapq.heapify(self._heap)
        return job

    def _limit(self) -> int:
        return max(1, self._at_once // MODEST_SHARE) if self._modest else self._at_once

    def _tell(self) -> None:
        """Wake threads that wait for a piece, and the one that waits for the end when that has come."""
        self._change.notify_all()
        self._urgent.notify_all()
        if self._is_settled():
            self._over.notify_all()

    def _look(self) -> None:
        """Find out now and then whether the processor is what everything waits for."""
        now_s, used_s = self._clock(), self._labour()
        since_s, before_s = self._looked
        if now_s - since_s >= LOOK_S:
            self._is_laboured = used_s - before_s > BUSY_SHARE * (now_s - since_s)
            self._looked = (now_s, used_s)

    def _is_settled(self) -> bool:
        return not self._busy and (self._stopped or not (self._heap or self._later))

    def _wake_later(self) -> None:
        now_s = self._clock()
        for entry in [entry for entry in self._later if entry[0] <= now_s]:
            self._later.remove(entry)
            heapq.heappush(self._heap, entry[1])
        for host in [host for host, until_s in self._left_alone.items() if until_s <= now_s]:
            del self._left_alone[host]

    def _pause_s(self) -> float | None:
        ends_s = [*(at_s for at_s, _ in self._later), *self._left_alone.values()]
        return max(0.0, min(ends_s) - self._clock()) + 0.001 if ends_s else None
