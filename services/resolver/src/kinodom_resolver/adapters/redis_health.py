"""Records of health in memory; those of sources are written to Redis as they change and read from there once a second.

kd:resolver:health        hash: name → record as JSON; the newest record wins
kd:resolver:probe:<name>  somebody makes the probe of this half minute
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, cast

from kinodom_resolver.adapters.redis_line import PREFIX
from kinodom_resolver.domain.health import PROBE_EACH_S, Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_resolver.adapters.redis_line import RedisLine

BOOK: Final = f"{PREFIX}health"
LOOK_EACH_S: Final = 1.0
MOST_RECORDS: Final = 1000  # a record for every host that somebody ever typed would be too many
HOST: Final = "host:"


class RedisHealth:
    """The book of records.

    Args:
        line: to Redis.
        clock: seconds, never going back.
    """

    def __init__(self, line: RedisLine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._records: dict[str, Health] = {}
        self._probes_s: dict[str, float] = {}
        self._looked_s: float | None = None
        self._lock = threading.Lock()

    def get(self, name: str) -> Health:
        """Return a record; an empty one for whom nothing is known of."""
        self._look()
        return self._records.get(name, Health())

    def update(self, name: str, change: Callable[[Health], Health]) -> Health:
        """Change a record and return it; the other replicas see it within a second."""
        with self._lock:
            record = self._records[name] = change(self._records.get(name, Health()))
            if len(self._records) > MOST_RECORDS:
                del self._records[min(self._records, key=lambda one: self._records[one].updated_s)]
        if not name.startswith(HOST):
            text = json.dumps(asdict(record))
            self._line.do(lambda client: client.hset(BOOK, name, text), 0)
        return record

    def claim_probe(self, name: str) -> bool:
        """Say whether the caller may make the one probe of this half minute."""
        with self._lock:
            now_s = self._clock()
            if now_s - self._probes_s.get(name, float("-inf")) < PROBE_EACH_S:
                return False
            self._probes_s[name] = now_s
        key, life_ms = f"{PREFIX}probe:{name}", round(PROBE_EACH_S * 1000)
        return self._line.do(lambda client: bool(client.set(key, 1, nx=True, px=life_ms)), True)

    def _look(self) -> None:
        with self._lock:
            if self._looked_s is not None and self._clock() - self._looked_s < LOOK_EACH_S:
                return
            self._looked_s = self._clock()
        nothing: dict[str, str] = {}
        found = self._line.do(lambda client: cast("dict[str, str]", client.hgetall(BOOK)), nothing)
        with self._lock:
            for name, text in found.items():
                theirs = _record(text)
                if theirs.updated_s > self._records.get(name, Health()).updated_s:
                    self._records[name] = theirs


def _record(text: str) -> Health:
    try:
        fields = json.loads(text)
        return Health(**{**fields, "failed_at_s": tuple(fields["failed_at_s"])})
    except (ValueError, TypeError, KeyError):  # written by another version
        return Health()
