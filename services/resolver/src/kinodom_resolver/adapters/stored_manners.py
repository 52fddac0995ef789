"""How a source behaves on its way out, as the operator has stored it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kinodom_resolver.domain.cookies import header_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_resolver.domain.operating import SettingsBook


class StoredManners:
    """The manners that the operator has stored, read anew for each request.

    Args:
        name: of the source.
        settings: where they are stored.
        now: seconds since 1970.
    """

    def __init__(self, name: str, settings: SettingsBook, *, now: Callable[[], float] = time.time) -> None:
        self._name = name
        self._settings = settings
        self._now = now

    @property
    def pacing_s(self) -> float:
        """Return the least time between two requests to one host."""
        own = self._settings.overrides().get(self._name)
        return (own.pacing_s if own else None) or 0.0

    @property
    def proxy(self) -> str | None:
        """Return the address of the proxy its requests take."""
        own = self._settings.overrides().get(self._name)
        return own.proxy if own else None

    @property
    def browser_tls(self) -> bool:
        """Return whether its requests look like a browser's."""
        own = self._settings.overrides().get(self._name)
        return own is not None and own.browser_tls

    def cookie_for(self, url: str) -> str | None:
        """Return the Cookie header for an address."""
        return header_for(self._settings.cookies(self._name), url, now_s=self._now())
