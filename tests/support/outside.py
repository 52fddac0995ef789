"""The guarded client for tests: the real one, with loopback sites allowed one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from kinodom_common.egress import EgressRules, OutsideClient
from kinodom_resolver.domain.ports import Page


def outside_for(*urls: str) -> OutsideClient:
    """Return the real guarded client, allowed to call these sites on loopback."""
    pairs = frozenset((str(urlsplit(url).hostname), int(urlsplit(url).port or 80)) for url in urls)
    return OutsideClient(rules=EgressRules(allow_lan=pairs), user_agent="Kinodom test")


@dataclass
class Manners:
    """What an operator might have set for a source."""

    pacing_s: float = 0.0
    proxy: str | None = None
    cookie: str | None = None
    browser_tls: bool = False

    def cookie_for(self, url: str) -> str | None:
        """Return the Cookie header for an address."""
        return self.cookie


class Rerouted:
    """The guarded client, with made-up sites of the internet standing on loopback."""

    def __init__(self, **sites: str) -> None:
        self._sites = {f"https://{name.replace('_', '.')}": url for name, url in sites.items()}
        self._client = outside_for(*sites.values())
        self.asked: list[str] = []

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Page:
        """Return the page that stands for this one."""
        self.asked.append(url)
        return self._client.get(self._there(url), headers=headers, max_bytes=max_bytes)

    def get_json(self, url: str) -> object:
        """Return the JSON that stands for this one."""
        self.asked.append(url)
        return self._client.get_json(self._there(url))

    def _there(self, url: str) -> str:
        name = next(name for name in self._sites if url.startswith(f"{name}/"))
        return self._sites[name] + url.removeprefix(name)
