"""Seeks in three players, in Chromium: each must end on a frame of the moment that was asked for."""

from __future__ import annotations

import random
import re
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from playwright.sync_api import Error as PageError

from tests.support.browser import first_chromium
from tests.support.seeking import lands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

PLAYERS = Path(__file__).parent / "players/node_modules"
NEAR_S = 0.1
SCRIPTS = {
    "Shaka Player": (
        "shaka-player/dist/shaka-player.compiled.js",
        "const p = new shaka.Player(); await p.attach(v); await p.load('/film/manifest.mpd');",
    ),
    "dash.js": (
        "dashjs/dist/modern/umd/dash.all.min.js",
        "dashjs.MediaPlayer().create().initialize(v, '/film/manifest.mpd', false);",
    ),
    "hls.js": ("hls.js/dist/hls.min.js", "const h = new Hls(); h.loadSource('/film/master.m3u8'); h.attachMedia(v);"),
}


class _Files(BaseHTTPRequestHandler):
    """Gives the film, by range too, the players, and a page for each."""

    protocol_version = "HTTP/1.1"
    film: ClassVar[Path]

    def do_GET(self) -> None:
        """Answer."""
        name = self.path.partition("?")[0]
        if name.startswith("/page/"):
            script, begin = SCRIPTS[name.removeprefix("/page/").replace("%20", " ")]
            body = f"<video muted></video><script src=/players/{script}></script>".encode()
            body += (
                f"<script>(async () => {{ const v = document.querySelector('video'); {begin} }})()</script>".encode()
            )
            self._send(200, body, "text/html")
            return
        path = self.film / name.removeprefix("/film/") if name.startswith("/film/") else PLAYERS / name[9:]
        kinds = {".js": "text/javascript", ".mpd": "application/dash+xml", ".m3u8": "application/vnd.apple.mpegurl"}
        if not path.is_file():
            self._send(404, b"", "text/plain")
            return
        content, asked = path.read_bytes(), re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._send(200, content, kinds.get(path.suffix, "video/mp4"))
            return
        first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        self._send(206, content[first : last + 1], "video/mp4", f"bytes {first}-{last}/{len(content)}")

    def _send(self, status: int, body: bytes, kind: str, content_range: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Serve; a player that closes its page in the middle is no trouble."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _served(film: Path) -> Iterator[str]:
    handler = type("Files", (_Files,), {"film": film})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def failed_seeks(film: Path, length_s: float, count: int) -> dict[str, int]:
    """Return how many of so many seeks failed, by player."""
    failed = {}
    with _served(film) as address, first_chromium() as browser:
        for name in SCRIPTS:
            page = browser.new_page()
            page.goto(f"{address}/page/{name}")
            page.wait_for_function("document.querySelector('video').readyState >= 2", timeout=20_000)
            dice = random.Random(5)
            failed[name] = sum(not _lands(page, dice.uniform(0.2, length_s - 1)) for _ in range(count))
            page.close()
    return failed


def _lands(page: Page, at_s: float) -> bool:
    try:
        return lands(page, at_s, near_s=NEAR_S)
    except PageError:
        return False
