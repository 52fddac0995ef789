"""Kodik without a network: the way out tells what it was made with."""

from __future__ import annotations

import json
from typing import Any

from kinodom_resolver.sources.kodik import Kodik


class Reply:
    """A page that came."""

    status = 200

    def __init__(self, url: str, body: bytes) -> None:
        self.url = url
        self.body = body
        self.headers: dict[str, str] = {}


class ToldByKodik:
    """Stands for the way out: gives the catalogue, the player page and, on other paths, the links."""

    def __init__(self, catalogue: Any, page: str = "", links: Any = None) -> None:
        self.catalogue = catalogue
        self.page = page
        self.links = links

    def post_form(self, url: str, fields: Any, **_: object) -> Reply:
        """Return the catalogue or the links."""
        value = self.catalogue if url.endswith("/search") else self.links
        return Reply(url, json.dumps(value).encode())

    def get(self, url: str, **_: object) -> Reply:
        """Return the script, a playlist or the page."""
        if "/assets/" in url:
            return Reply(url, b'{type:"POST",url:atob("L2Z0b3I=")}')
        return Reply(url, b"#EXTM3U\n" if ".m3u8" in url else self.page.encode("utf-8", "replace"))

    def get_json(self, url: str) -> Any:
        """Not asked for."""
        raise AssertionError("not asked for")

    post_json = get_json


def kodik_of(told: ToldByKodik) -> Kodik:
    """Return the source that is told these answers."""
    options = {"kodik_token": "an invented one", "kodik_api_url": "https://kodik-api.com"}
    source = Kodik.build({**options, "kodik_player_hosts": "kodikplayer.com", "shikimori_url": "https://s.test"}, told)
    assert source is not None
    return source
