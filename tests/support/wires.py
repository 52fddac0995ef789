"""Servers on loopback that speak bytes, for answers no honest framework gives."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

Script = Callable[[socket.socket, bytes], None]


class WireServer:
    """Accepts connections, reads one request's head, and lets a script answer. Counts who came."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self._tls = tls
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            line = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        except OSError:
            plain.close()
            return
        head = b""
        with closing(line):
            try:
                while b"\r\n\r\n" not in head:
                    piece = line.recv(65536)
                    if not piece:
                        return
                    head += piece
                self.requests.append(head)
                self.script(line, head)
            except OSError:
                return

    def stop(self) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)


@contextmanager
def wire_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """Run a scripted server for the length of a block."""
    server = WireServer(script, tls)
    try:
        yield server
    finally:
        server.stop()


def says(payload: bytes) -> Script:
    """Return a script that sends these bytes and hangs up."""
    return lambda line, _head: line.sendall(payload)


def http(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    """Return a whole HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
