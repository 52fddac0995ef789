"""The operator's settings of sources in Redis; cookies and proxies are locked with a key that Redis never sees.

kd:resolver:sources   hash: name → settings as JSON
kd:resolver:sealed    hash: `cookies:<name>` or `proxy:<name>` → what Fernet made of it
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, cast

from cryptography.fernet import Fernet, InvalidToken

from kinodom_common.errors import Rejected, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.redis_line import PREFIX
from kinodom_resolver.domain.cookies import Cookie
from kinodom_resolver.domain.operating import Override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kinodom_resolver.adapters.redis_line import RedisLine

log = get_log(__name__)

SOURCES: Final = f"{PREFIX}sources"
SEALED: Final = f"{PREFIX}sealed"
LOOK_EACH_S: Final = 1.0


class MemoryAway(UpstreamFailed):
    """Redis, which keeps the settings of sources, does not answer."""

    code = "memory_away"
    title = "The settings could not be kept"


class NoSourceKey(Rejected):
    """There is no key to lock secrets of sources with."""

    code = "no_source_key"
    title = "Secrets cannot be kept here"


class RedisSettings:
    """The book of settings.

    Args:
        line: to Redis.
        key: text from which the key is derived; None: no secret can be kept.
        clock: seconds, never going back.
    """

    def __init__(self, line: RedisLine, *, key: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._lock_box = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) if key else None
        self._clock = clock
        self._overrides: dict[str, Override] = {}
        self._cookies: dict[str, tuple[Cookie, ...]] = {}
        self._looked_s: float | None = None
        self._lock = threading.Lock()

    def overrides(self) -> Mapping[str, Override]:
        """Return the settings by name of the source; those last read while Redis is away."""
        self._look()
        return self._overrides

    def save(self, name: str, override: Override) -> None:
        """Keep the settings of a source; raises MemoryAway, NoSourceKey."""
        text = json.dumps(asdict(replace(override, proxy=None)))
        self._put(SOURCES, name, text)
        self._put(SEALED, f"proxy:{name}", self._sealed(override.proxy) if override.proxy else None)

    def cookies(self, name: str) -> tuple[Cookie, ...]:
        """Return the cookies of a source."""
        self._look()
        return self._cookies.get(name, ())

    def save_cookies(self, name: str, cookies: Sequence[Cookie]) -> None:
        """Keep the cookies of a source, none to delete them; raises MemoryAway, NoSourceKey."""
        text = json.dumps([asdict(one) for one in cookies])
        self._put(SEALED, f"cookies:{name}", self._sealed(text) if cookies else None)

    def _sealed(self, text: str) -> str:
        if self._lock_box is None:
            raise NoSourceKey("Set KINODOM_SOURCE_KEY for the resolver first; cookies and proxies are locked with it.")
        return self._lock_box.encrypt(text.encode()).decode()

    def _opened(self, sealed: str | None) -> str | None:
        if self._lock_box is None or sealed is None:
            return None
        try:
            return self._lock_box.decrypt(sealed.encode()).decode()
        except InvalidToken:  # locked with another key
            log.warning("sealed_not_opened")
            return None

    def _put(self, book: str, name: str, text: str | None) -> None:
        done = self._line.do(
            lambda client: client.hdel(book, name) if text is None else client.hset(book, name, text), None
        )
        if done is None:
            raise MemoryAway("Redis does not answer, so nothing was changed. Try again when it is back.")
        with self._lock:
            self._looked_s = None

    def _look(self) -> None:
        with self._lock:
            if self._looked_s is not None and self._clock() - self._looked_s < LOOK_EACH_S:
                return
            self._looked_s = self._clock()
        rows = self._line.do(lambda client: cast("dict[str, str]", client.hgetall(SOURCES)), None)
        sealed = self._line.do(lambda client: cast("dict[str, str]", client.hgetall(SEALED)), None)
        if rows is None or sealed is None:
            return
        names = {name.partition(":")[2] for name in sealed} | set(rows)
        self._overrides = {
            name: replace(_override(rows.get(name)), proxy=self._opened(sealed.get(f"proxy:{name}"))) for name in names
        }
        self._cookies = {name: _cookies(self._opened(sealed.get(f"cookies:{name}"))) for name in names}


def _override(text: str | None) -> Override:
    try:
        fields: dict[str, Any] = json.loads(text) if text else {}
        return Override(**fields)
    except (ValueError, TypeError):  # written by another version
        return Override()


def _cookies(text: str | None) -> tuple[Cookie, ...]:
    try:
        return tuple(Cookie(**one) for one in json.loads(text)) if text else ()
    except (ValueError, TypeError):  # written by another version
        return ()
