"""Heads of HTTP, sent and read without the machinery for mail that `http.client` brings to it.

A film of very many short segments is mostly heads. Bodies, connections and all limits stay those of `http.client`.
"""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.egress import Target

_LONGEST_LINE_BYTES: Final = 65_536
_MOST_LINES: Final = 100
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIXED_EMPTY: Final = frozenset({204, 304})


def request_head(target: Target, headers: Mapping[str, str]) -> bytes:
    """Return a GET as it is sent.

    Raises:
        ValueError: a header cannot be sent.
    """
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = 443 if target.scheme == "https" else 80
    lines = [
        f"GET {target.path} HTTP/1.1",
        f"Host: {host}" if target.port == default else f"Host: {host}:{target.port}",
    ]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or "\r" in value or "\n" in value or "\0" in value:
            raise ValueError(f"{name!r} is no header")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Headers:
    """Headers of an answer; of those that come twice the first counts."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def put(self, name: str, value: str) -> None:
        """Take note of a header, unless there is one of that name."""
        self._values.setdefault(name.lower(), value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a header."""
        return self._values.get(name.lower(), default)


class Answer(http.client.HTTPResponse):
    """An answer to a GET."""

    def begin(self) -> None:
        """Read the head."""
        if self.headers is not None:
            return
        status = 100
        while status == 100:
            version, status, reason = self._read_status()
            self.headers = self.msg = headers = _headers(self.fp)
        self.code = self.status = status
        self.reason = reason.strip()
        if not version.startswith("HTTP/1.") and version != "HTTP/0.9":
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.chunked = (headers.get("transfer-encoding") or "").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()
        self.length = None if self.chunked else _length(headers.get("content-length"))
        if status in _FIXED_EMPTY or 100 <= status < 200:
            self.length = 0
        if not self.chunked and self.length is None:
            self.will_close = True


def _length(text: str | None) -> int | None:
    try:
        length = int(text or "")
    except ValueError:
        return None
    return length if length >= 0 else None


def _headers(lines: object) -> Headers:
    found = Headers()
    readline = lines.readline  # type: ignore[attr-defined]  # the buffered reader of the connection
    for _ in range(_MOST_LINES):
        line = readline(_LONGEST_LINE_BYTES + 1)
        if len(line) > _LONGEST_LINE_BYTES:
            raise http.client.LineTooLong("header line")
        if line in (b"\r\n", b"\n", b""):
            return found
        name, mark, value = line.decode("iso-8859-1").partition(":")
        if mark and not name[:1].isspace():  # a line that goes on from the one before says nothing we ask for
            found.put(name.strip(), value.strip())
    raise http.client.HTTPException(f"got more than {_MOST_LINES} headers")
