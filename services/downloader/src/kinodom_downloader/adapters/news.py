"""Hints to workers and news to browsers, both through Redis, both allowed to be lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import redis

from kinodom_common.contracts.wishes import DOWNLOADS_CHANNEL, QUEUE_CHANNEL
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_common.queueing import hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.wishes import QueueStatus, WishEvent
    from kinodom_common.queueing import HouseQueue
    from kinodom_downloader.adapters.wants import RedisWants

log = get_log(__name__)

QUEUE = "wishes"
FULFIL = "fulfil"
REMAKE = "remake"
JOB_LIMIT_S = 24 * 3600  # a film over a slow line; the engine itself notices a stall in seconds
SHORTEST_GAP_S = 0.25  # between two progress messages of one wish
REST_S = 2.0  # after Redis did not take one: a film is not held up by news of it


class RqHints:
    """The port `Hints`: one job per attempt, so that an old hint cannot stand for a new one."""

    def __init__(self, queue: HouseQueue, wants: RedisWants) -> None:
        self._queue = queue
        self._wants = wants

    def give(self, wish_id: str, attempt: int) -> None:
        """Tell some worker that a wish is due."""
        hint(self._queue, FULFIL, wish_id, job_id=f"{wish_id}-{attempt}", timeout_s=JOB_LIMIT_S)

    def hurry(self, wish_id: str) -> None:
        """Tell the usher that somebody watches this wish and nobody fetches it."""
        self._wants.hurry(wish_id)


class RqRemakeHints:
    """Hints at remakes, through the same queue as those at wishes."""

    def __init__(self, queue: HouseQueue) -> None:
        self._queue = queue

    def __call__(self, video_id: str, attempt: int) -> None:
        """Tell some worker that a remake is due."""
        hint(self._queue, REMAKE, video_id, job_id=f"remake-{video_id}-{attempt}", timeout_s=JOB_LIMIT_S)


class RedisAnnouncer:
    """The port `Announcer`: progress at most four times a second per wish, everything else at once.

    Args:
        connection: to Redis, with a time limit on answers: a worker must not wait for news to be taken.
        queue_status: how the queue stands; may raise a KinodomError.
        clock: steady, seconds.
    """

    def __init__(
        self,
        connection: redis.Redis,
        queue_status: Callable[[], QueueStatus],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._queue_status = queue_status
        self._clock = clock
        self._last_s: dict[str, tuple[float, str]] = {}
        self._rests_until_s = 0.0

    def announce(self, event: WishEvent) -> None:
        """Send, unless the last progress of the same stage was just now."""
        if event.type == "task_progress":
            last_s, stage = self._last_s.get(event.wish_id, (-1.0, ""))
            if stage == event.progress.stage and self._clock() - last_s < SHORTEST_GAP_S:
                return
            self._last_s[event.wish_id] = (self._clock(), event.progress.stage)
        self._send(DOWNLOADS_CHANNEL, event)
        if event.type != "task_progress":
            self.tell_queue()

    def tell_queue(self) -> None:
        """Send how the queue stands."""
        try:
            self._send(QUEUE_CHANNEL, self._queue_status())
        except KinodomError as exc:
            log.warning("queue_not_told", code=exc.code)

    def _send(self, channel: str, news: WishEvent | QueueStatus) -> None:
        if self._clock() < self._rests_until_s:
            return
        try:
            self._connection.publish(channel, news.model_dump_json())
        except redis.RedisError as exc:
            self._rests_until_s = self._clock() + REST_S
            log.warning("news_not_sent", channel=channel, error=type(exc).__name__)
