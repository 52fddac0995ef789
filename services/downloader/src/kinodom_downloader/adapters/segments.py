"""Bytes from media hosts: keep-alive connections through the egress guard, ranges, limits on every wait."""

from __future__ import annotations

import http.client
import mmap
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from kinodom_common.egress import (
    OutsideBadAnswer,
    OutsideBadStatus,
    OutsideNotFound,
    OutsideTimeout,
    OutsideTooLarge,
    OutsideUnreachable,
    TooManyRedirects,
    headers_for,
    retry_after_s,
    shown,
    target_of,
)
from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.answers import Answer, request_head
from kinodom_downloader.domain.plan import same_version, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.egress import GuardedConnection, Target
    from kinodom_downloader.adapters.bodies import Piece, Taken
    from kinodom_downloader.adapters.connections import Connections
    from kinodom_downloader.adapters.patience import Watch

_BUFFER_BYTES: Final = 262_144
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 5
_MAX_SKIP_BYTES: Final = 67_108_864
_RANGE: Final = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", re.IGNORECASE)
_OURS: Final = frozenset(
    {"host", "range", "connection", "accept-encoding", "content-length", "transfer-encoding", "te"}
)
_STALE: Final = (http.client.BadStatusLine, ConnectionResetError, BrokenPipeError)  # BadStatusLine: hung up


