"""A media host on loopback that serves files from memory and misbehaves on demand."""

from __future__ import annotations

import gzip
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHUNK_BYTES = 65_536
Fault = Callable[["Answer", int], bool]  # the answer and the number of the request for that path, from 1


class Answer(BaseHTTPRequestHandler):
    """One request. A fault answers it itself and returns True, or returns False to have it served."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the head of an answer and its body go out as they are written
    server: Origin

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with self.server.lock:
            self.server.asked[path] += 1
            count = self.server.asked[path]
            self.server.heads.append((self.path, dict(self.headers.items())))
        fault = self.server.faults.get(path) or self.server.faults.get("*")
        if fault is not None and fault(self, count):
            return
        body = self.server.files.get(path)
        if body is None:
            self.reply(404, b"")
        else:
            self.serve(body)

    def serve(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer with a file, or the range of it that was asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or not self.server.ranges:
            self.reply(200, body, headers)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
        if first > last:
            self.reply(416, b"")
            return
        shown = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
        self.reply(206, body[first : last + 1], shown | (headers or {}))

    def begin(self, length: int, headers: dict[str, str] | None = None) -> None:
        """Send the head of an answer that will have so many bytes."""
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def reply(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, length: int | None = None
    ) -> None:
        """Send an answer; `length` is what Content-Length claims."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        for start in range(0, len(body), CHUNK_BYTES):
            self.server.pace()
            self.wfile.write(body[start : start + CHUNK_BYTES])
            with self.server.lock:
                self.server.sent_bytes += len(body[start : start + CHUNK_BYTES])
        if length is not None and length != len(body):
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Origin(ThreadingHTTPServer):
    """Files by path, faults by path (`*`: every path), and a record of what was asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, Fault] = {}
        self.ranges = True
        self.asked: Counter[str] = Counter()
        self.heads: list[tuple[str, dict[str, str]]] = []
        self.sent_bytes = 0
        self.connections = 0  # so far
        self.pace: Callable[[], object] = lambda: None  # called before each chunk of an answer goes out
        self.lock = threading.Lock()
        self.gate = threading.Event()  # faults may wait for it

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, folder: Path, at: str = "") -> None:
        """Serve all files of a folder."""
        for path in folder.iterdir():
            self.files[f"{at}/{path.name}"] = path.read_bytes()

    def verify_request(self, *_args: object) -> bool:
        """Count a connection."""
        self.connections += 1
        return True

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is no error here."""


@contextmanager
def origin() -> Iterator[Origin]:
    """Run a media host for the length of a block."""
    server = Origin()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


def times(count: int, fault: Fault) -> Fault:
    """Return a fault that happens for the first requests only."""
    return lambda answer, number: number <= count and fault(answer, number)


def status(code: int, headers: dict[str, str] | None = None) -> Fault:
    """Answer with a status and nothing else."""

    def fault(answer: Answer, _number: int) -> bool:
        answer.reply(code, b"", headers)
        return True

    return fault


def sends(body: bytes, headers: dict[str, str] | None = None) -> Fault:
    """Answer 200 with these bytes, whatever was asked for."""

    def fault(answer: Answer, _number: int) -> bool:
        answer.reply(200, body, headers)
        return True

    return fault


def changed(change: Callable[[bytes], bytes], headers: dict[str, str] | None = None) -> Fault:
    """Answer with the file after a change."""

    def fault(answer: Answer, _number: int) -> bool:
        answer.serve(change(answer.server.files[answer.path.partition("?")[0]]), headers)
        return True

    return fault


def cut(share: float) -> Fault:
    """Claim the whole length, send a part, hang up; the rest is served when asked for as a range."""

    def fault(answer: Answer, _number: int) -> bool:
        if "Range" in answer.headers:
            return False
        body = answer.server.files[answer.path]
        answer.reply(200, body[: int(len(body) * share)], length=len(body))
        return True

    return fault


def short_chunked(share: float) -> Fault:
    """Send a part as a chunked answer that ends cleanly."""

    def fault(answer: Answer, _number: int) -> bool:
        body = answer.server.files[answer.path]
        part = body[: int(len(body) * share) // 188 * 188]
        answer.send_response(200)
        answer.send_header("Transfer-Encoding", "chunked")
        answer.end_headers()
        answer.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(part), part))
        return True

    return fault


def moved(to: str, code: int = 302) -> Fault:
    """Redirect."""
    return status(code, {"Location": to})


def hangs_up(answer: Answer, _number: int) -> bool:
    """Close the connection without an answer."""
    answer.close_connection = True
    return True


def zipped(body: bytes) -> bytes:
    """Return gzip'd bytes, always the same for the same."""
    return gzip.compress(body, compresslevel=1, mtime=0)
