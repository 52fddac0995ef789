"""A media host for measurements, in a process of its own: files by `sendfile`, keep-alive, ranges, trouble on demand.

    python -m bench.media_host FOLDER [--delay-ms 50] [--connect-ms 100] [--cap-mb 2] [--faults 20]

It prints its port and serves until it is ended. Faults hit segments only and follow from the name and the number of
the request for it, so that every client of a fresh host meets the same ones.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 65_536
_RANGE: Final = re.compile(rb"\r\nrange:\s*bytes=(\d+)-(\d*)", re.IGNORECASE)
_SEGMENTS: Final = (".ts", ".m4s")
_TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".html": "text/html", ".js": "text/javascript",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Host:
    """What it serves, and how badly."""

    folder: Path
    delay_s: float = 0.0  # before each answer
    connect_s: float = 0.0  # before a connection is of use, as a TLS handshake takes it
    cap_bytes_s: float = 0.0  # of each connection; 0: as fast as it goes
    faults: int = 0  # percent of the requests: half 503, a quarter closed, a quarter cut
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, line: socket.socket) -> None:
        """Answer the requests of one connection."""
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        time.sleep(self.connect_s)
        with line:
            try:
                while True:
                    while b"\r\n\r\n" not in rest:
                        if not (more := line.recv(16_384)):
                            return
                        rest += more
                    request, _, rest = rest.partition(b"\r\n\r\n")
                    if self.delay_s:
                        time.sleep(self.delay_s)
                    if not self._answer(line, request):
                        return
            except OSError:
                return

    def _answer(self, line: socket.socket, request: bytes) -> bool:
        name = request.split(b" ", 2)[1].decode("ascii", "replace").partition("?")[0].lstrip("/")
        fault = self._fault(name)
        if fault == "closed":
            return False
        if fault == "503":
            line.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            return True
        try:
            handle = os.open(self.folder / name, os.O_RDONLY)
        except OSError:
            line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        try:
            return self._send(line, handle, name, request, cut=fault == "cut")
        finally:
            os.close(handle)

    def _send(self, line: socket.socket, handle: int, name: str, request: bytes, *, cut: bool) -> bool:
        size = os.fstat(handle).st_size
        asked = _RANGE.search(request)
        first, last = (int(asked[1]), min(int(asked[2] or size - 1), size - 1)) if asked else (0, size - 1)
        if first > last:
            line.sendall(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
            return True
        head = f"HTTP/1.1 {'206 Partial Content' if asked else '200 OK'}\r\nAccept-Ranges: bytes\r\n"
        head += f"Content-Type: {_TYPES.get(Path(name).suffix, 'application/octet-stream')}\r\n"
        head += f'ETag: "{size:x}"\r\nContent-Length: {last - first + 1}\r\n'
        if asked:
            head += f"Content-Range: bytes {first}-{last}/{size}\r\n"
        line.sendall(head.encode() + b"\r\n")
        if request.startswith(b"HEAD"):
            return True
        end = (first + last) // 2 if cut else last + 1
        began_s, at = time.monotonic(), first
        while at < end:
            chunk = _CHUNK_BYTES if self.cap_bytes_s else end - at
            at += os.sendfile(line.fileno(), handle, at, min(chunk, end - at))
            if self.cap_bytes_s:
                time.sleep(max(0.0, began_s + (at - first) / self.cap_bytes_s - time.monotonic()))
        return not cut

    def _fault(self, name: str) -> str:
        if not self.faults or not name.endswith(_SEGMENTS):
            return ""
        with self.lock:
            self.asked[name] += 1
            number = self.asked[name]
        chance = int.from_bytes(hashlib.sha256(f"{name} {number}".encode()).digest()[:4]) % 10_000 / 100
        if chance >= self.faults:
            return ""
        return "503" if chance < self.faults / 2 else "closed" if chance < self.faults * 0.75 else "cut"


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--connect-ms", type=float, default=0.0)
    parser.add_argument("--cap-mb", type=float, default=0.0)
    parser.add_argument("--faults", type=int, default=0)
    chosen = parser.parse_args()
    host = Host(
        folder=chosen.folder,
        delay_s=chosen.delay_ms / 1000,
        connect_s=chosen.connect_ms / 1000,
        cap_bytes_s=chosen.cap_mb * 1e6,
        faults=chosen.faults,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            line, _ = listener.accept()
            threading.Thread(target=host.serve, args=(line,), daemon=True).start()


if __name__ == "__main__":
    main()