def _room() -> memoryview:
    """Return room for what comes; only as much of it is memory as was ever filled."""
    return memoryview(mmap.mmap(-1, _BUFFER_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


@dataclass(slots=True)
class Line:
    """How one worker asks media hosts, over connections that are kept alive."""

    connections: Connections
    user_agent: str
    headers: Mapping[str, str]
    meant_for: Target  # the host that the headers are for; others get only harmless ones
    watch: Watch
    urgency: float = 0.0  # of the piece; below 0: somebody waits for it
    room: memoryview = field(default_factory=_room)  # free between two pieces

    def take(self, piece: Piece, taken: Taken, *, at_most: int | None = None) -> None:
        """Fetch a piece into `taken`, going on from what is there.

        Args:
            at_most: stop quietly after so many bytes (a probe).

        Raises:
            OutsideNotFound, OutsideBadStatus, OutsideUnreachable, OutsideTimeout, OutsideTooLarge,
            OutsideBadAnswer (cut off, a range that was not asked for), AddressRefused, SchemeRefused,
            TooManyRedirects.
        """
        url = piece.url
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                url = self._take_once(url, piece, taken, at_most) or ""
            except TimeoutError as exc:
                raise OutsideTimeout(f"{shown(url)}: the host stopped sending.") from exc
            except (OSError, http.client.HTTPException) as exc:
                raise OutsideUnreachable(f"{shown(url)}: the connection broke.") from exc
            if not url:
                return
        raise TooManyRedirects(f"{shown(piece.url)}: more than {_MAX_REDIRECTS} redirects.")

    def warm(self, url: str) -> None:
        """Open the connection to a host that will probably be asked soon; a failure shows when it is."""
        try:
            target = target_of(url)
            connection = self.connections.get(target, self.watch, waits=False)
        except KinodomError:
            return
        if connection is None:
            return
        try:
            self.watch.begin()
            connection.connect()
        except (KinodomError, OSError, http.client.HTTPException):
            self.connections.drop(target, connection)
        else:
            self.connections.keep(target, connection)

    def handed_on(self, watch: Watch) -> Line:
        """Return this line with its open connections, for another worker and under that one's patience."""
        self.watch.check, self.watch.on_bytes = watch.check, watch.on_bytes
        return self

    def close(self) -> None:
        """Close the connections that are not in use."""
        self.connections.close()

    def _take_once(self, url: str, piece: Piece, taken: Taken, at_most: int | None) -> str | None:
        """Fetch, or return the address that the host sends us on to."""
        target = target_of(url)
        connection, answer = self._asked(target, piece, taken)
        try:
            onward = self._used(answer, url, piece, taken, at_most)
        except BaseException:
            answer.close()  # of one that closes the connection itself it holds the socket
            self.connections.drop(target, connection)
            raise
        if answer.isclosed() and not answer.will_close:
            self.connections.keep(target, connection)
        else:
            answer.close()
            self.connections.drop(target, connection)
        return onward

    def _used(
        self, answer: http.client.HTTPResponse, url: str, piece: Piece, taken: Taken, at_most: int | None
    ) -> str | None:
        self.watch.body()
        if answer.status in _REDIRECTS and (location := answer.headers.get("Location")):
            answer.read(_BUFFER_BYTES)
            try:
                return urljoin(url, location.encode("latin-1").decode("utf-8", "replace"))
            except ValueError as exc:
                raise OutsideBadAnswer(f"{shown(url)}: redirects to something that is no address.") from exc
        _check_status(answer, url)
        taken.url = url
        if answer.status == 416 and not (piece.start or len(taken.body)):
            answer.read(_BUFFER_BYTES)  # not even a first byte: the file is empty
            return None
        self._read(answer, piece, taken, at_most)
        return None

    def _asked(self, target: Target, piece: Piece, taken: Taken) -> tuple[GuardedConnection, http.client.HTTPResponse]:
        wanted = headers_for(self.headers, meant_for=self.meant_for, target=target)
        headers = {"User-Agent": self.user_agent, "Accept": "*/*"}
        headers |= {name: value for name, value in wanted.items() if name.lower() not in _OURS}
        headers["Accept-Encoding"] = "identity"
        first = (piece.start or 0) + len(taken.body)
        if piece.start is not None or first:
            last = "" if piece.length is None else (piece.start or 0) + piece.length - 1
            headers["Range"] = f"bytes={first}-{last}"
        while True:
            connection = self.connections.get(target, self.watch, urgency=self.urgency)
            assert connection is not None  # it waits for one
            kept = connection.sock is not None
            try:
                return connection, self._sent(connection, target, headers)
            except _STALE:
                self.connections.drop(target, connection)
                if not kept:
                    raise
            except BaseException:
                self.connections.drop(target, connection)
                raise
            # The host had closed the idle connection: once more on another one.

    def _sent(self, connection: GuardedConnection, target: Target, headers: dict[str, str]) -> http.client.HTTPResponse:
        self.watch.begin()
        try:
            head = request_head(target, headers)
        except ValueError as exc:
            raise OutsideBadAnswer(f"{target.host}: a header for it cannot be sent.") from exc
        if connection.sock is None:
            connection.connect()
        connection.sock.sendall(head)
        answer = Answer(connection.sock, method="GET")
        answer.begin()
        return answer

    def _read(self, answer: http.client.HTTPResponse, piece: Piece, taken: Taken, at_most: int | None) -> None:
        body = taken.body
        skip, whole = _frame(answer, piece, taken)
        wanted = piece.length if piece.length is not None else at_most
        if wanted is None and (whole or 0) > body.limit:
            raise OutsideTooLarge(f"{shown(piece.url)}: {whole} bytes are too many for one piece.")
        while count := answer.readinto(self.room):
            skipped = min(skip, count)
            skip -= skipped
            body.add(self.room[skipped:count])
            if wanted is not None and len(body) >= wanted:
                body.cut(wanted)
                break
            if len(body) > body.limit:
                raise OutsideTooLarge(f"{shown(piece.url)}: more than {body.limit} bytes for one piece.")
        expected = whole if piece.length is None else piece.length
        if at_most is None and expected is not None and len(body) < expected:
            raise OutsideBadAnswer(f"{shown(piece.url)}: cut off after {len(body)} of {expected} bytes.")
        taken.declared = whole is not None


def _check_status(answer: http.client.HTTPResponse, url: str) -> None:
    if answer.status in (404, 410):
        raise OutsideNotFound(f"{shown(url)}: there is nothing ({answer.status}).")
    if answer.status not in (200, 206, 416):
        wait_s = retry_after_s(answer.headers.get("Retry-After"), now_s=time.time())
        raise OutsideBadStatus(
            f"{shown(url)}: answered with status {answer.status}.", status=answer.status, retry_after_s=wait_s
        )


def _frame(answer: http.client.HTTPResponse, piece: Piece, taken: Taken) -> tuple[int, int | None]:
    """Return how many bytes to skip, and how long the piece is when whole (None: not said)."""
    taken.encoding = (answer.headers.get("Content-Encoding") or "").strip().lower()
    version = version_of(answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
    declared = answer.headers.get("Content-Length", "")
    length = int(declared) if re.fullmatch(r"[0-9]{1,18}", declared) and not answer.chunked else None
    start = piece.start or 0
    first = start + len(taken.body)
    if answer.status == 206:
        given = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if given is None or int(given[1]) != first:
            taken.body.cut(0)
            raise OutsideBadAnswer(f"{shown(piece.url)}: the host sent another range than was asked for.")
        if len(taken.body) and not same_version(taken.body.version, version):
            taken.body.cut(0)
            raise OutsideBadAnswer(f"{shown(piece.url)}: the file was changed while it was fetched.")
        taken.body.version = version
        taken.total = int(given[3]) if given[3] != "*" else None
        taken.ranges = True
        return 0, int(given[2]) + 1 - start
    if answer.status == 416:
        taken.body.cut(0)
        raise OutsideBadAnswer(f"{shown(piece.url)}: the host does not have the range that was asked for.")
    # 200: the host does not serve ranges, and the answer is the whole file from its beginning
    taken.body.cut(0)
    taken.body.version = version
    taken.total = length
    if start > _MAX_SKIP_BYTES:
        raise OutsideBadAnswer(f"{shown(piece.url)}: the host does not serve ranges, which this film needs.")
    return start, None if length is None else length - start
