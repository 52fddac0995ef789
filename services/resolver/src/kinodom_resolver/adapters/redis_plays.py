"""What played, in Redis; the last of it in memory too, for a house without Redis.

kd:resolver:plays:<sum of the external id>   hash: mark of an offer → [instant, played]; it ends a day after the last
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, cast

from kinodom_resolver.adapters.redis_line import PREFIX
from kinodom_resolver.domain.playing import Tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis

    from kinodom_resolver.adapters.redis_line import RedisLine

LIFE_S: Final = 86_400
MOST_TITLES: Final = 500  # in memory
MOST_MARKS: Final = 200  # of one title


class RedisPlays:
    """The book of what played.

    Args:
        line: to Redis.
    """

    def __init__(self, line: RedisLine) -> None:
        self._line = line
        self._near: OrderedDict[str, dict[str, Tried]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, external_id: str) -> Mapping[str, Tried]:
        """Return what is known of a title, by the marks of its offers."""
        name = _name(external_id)
        far = self._line.do(lambda client: cast("dict[str, str]", client.hgetall(name)), None)
        if far is not None:
            return {mark: tried for mark, text in far.items() if (tried := _tried(text)) is not None}
        with self._lock:
            return dict(self._near.get(external_id, {}))

    def note(self, external_id: str, mark: str, tried: Tried) -> None:
        """Keep what came of an offer, in place of what came of it before."""
        with self._lock:
            marks = self._near.setdefault(external_id, {})
            marks[mark] = tried
            self._near.move_to_end(external_id)
            if len(marks) > MOST_MARKS:
                del marks[min(marks, key=lambda one: marks[one].at_s)]
            while len(self._near) > MOST_TITLES:
                self._near.popitem(last=False)
        name, text = _name(external_id), json.dumps([tried.at_s, tried.played])

        def keep(client: redis.Redis) -> bool:
            if client.hlen(name) >= MOST_MARKS:
                client.delete(name)
            with client.pipeline(transaction=False) as steps:
                steps.hset(name, mark, text)
                steps.expire(name, LIFE_S)
                steps.execute()
            return True

        self._line.do(keep, False)


def _name(external_id: str) -> str:
    return f"{PREFIX}plays:{hashlib.sha256(external_id.encode()).hexdigest()}"


def _tried(text: str) -> Tried | None:
    try:
        at_s, played = json.loads(text)
        return Tried(at_s=float(at_s), played=bool(played))
    except (ValueError, TypeError):  # written by another version
        return None
