"""One connection to the outside: to a checked address, with a time limit on every wait."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import unquote, urlsplit

from kinodom_common.egress.errors import OutsideTimeout, OutsideUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import WriteableBuffer

    from kinodom_common.egress.rules import EgressRules, SocketAddress

_READ_AHEAD_BYTES = 8_192  # for heads; what is longer goes straight to whom it is for
_PORTION_BYTES = 262_144  # of a long body, for which one wakes up
_SLICE_S = 0.5
_ROOM_BYTES = 4096  # of a socket's buffer, at the least
_PROXY_ANSWER_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy of the operator's. It may stand at home: the operator named it, not a visitor."""

    host: str
    port: int
    user: str | None = None  # `user:password`, as it is sent

    @classmethod
    def of(cls, address: str) -> Self:
        """Return the proxy at `http://user:password@host:port`; raises ValueError when it is none."""
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ValueError("a proxy is http://host:port or http://user:password@host:port")
        user = unquote(parts.netloc.rpartition("@")[0]) or None
        return cls(host=parts.hostname, port=parts.port, user=user)

    @property
    def header(self) -> tuple[str, ...]:
        """Return the header line that opens it."""
        if self.user is None:
            return ()
        return (f"Proxy-Authorization: Basic {base64.b64encode(self.user.encode()).decode()}",)


class Patience(Protocol):
    """How long a connection may wait. Asked before every wait, so no drip of single bytes can stretch it."""

    def wait_s(self) -> float:
        """Return the seconds left for the present wait; raises when there are none. Asked at least twice a second."""

    def got(self, count: int) -> None:
        """Take note of bytes that came in."""


class Deadline:
    """Patience with an end: one for the whole exchange, and an earlier one for its present stage."""

    def __init__(self, whole_s: float, *, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what = what
        self._end_s = clock() + whole_s
        self._stage_end_s = self._end_s

    def stage(self, limit_s: float) -> None:
        """Give the stage that begins now its own limit."""
        self._stage_end_s = min(self._end_s, self._clock() + limit_s)

    def wait_s(self) -> float:
        """Return the seconds left.

        Raises:
            OutsideTimeout: there are none.
        """
        left_s = self._stage_end_s - self._clock()
        if left_s <= 0:
            raise OutsideTimeout(f"{self._what}: took too long.")
        return left_s

    def got(self, count: int) -> None:
        """Take note of nothing: only the clock counts."""


@cache
def _tls() -> ssl.SSLContext:
    import certifi  # and what it looks its file up with: only where TLS is spoken

    context = ssl.create_default_context()  # the system's authorities, so that a household's own one works
    context.load_verify_locations(certifi.where())  # and the public ones, where the system has none installed
    context.set_alpn_protocols(["http/1.1"])
    return context


class _TimedReader(io.RawIOBase):
    """The reading half of a socket that asks for patience before each wait."""

    def __init__(self, owner: _TimedSocket, sock: socket.socket) -> None:
        self._owner = owner
        self._sock = sock
        self._kept_open = sock.makefile("rb", buffering=0)  # the socket closes when this does

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        # More room than for a head is that of a body, and never more than what is left of it. So a slow host wakes us
        # once for a portion and not for each packet; the rest of a body is waited for in its length.
        room = memoryview(buffer).nbytes
        self._owner.wake_at(min(room, _PORTION_BYTES) if room > _READ_AHEAD_BYTES else 1)
        while True:  # in slices, so that patience can end a wait because nobody wants the answer any more
            slice_s = min(self._owner.patience.wait_s(), _SLICE_S)
            if self._sock.gettimeout() != slice_s:  # setting it asks the kernel each time, also for the same
                self._sock.settimeout(slice_s)
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                self._owner.wake_at(1)  # what has come so far counts: the host may be slow
                continue
            self._owner.patience.got(count)
            return count

    def close(self) -> None:
        self._kept_open.close()
        super().close()


class _TimedSocket:
    """What http.client uses of a socket."""

    def __init__(self, connection: GuardedConnection, sock: socket.socket) -> None:
        self._connection = connection
        self._sock = sock
        self._is_plain = type(sock) is socket.socket  # with TLS the socket does not know what is left of a body
        self._wakes_at = 1  # bytes; the kernel keeps it from one answer to the next

    @property
    def patience(self) -> Patience:
        """Return the patience of this moment."""
        return self._connection.patience

    def wake_at(self, count: int) -> None:
        """Let a wait end when so many bytes are there, or the host has hung up."""
        if self._is_plain and count != self._wakes_at:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            self._wakes_at = count

    def sendall(self, payload: bytes) -> None:
        left_s = self.patience.wait_s()
        if len(payload) > _ROOM_BYTES:  # less never waits: the answer to what was sent before has come
            self._sock.settimeout(left_s)
        self._sock.sendall(payload)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self, self._sock), _READ_AHEAD_BYTES)

    def close(self) -> None:
        self._sock.close()


