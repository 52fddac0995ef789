"""An HTTP proxy on loopback for programs that are not ours, while one runs: they get our rules and nothing else.

It knows CONNECT and requests in absolute form. Each connection goes to addresses that the guard has just looked up and
allowed, so a name that changes its mind, a redirect or a playlist cannot lead inside. Only who has the credential of
this run may ask.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import secrets
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Final, cast

from kinodom_common.egress import target_of
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinodom_common.egress import EgressRules

log = get_log(__name__)

HEAD_BYTES: Final = 32_768
HEAD_S: Final = 5.0
CONNECT_S: Final = 5.0
IDLE_S: Final = 15.0
AT_ONCE: Final = 32
BLOCK_BYTES: Final = 65_536
RUN_BYTES: Final = 64 * 1024**2  # pages and playlists of one extraction; films go another way
OURS: Final = frozenset({b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive"})


class EgressProxy:
    """One run's way out. `refused` tells what it was asked for and did not call."""

    def __init__(self, rules: EgressRules, *, run_bytes: int = RUN_BYTES) -> None:
        self._rules = rules
        self._left_bytes = run_bytes
        self._user, self._password = "run", secrets.token_urlsafe(24)
        pair = base64.b64encode(f"{self._user}:{self._password}".encode())
        self._credential = b"Basic " + pair
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._over = False
        self.refused: list[KinodomError] = []
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="egress-proxy", daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """Return the address with the credential, as a program takes it."""
        return f"http://{self._user}:{self._password}@127.0.0.1:{self.port}"

    def close(self) -> None:
        """End all connections and wait for their threads."""
        with self._lock:
            self._over = True
            doomed = list(self._open)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in doomed:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        for thread in self._threads:
            thread.join(CONNECT_S + 1)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            if not self._slots.acquire(blocking=False):
                line.close()
                continue
            thread = threading.Thread(target=self._serve, args=(line,), name="egress-line", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, near: socket.socket) -> None:
        far: socket.socket | None = None
        try:
            with near:
                self._keep(near)
                head, rest = _read_head(near)
                far, first = self._answered(near, head)
                if far is None:
                    return
                with far:
                    self._keep(far)
                    far.sendall(first + rest)
                    self._pump(near, far)
        except (OSError, ValueError) as exc:
            log.debug("egress_line_broke", why=type(exc).__name__)
        finally:
            with self._lock:
                self._open.difference_update({near, far})
            self._slots.release()

    def _keep(self, line: socket.socket) -> None:
        with self._lock:
            if self._over:
                raise OSError("closing")
            self._open.add(line)

    def _answered(self, near: socket.socket, head: bytes) -> tuple[socket.socket | None, bytes]:
        """Return the connection a request asks for and what to send there first; None: it was refused."""
        request, *fields = head.split(b"\r\n")
        words = request.split(b" ")
        named = [field.partition(b":") for field in fields if field]
        shown = [value.strip() for name, _, value in named if name.strip().lower() == b"proxy-authorization"]
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return self._refuse(near, b"400 Bad Request")
        if len(shown) != 1 or not hmac.compare_digest(shown[0], self._credential):
            return self._refuse(near, b"407 Proxy Authentication Required")
        method, asked, _ = words
        text = asked.decode("ascii", "replace")
        try:
            target = target_of(f"https://{text}/" if method == b"CONNECT" else text)
            far = self._connected(target.host, target.port)
        except KinodomError as exc:
            self.refused.append(exc)
            log.info("egress_refused", code=exc.code)
            return self._refuse(near, b"403 Forbidden")
        except OSError:
            return self._refuse(near, b"502 Bad Gateway")
        if method == b"CONNECT":
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return far, b""
        kept = [field for field in fields if field and field.partition(b":")[0].strip().lower() not in OURS]
        line = b" ".join((method, target.path.encode("ascii"), b"HTTP/1.1"))
        return far, b"\r\n".join((line, *kept, b"Connection: close", b"", b""))

    def _connected(self, host: str, port: int) -> socket.socket:
        failure = OSError("no address")
        for family, kind, protocol, _, address in self._rules.addresses(host, port):
            line = socket.socket(family, kind, protocol)
            try:
                line.settimeout(CONNECT_S)
                line.connect(address)
            except OSError as exc:
                line.close()
                failure = exc
            else:
                return line
        raise failure

    def _refuse(self, near: socket.socket, status: bytes) -> tuple[None, bytes]:
        near.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return None, b""

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        """Carry bytes both ways until one side ends, nothing comes for a while, or the run has had enough."""
        other = {near: far, far: near}
        with selectors.DefaultSelector() as selector:
            for side in other:
                side.settimeout(IDLE_S)
                selector.register(side, selectors.EVENT_READ)
            while ready := selector.select(IDLE_S):
                for key, _ in ready:
                    line = cast("socket.socket", key.fileobj)
                    block = line.recv(BLOCK_BYTES)
                    if not block or not self._spend(len(block)):
                        return
                    other[line].sendall(block)

    def _spend(self, count: int) -> bool:
        with self._lock:
            self._left_bytes -= count
            return self._left_bytes >= 0


@contextlib.contextmanager
def egress_proxy(rules: EgressRules) -> Iterator[EgressProxy]:
    """Give a proxy that stands as long as the block runs."""
    proxy = EgressProxy(rules)
    try:
        yield proxy
    finally:
        proxy.close()


def _read_head(line: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of a request and what came behind it already."""
    end_s = time.monotonic() + HEAD_S
    head = b""
    while b"\r\n\r\n" not in head:
        left_s = end_s - time.monotonic()
        if left_s <= 0 or len(head) > HEAD_BYTES:
            raise ValueError("no request came")
        line.settimeout(left_s)
        block = line.recv(BLOCK_BYTES)
        if not block:
            raise ValueError("no request came")
        head += block
    first, _, rest = head.partition(b"\r\n\r\n")
    return first, rest
