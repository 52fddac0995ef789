"""RQ as the house uses it: a hint to act, never the truth.

Every choice here was measured against kill -9 of workers and of Redis: one queue per worker process, jobs from a
closed table as JSON, short leases, clean-up that cannot be locked for minutes, and work horses that die with their
worker.
"""

from __future__ import annotations

import ctypes
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import redis
from rq.exceptions import DuplicateJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, Retry
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import HerokuWorker

from kinodom_common.errors import KinodomError, Rejected, UpstreamFailed
from kinodom_common.ids import new_id
from kinodom_common.logs import get_log, request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

log = get_log(__name__)

MONITORING_S = 3  # heartbeat of a running job; a lease is three of them
INTERMEDIATE_S = 15  # a job popped by a worker that died before it said so
CLEANING_LOCK_S = 10
LONGEST_RECONNECT_S = 3.0  # between two looks for a Redis that is away; RQ would wait up to a minute
PR_SET_PDEATHSIG = 1


class UnknownJob(Rejected):
    """A queue message names a function that is not in the table of this worker."""

    code = "unknown_job"


class QueueDown(UpstreamFailed):
    """Redis does not answer."""

    code = "queue_down"
    title = "The queue does not answer"


def connect(url: str, *, reply_s: float | None = None) -> redis.Redis:
    """Return a connection for queues; RQ stores bytes, so nothing is decoded.

    Args:
        url: of Redis.
        reply_s: how long an answer is waited for; None: for ever, as workers wait for their next job.
    """
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=reply_s, health_check_interval=15)


def ping(connection: redis.Redis) -> None:
    """Return when Redis answers.

    Raises:
        QueueDown: it does not.
    """
    try:
        connection.ping()
    except redis.RedisError as exc:
        raise QueueDown("Redis does not answer. Wishes are kept and go on when it is back.") from exc


class ClosedJob(Job):
    """A job whose function comes from a table, never from an import by name."""

    table: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    @property
    def func(self) -> Callable[..., Any]:
        """Return the function, or raise UnknownJob."""
        try:
            return self.table[self.func_name or ""]
        except KeyError as exc:
            raise UnknownJob(f"No worker of this kind knows the job {self.func_name!r}.") from exc


class QuickIntermediate(IntermediateQueue):
    """RQ's list of popped jobs, with a short patience: its own minute is too long for the house."""

    def should_be_cleaned_up(self, job_id: str) -> bool:
        """Tell whether a popped job has waited for its start longer than a live worker needs."""
        seen = self.get_first_seen(job_id)
        return bool(seen) and datetime.now(UTC) - seen > timedelta(seconds=INTERMEDIATE_S)  # type: ignore[operator]  # bool(seen) above


class HouseQueue(Queue):
    """A queue whose clean-up lock lapses in seconds, so that a death during the clean-up stops nobody."""

    @property
    def intermediate_queue(self) -> IntermediateQueue:
        """Return the list of popped jobs of this queue."""
        return QuickIntermediate(self.key, connection=self.connection)

    def acquire_maintenance_lock(self) -> bool:
        """Take the clean-up lock for a few seconds; false when somebody else has it."""
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=CLEANING_LOCK_S))


@contextmanager
def _patient(step: str) -> Iterator[None]:
    """Go on when Redis is away: what is told to it here is of use to those who watch, not to the work."""
    try:
        yield
    except redis.ConnectionError as exc:
        log.warning("redis_away", step=step, error=type(exc).__name__)


class Horse:
    """The name of the work horse that this process is, or has forked last; unlike a pid it never comes back."""

    id = ""


HORSE = Horse()


