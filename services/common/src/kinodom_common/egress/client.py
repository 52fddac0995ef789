"""A client for pages and APIs of the outside. Small answers in memory; films go through the segment engine."""

from __future__ import annotations

import http.client
import json
import time
import zlib
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urljoin

from kinodom_common.egress.errors import (
    OutsideBadAnswer,
    OutsideBadStatus,
    OutsideNotFound,
    OutsideTimeout,
    OutsideTooLarge,
    OutsideUnreachable,
    TooManyRedirects,
    retry_after_s,
)
from kinodom_common.egress.rules import EgressRules, headers_for, shown, target_of
from kinodom_common.egress.wire import Deadline, guarded_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_common.egress.rules import Target
    from kinodom_common.egress.wire import Proxy

_CHUNK_BYTES: Final = 65_536
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ANY_PACKING: Final = 47  # zlib: 15 bits of window, +32 to tell gzip from deflate by the header


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLimits:
    """How much and how long one exchange may take."""

    connect_s: float = 5.0
    first_byte_s: float = 10.0
    whole_s: float = 20.0
    max_bytes: int = 4_000_000
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideReply:
    """A whole answer with a 2xx status."""

    url: str  # the last one, after redirects
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # unpacked

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            OutsideBadAnswer: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as exc:
            raise OutsideBadAnswer(f"{shown(self.url)}: the answer is not JSON.") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question to one address."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    follows: bool = True  # False: a redirect is a bad status
    bad_body_bytes: int = 0  # a body of a bad status, up to this size, goes into the error


