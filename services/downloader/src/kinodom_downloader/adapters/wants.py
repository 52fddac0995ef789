"""What viewers wait for, told through Redis: the door asks, whoever fetches the film hears it within milliseconds.

All of it may be lost: a piece that nobody asks for comes in its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from kinodom_common.logs import get_log
from kinodom_downloader.domain.live import Spot

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_log(__name__)

HURRY = "kd:downloader:hurry"  # list of wish ids that the usher takes from
HUNGRY = "kd:downloader:hungry"  # wish whose viewer waits at this moment
WANT_LIFE_S = 60
HUNGRY_MS = 1500


def key_of(wish_id: str) -> str:
    """Return the list of pieces of a film that somebody waits for."""
    return f"kd:downloader:want:{wish_id}"


class RedisWants:
    """Both ends of the wire."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        self._connect = connect
        self._redis: redis.Redis | None = None

    def want(self, wish_id: str, spot: Spot) -> None:
        """Tell whoever fetches this film that a viewer waits for this piece."""
        try:
            pipe = self._client().pipeline(transaction=False)
            pipe.rpush(key_of(wish_id), f"{spot.track} {spot.index}")
            pipe.expire(key_of(wish_id), WANT_LIFE_S)
            pipe.execute()
        except redis.RedisError as exc:
            log.warning("want_not_told", wish_id=wish_id, error=type(exc).__name__)

    def hungry(self, wish_id: str) -> None:
        """Tell all who fetch other films that a viewer of this one waits."""
        try:
            self._client().set(HUNGRY, wish_id, px=HUNGRY_MS)
        except redis.RedisError as exc:
            log.warning("want_not_told", wish_id=wish_id, error=type(exc).__name__)

    def next(self, wish_id: str, wait_s: float) -> Spot | None:
        """Return the next piece that somebody waits for; None when there is none for so long.

        Raises:
            redis.RedisError: it is away.
        """
        told = self._pop(key_of(wish_id), wait_s)
        try:
            track, index = (told or "").split(" ")
            return Spot(int(track), int(index))
        except ValueError:
            return None

    def someone_waits(self, wish_id: str) -> bool:
        """Tell whether a viewer of another film waits; raises redis.RedisError when it is away."""
        found = self._client().get(HUNGRY)
        return found is not None and _text(found) != wish_id

    def hurry(self, wish_id: str) -> None:
        """Tell the usher to begin a film."""
        try:
            self._client().rpush(HURRY, wish_id)
        except redis.RedisError as exc:
            log.warning("hint_not_given", function="hurry", argument=wish_id, error=type(exc).__name__)

    def next_hurry(self, wait_s: float) -> str | None:
        """Return the next film that somebody watches and nobody fetches; None when there is none for so long.

        Raises:
            redis.RedisError: it is away.
        """
        return self._pop(HURRY, wait_s)

    def _pop(self, key: str, wait_s: float) -> str | None:
        found = self._client().blpop([key], timeout=wait_s)
        return None if found is None else _text(found[1])

    def _client(self) -> redis.Redis:
        if self._redis is None:  # made in the process that uses it: connections are not shared over a fork
            self._redis = self._connect()
        return self._redis


def _text(stored: bytes | str) -> str:
    return stored.decode() if isinstance(stored, bytes) else stored
