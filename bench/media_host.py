"""A media host for benchmarks: files, a delay for each request and connection, a rate for each connection."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_BYTES = 65_536


class MediaHost(ThreadingHTTPServer):
    """Serves the files of a folder."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root: Path) -> None:
        self.root = root
        self.delay_s = 0.0  # before each answer
        self.connect_s = 0.0  # more, on a new connection
        self.rate_bytes_s: float | None = None  # of each connection
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is no error here."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MediaHost

    def setup(self) -> None:
        """Take the time that a connection needs, as a TLS handshake would."""
        time.sleep(self.server.connect_s)
        super().setup()

    def do_GET(self) -> None:
        time.sleep(self.server.delay_s)
        path = self.server.root / self.path.partition("?")[0].lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first, last = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
            self.send_response(206 if first < len(body) else 416)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
            part = memoryview(body)[first : last + 1]
        else:
            self.send_response(200)
            part = memoryview(body)
        kind = {".html": "text/html", ".js": "text/javascript", ".mp4": "video/mp4"}.get(path.suffix)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self._send(part)

    def _send(self, part: memoryview) -> None:
        rate, began_s, sent = self.server.rate_bytes_s, time.monotonic(), 0
        while sent < len(part):
            self.wfile.write(part[sent : sent + _CHUNK_BYTES])
            sent += _CHUNK_BYTES
            if rate is not None:
                time.sleep(max(0.0, began_s + sent / rate - time.monotonic()))

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def media_host(root: Path) -> Iterator[MediaHost]:
    """Run a media host for the length of a block."""
    server = MediaHost(root)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
