"""The line to Redis. When it is cut, the resolver works on without memory: said once, tried again every few seconds."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_log(__name__)

PREFIX: Final = "kd:resolver:"
REPLY_S: Final = 0.5  # a search must not wait for its memory
REST_S: Final = 3.0  # after a failure, before it is tried again
Result = TypeVar("Result")


class RedisLine:
    """Runs calls to Redis, or gives the fallback.

    Args:
        client: decodes replies; None: there is no Redis here.
        clock: seconds, never going back.
    """

    def __init__(self, client: redis.Redis | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._rests_until_s = 0.0
        self._cut = False
        self._lock = threading.Lock()

    def do(self, call: Callable[[redis.Redis], Result], fallback: Result) -> Result:
        """Return what the call gives, or the fallback when Redis is away."""
        if self._client is None or self._clock() < self._rests_until_s:
            return fallback
        try:
            result = call(self._client)
        except redis.RedisError as exc:
            with self._lock:
                self._rests_until_s = self._clock() + REST_S
                was_cut, self._cut = self._cut, True
            if not was_cut:
                log.warning("memory_lost", error=type(exc).__name__, detail="Sources are asked every time.")
            return fallback
        if self._cut:
            self._cut = False
            log.info("memory_found_again")
        return result


def connect(url: str | None) -> redis.Redis | None:
    """Return a client with short limits; it connects when it is first used."""
    if not url:
        return None
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=REPLY_S,
        socket_connect_timeout=REPLY_S,
        retry=Retry(NoBackoff(), 1),  # a connection may have been closed at the other end
        health_check_interval=15,
    )
