"""Hints to workers and news to browsers, both through Redis, both allowed to be lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import redis

from kinodom_common.contracts.wishes import DOWNLOADS_CHANNEL
from kinodom_common.logs import get_log
from kinodom_common.queueing import hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.wishes import WishEvent
    from kinodom_common.queueing import HouseQueue
    from kinodom_downloader.adapters.wants import RedisWants

log = get_log(__name__)

QUEUE = "wishes"
FULFIL = "fulfil"
JOB_LIMIT_S = 24 * 3600  # a film over a slow line; the engine itself notices a stall in seconds
SHORTEST_GAP_S = 0.25  # between two progress messages of one wish


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


class RedisAnnouncer:
    """The port `Announcer`: progress at most four times a second per wish, everything else at once."""

    def __init__(self, connection: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._last_s: dict[str, tuple[float, str]] = {}

    def announce(self, event: WishEvent) -> None:
        """Send, unless the last progress of the same stage was just now."""
        if event.type == "task_progress":
            last_s, stage = self._last_s.get(event.wish_id, (-1.0, ""))
            if stage == event.progress.stage and self._clock() - last_s < SHORTEST_GAP_S:
                return
            self._last_s[event.wish_id] = (self._clock(), event.progress.stage)
        try:
            self._connection.publish(DOWNLOADS_CHANNEL, event.model_dump_json())
        except redis.RedisError as exc:
            log.warning("news_not_sent", wish_id=event.wish_id, error=type(exc).__name__)
