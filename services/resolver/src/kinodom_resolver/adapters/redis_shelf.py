"""Kept answers in Redis, bounded in number and bytes by kind, and leases so that replicas do not ask twice.

kd:resolver:a:<kind>:<sum>       an answer as JSON, until it is dead
kd:resolver:age:<kind>           sorted set: sum → when it was given
kd:resolver:bytes:<kind>         hash: sum → bytes
kd:resolver:total:<kind>         bytes of all
kd:resolver:lease:<kind>:<sum>   who is asking now
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from kinodom_common.ids import new_id
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.redis_line import PREFIX
from kinodom_resolver.domain.keeping import Claim, Kept
from kinodom_resolver.domain.wall import left_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from kinodom_resolver.adapters.redis_line import RedisLine

log = get_log(__name__)

Key = tuple[str, str, str]
LEASE_MS: Final = 10_000
LOOK_S: Final = 0.02  # between two looks for the answer that another replica is getting
LARGEST_BYTES: Final = 512 * 1024  # an answer larger than this is not kept

KEEP: Final = """
local old = tonumber(redis.call('HGET', KEYS[3], ARGV[4]) or '0')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[4], #ARGV[1])
local total = redis.call('INCRBY', KEYS[4], #ARGV[1] - old)
while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[5]) or total > tonumber(ARGV[6]) do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then break end
  local size = tonumber(redis.call('HGET', KEYS[3], oldest) or '0')
  redis.call('DEL', ARGV[7] .. oldest)
  redis.call('ZREM', KEYS[2], oldest)
  redis.call('HDEL', KEYS[3], oldest)
  total = redis.call('DECRBY', KEYS[4], size)
end
return total
"""
RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of one kind is kept."""

    count: int
    total_bytes: int


class RedisShelf:
    """Answers in Redis.

    Args:
        line: to Redis.
        bounds: of each kind.
        pause: waits for so many seconds.
    """

    def __init__(self, line: RedisLine, *, bounds: Bounds, pause: Callable[[float], None] = time.sleep) -> None:
        self._line = line
        self._bounds = bounds
        self._pause = pause

    def read(self, keys: Sequence[Key]) -> list[Kept | None]:
        """Return what is kept under each key; nothing while Redis is away."""
        if not keys:
            return []
        names = [_name("a", key) for key in keys]
        nothing: list[str | None] = [None] * len(names)
        texts = self._line.do(lambda client: cast("list[str | None]", client.mget(names)), nothing)
        return [_kept(text) for text in texts]

    def keep(self, key: Key, kept: Kept, *, now_s: float) -> None:
        """Keep an answer until it is dead; the oldest of its kind make room."""
        text = json.dumps([kept.kept_at_s, kept.fresh_until_s, kept.dead_at_s, kept.text], ensure_ascii=False)
        if len(text.encode()) > min(LARGEST_BYTES, self._bounds.total_bytes):
            log.info("answer_too_large_to_keep", source=key[1], kind=key[0])
            return
        names = [_name("a", key), *(f"{PREFIX}{what}:{key[0]}" for what in ("age", "bytes", "total"))]
        lives_ms = max(round((kept.dead_at_s - now_s) * 1000), 1)
        args = [text, lives_ms, kept.kept_at_s, _sum(key), self._bounds.count, self._bounds.total_bytes]
        self._line.do(lambda client: _run(client, KEEP, names, [*args, f"{PREFIX}a:{key[0]}:"]), None)

    def claim(self, key: Key) -> Claim:
        """Return the right to ask, or the answer that another replica got while this one waited for it."""
        token, name = new_id(), _name("lease", key)
        while True:
            got = self._line.do(lambda client: bool(client.set(name, token, nx=True, px=LEASE_MS)), None)
            if got is None:
                return Claim()
            found = self.read([key])[0]  # after the lease: an answer that came in between is seen
            if got or found is not None:
                return Claim(token=token if got else None, kept=found)
            if (left_s() or 0.0) <= LOOK_S:
                return Claim()
            self._pause(LOOK_S)

    def release(self, key: Key, claim: Claim) -> None:
        """Give the right to ask back."""
        if claim.token is not None:
            token = claim.token
            self._line.do(lambda client: _run(client, RELEASE, [_name("lease", key)], [token]), None)


def _run(client: redis.Redis, script: str, keys: Sequence[str], args: Sequence[Any]) -> None:
    client.eval(script, len(keys), *keys, *args)


def _sum(key: Key) -> str:
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def _name(what: str, key: Key) -> str:
    return f"{PREFIX}{what}:{key[0]}:{_sum(key)}"


def _kept(text: str | None) -> Kept | None:
    if text is None:
        return None
    kept_at_s, fresh_until_s, dead_at_s, answer = json.loads(text)
    return Kept(text=answer, kept_at_s=kept_at_s, fresh_until_s=fresh_until_s, dead_at_s=dead_at_s)