@dataclass(frozen=True, slots=True)
class OutsideClient:
    """Asks hosts of the outside, through the guard, with a limit on everything.

    Every call may raise AddressRefused, SchemeRefused, TooManyRedirects (the address is wrong), OutsideNotFound (it
    is not there) or OutsideUnreachable, OutsideTimeout, OutsideTooLarge, OutsideBadStatus, OutsideBadAnswer (could
    not ask).
    """

    rules: EgressRules
    user_agent: str
    limits: OutsideLimits = OutsideLimits()
    proxy: Proxy | None = None  # the operator's; None: straight out

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
        bad_body_bytes: int = 0,
    ) -> OutsideReply:
        """Return the answer to a GET; redirects are followed, each one guarded.

        Args:
            bad_body_bytes: the body of a bad status is kept in `OutsideBadStatus.body` when it is no larger.
        """
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        ask = Ask(method="GET", url=url, headers=headers or {}, body=None, bad_body_bytes=bad_body_bytes)
        return self._exchange(ask, max_bytes, deadline_s)

    def get_json(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
    ) -> Any:
        """Return the JSON that a GET gives."""
        wanted = {"Accept": "application/json", **(headers or {})}
        return self.get(url, params=params, headers=wanted, max_bytes=max_bytes, deadline_s=deadline_s).json()

    def post_json(
        self,
        url: str,
        body: object,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
        follows: bool = True,
    ) -> Any:
        """Return the JSON that a POST of JSON gives; without `follows` a redirect is a bad status."""
        wanted = {"Accept": "application/json", **(headers or {}), "Content-Type": "application/json"}
        ask = Ask(method="POST", url=url, headers=wanted, body=json.dumps(body).encode(), follows=follows)
        return self._exchange(ask, max_bytes, deadline_s).json()

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
        bad_body_bytes: int = 0,
    ) -> OutsideReply:
        """Return the answer to a form; it may hold a secret, so it is not sent on by a redirect.

        Args:
            bad_body_bytes: the body of a bad status is kept in `OutsideBadStatus.body` when it is no larger.
        """
        wanted = {"Accept": "*/*", **(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        ask = Ask(
            method="POST", url=url, headers=wanted, body=urlencode(fields).encode(),
            follows=False, bad_body_bytes=bad_body_bytes,
        )  # fmt: skip
        return self._exchange(ask, max_bytes, deadline_s)

    def _exchange(self, ask: Ask, max_bytes: int | None, deadline_s: float | None) -> OutsideReply:
        deadline = Deadline(deadline_s or self.limits.whole_s, what=shown(ask.url))
        meant_for = target_of(ask.url)
        for _ in range(self.limits.redirects + 1):
            target = target_of(ask.url)
            try:
                reply = self._ask_once(ask, target, meant_for, deadline, max_bytes or self.limits.max_bytes)
            except TimeoutError as exc:
                raise OutsideTimeout(f"{shown(ask.url)}: took too long.") from exc
            except (OSError, http.client.HTTPException) as exc:
                raise OutsideUnreachable(f"{shown(ask.url)}: the connection broke.") from exc
            if isinstance(reply, OutsideReply):
                return reply
            ask = reply
        raise TooManyRedirects(f"{shown(ask.url)}: more than {self.limits.redirects} redirects.")

    def _ask_once(
        self, ask: Ask, target: Target, meant_for: Target, deadline: Deadline, max_bytes: int
    ) -> OutsideReply | Ask:
        line = guarded_connection(
            target.scheme, target.host, target.port,
            rules=self.rules, patience=deadline, connect_s=self.limits.connect_s, proxy=self.proxy,
        )  # fmt: skip
        with closing(line):
            headers = {"User-Agent": self.user_agent, **headers_for(ask.headers, meant_for=meant_for, target=target)}
            headers |= {"Accept-Encoding": "gzip, deflate", "Connection": "close"}
            deadline.stage(self.limits.connect_s + self.limits.first_byte_s)
            try:
                line.request(ask.method, target.path, body=ask.body, headers=headers)
            except ValueError as exc:  # http.client refuses line breaks in names and values
                raise OutsideBadAnswer(f"{shown(ask.url)}: a header for it cannot be sent.") from exc
            with line.getresponse() as answer:
                deadline.stage(self.limits.whole_s)
                if onward := next_ask(ask, answer.status, answer.headers.get("Location")):
                    return onward
                check_status(ask, answer.status, answer.headers.get("Retry-After"), lambda: _bad_body(answer, ask))
                body = _body(answer, ask.url, max_bytes)
        names = {name.lower(): value for name, value in answer.headers.items()}
        return OutsideReply(url=ask.url, status=answer.status, headers=names, body=body)


def next_ask(ask: Ask, status: int, location: str | None) -> Ask | None:
    """Return the question that a redirect leads to; None: it is none, or none that is followed.

    Args:
        location: the header, its bytes read as Latin-1.
    """
    if not (ask.follows and status in _REDIRECTS and location):
        return None
    try:
        url = urljoin(ask.url, location.encode("latin-1").decode("utf-8", "replace"))
    except (ValueError, UnicodeError) as exc:
        raise OutsideBadAnswer(f"{shown(ask.url)}: redirects to something that is no address.") from exc
    if ask.method == "GET" or status in (307, 308):
        return replace(ask, url=url)
    return Ask(method="GET", url=url, headers=ask.headers, body=None, bad_body_bytes=ask.bad_body_bytes)


def check_status(ask: Ask, status: int, retry_after: str | None, bad_body: Callable[[], bytes]) -> None:
    """Return when the status is 2xx; raises OutsideNotFound, OutsideBadStatus."""
    if status in (404, 410):
        raise OutsideNotFound(f"{shown(ask.url)}: there is nothing ({status}).")
    if not 200 <= status < 300:
        wait_s = retry_after_s(retry_after, now_s=time.time())
        bad = OutsideBadStatus(f"{shown(ask.url)}: answered with status {status}.", status=status, retry_after_s=wait_s)
        bad.body = bad_body()
        raise bad


def _bad_body(answer: http.client.HTTPResponse, ask: Ask) -> bytes:
    """Return the whole body when it is within what the caller wants; nothing of one that is larger or broken."""
    if ask.bad_body_bytes <= 0:
        return b""
    try:
        return _body(answer, ask.url, ask.bad_body_bytes)
    except (OutsideTooLarge, OutsideBadAnswer):
        return b""


def _body(answer: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    packing = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", "deflate"):
        raise OutsideBadAnswer(f"{shown(url)}: packed in a way nobody asked for ({packing[:20]!r}).")
    wire = bytearray()
    while piece := answer.read1(_CHUNK_BYTES):
        wire += piece
        if len(wire) > max_bytes:
            raise OutsideTooLarge(f"{shown(url)}: the answer is larger than {max_bytes} bytes.")
    declared = answer.headers.get("Content-Length", "")
    if declared.isdigit() and not answer.chunked and len(wire) < int(declared):
        raise OutsideBadAnswer(f"{shown(url)}: the answer was cut off.")
    return bytes(wire) if packing == "identity" else _unpacked(bytes(wire), url, max_bytes)


def _unpacked(wire: bytes, url: str, max_bytes: int) -> bytes:
    plain = bytearray()
    while wire:
        unpacker = zlib.decompressobj(_ANY_PACKING)
        try:
            plain += unpacker.decompress(wire, max_bytes - len(plain) + 1)
        except zlib.error as exc:
            raise OutsideBadAnswer(f"{shown(url)}: the answer is badly packed.") from exc
        if len(plain) > max_bytes:
            raise OutsideTooLarge(f"{shown(url)}: the answer unpacks to more than {max_bytes} bytes.")
        if not unpacker.eof:
            raise OutsideBadAnswer(f"{shown(url)}: the answer was cut off.")
        wire = unpacker.unused_data
    return bytes(plain)