class HouseWorker(HerokuWorker):
    """A worker that hands its job back on SIGTERM at once and whose horse never outlives it.

    RQ's own gives up when Redis is away in the middle of a job, and its job with it. This one lets the job come to its
    end, which is in the service's store, and then waits for Redis.
    """

    imminent_shutdown_delay = 0
    max_connection_wait_time = LONGEST_RECONNECT_S
    job_class = ClosedJob
    queue_class = HouseQueue
    sweep: Callable[[], None] | None = None
    bereaved: Callable[[str], None] | None = None
    horse_id = ""

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork the child that runs the job, under a name of its own that both know."""
        self.horse_id = HORSE.id = new_id()
        super().fork_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """Tell the service whose child has died, before RQ gives its job to another one."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)  # type: ignore[no-untyped-call]  # RQ has no types here
        log.warning("work_horse_died", horse_id=self.horse_id, status=ret_val)
        if self.bereaved is None:
            return
        try:
            self.bereaved(self.horse_id)
        except KinodomError as exc:
            log.warning("death_not_noted", code=exc.code, detail=exc.detail)

    def run_maintenance_tasks(self) -> None:
        """Clean RQ's lists, then let the service find work that no hint names; each few seconds while idle."""
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # RQ has no types here
        if self.sweep is None:
            return
        try:
            self.sweep()
        except KinodomError as exc:
            log.warning("sweep_failed", code=exc.code, detail=exc.detail)

    def check_for_suspension(self, burst: bool) -> None:  # RQ's signature
        """Go on: the house suspends no workers, and the question would end a worker while Redis is away."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job to its end, whatever becomes of Redis meanwhile; RQ's lists are mended by its clean-up."""
        with _patient("job"):
            super().execute_job(job, queue)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell that the worker lives."""
        with _patient("heartbeat"):
            super().heartbeat(timeout, pipeline)

    def maintain_heartbeats(self, job: Job) -> None:
        """Tell that the worker and its job live."""
        with _patient("heartbeat"):
            super().maintain_heartbeats(job)

    def set_current_job_working_time(self, current_job_working_time: float, pipeline: Any = None) -> None:
        """Tell how long the job has run."""
        with _patient("heartbeat"):
            super().set_current_job_working_time(current_job_working_time, pipeline)

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Tell what the worker does."""
        with _patient("state"):
            super().set_state(state, pipeline)

    def get_heartbeat_ttl(self, job: Job) -> int:  # noqa: ARG002  # RQ's signature
        """Return the lease of a running job, seconds."""
        return 3 * MONITORING_S

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Run the job in the forked child, tied to the life of its worker."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        super().main_work_horse(job, queue)


def make_queue(name: str, connection: redis.Redis) -> HouseQueue:
    """Return the queue with this name; messages are JSON."""
    return HouseQueue(name, connection=connection, serializer=JSONSerializer, job_class=ClosedJob)


def make_worker(
    name: str,
    connection: redis.Redis,
    table: Mapping[str, Callable[..., Any]],
    *,
    sweep: Callable[[], None] | None = None,
    bereaved: Callable[[str], None] | None = None,
) -> HouseWorker:
    """Return a worker of one queue that runs the functions of `table` and nothing else.

    Args:
        name: of the queue.
        connection: to Redis, with no time limit on answers.
        table: the functions by the names under which they are asked for.
        sweep: runs every few seconds while the worker is idle: the guarantee behind the hints.
        bereaved: hears at once of a job's process that died (`HORSE.id` in it), so that nobody waits for a lease.
    """
    ClosedJob.table = dict(table)
    worker = HouseWorker(
        [make_queue(name, connection)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=20,
        maintenance_interval=5,
        job_monitoring_interval=MONITORING_S,
    )
    worker.sweep, worker.bereaved = sweep, bereaved
    return worker


def hint(queue: HouseQueue, function: str, argument: str, *, job_id: str, timeout_s: int) -> bool:
    """Ask some worker to act; false when the same hint is there already or Redis is away.

    A lost hint costs nothing but time: the sweeper gives it again.
    """
    try:
        queue.enqueue_call(
            function,
            args=(argument,),
            kwargs={"request_id": request_id()},
            job_id=job_id,
            unique=True,
            timeout=timeout_s,
            result_ttl=0,
            failure_ttl=3600,
            retry=Retry(max=5),
        )
    except DuplicateJobError:
        return False
    except redis.RedisError as exc:
        log.warning("hint_not_given", function=function, argument=argument, error=type(exc).__name__)
        return False
    return True