class GuardedConnection(http.client.HTTPConnection):
    """An HTTP(S) connection that goes to checked addresses only. Proxies of the environment are not looked at.

    `patience` may be exchanged between requests; `connect_s` bounds the attempt on each address. With a `proxy` of
    the operator's the line goes there, and on through it by CONNECT; the guard's word about the host counts as ever.
    """

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        *,
        rules: EgressRules,
        patience: Patience,
        connect_s: float,
        proxy: Proxy | None = None,
    ) -> None:
        self.default_port = 443 if scheme == "https" else 80
        super().__init__(host, port)
        self._scheme = scheme
        self._rules = rules
        self._connect_s = connect_s
        self._proxy = proxy
        self.patience = patience

    def connect(self) -> None:
        """Connect to the first of the host's addresses that answers.

        Raises:
            AddressRefused: the guard refuses the host.
            OutsideTimeout, OutsideUnreachable: nobody answered.
        """
        failure: OSError | None = None
        for family, kind, protocol, _, address in self._first_stop():
            sock = socket.socket(family, kind, protocol)
            try:
                self.sock = _TimedSocket(self, self._opened(sock, address))
                return
            except OSError as exc:
                sock.close()
                failure = exc
            except BaseException:
                sock.close()
                raise
        if isinstance(failure, TimeoutError):
            raise OutsideTimeout(f"{self.host}: no connection in time.") from failure
        if isinstance(failure, ssl.SSLCertVerificationError):
            raise OutsideUnreachable(
                f"{self.host}: its certificate is not valid ({failure.verify_message}), so nothing is taken from it."
            ) from failure
        raise OutsideUnreachable(f"{self.host}: no connection.") from failure

    def _first_stop(self) -> Sequence[SocketAddress]:
        if self._proxy is None:
            return self._rules.addresses(self.host, self.port)
        return self._rules.addresses_by((self._proxy.host, self._proxy.port), self.host, self.port)

    def _opened(self, sock: socket.socket, address: tuple[object, ...]) -> socket.socket:
        sock.settimeout(min(self._connect_s, self.patience.wait_s()))
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._proxy is not None:
            self._pass_on(sock, self._proxy)
        if self._scheme != "https":
            return sock
        sock.settimeout(min(self._connect_s, self.patience.wait_s()))
        return (self._rules.tls or _tls()).wrap_socket(sock, server_hostname=self.host)

    def _pass_on(self, sock: socket.socket, proxy: Proxy) -> None:
        """Ask the proxy for a line to the host (RFC 9110, section 9.3.6)."""
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *proxy.header]
        sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):  # byte by byte: what follows belongs to the host
            sock.settimeout(min(self._connect_s, self.patience.wait_s()))
            piece = sock.recv(1)
            answer += piece
            if not piece or len(answer) > _PROXY_ANSWER_BYTES:
                raise OutsideUnreachable(f"{proxy.host}: the proxy gave no sane answer.")
        status = answer.split(b" ", 2)[1:2]
        if status != [b"200"]:
            raise OutsideUnreachable(f"{proxy.host}: the proxy refused to lead to {self.host}.")


def guarded_connection(
    scheme: str,
    host: str,
    port: int,
    *,
    rules: EgressRules,
    patience: Patience,
    connect_s: float = 5.0,
    proxy: Proxy | None = None,
) -> GuardedConnection:
    """Return a connection, not yet opened, for requests to one host."""
    return GuardedConnection(scheme, host, port, rules=rules, patience=patience, connect_s=connect_s, proxy=proxy)
