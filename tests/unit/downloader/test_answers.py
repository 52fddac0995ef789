"""Heads of answers are read as `http.client` reads them, which is the oracle here."""

from __future__ import annotations

import http.client
import io

import pytest

from kinodom_common.egress import target_of
from kinodom_downloader.adapters.answers import Answer, request_head

ASKED = ("Content-Length", "content-range", "ETag", "LAST-MODIFIED", "Location", "Retry-After", "Content-Encoding", "X")
HEADS = (
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    'HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\nETag: "a"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n',
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 99\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: five\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: \r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n",
    "HTTP/1.1 302 Found\r\nLocation:   /a b/\u00e9\r\nContent-Length: 0\r\n",
    "HTTP/1.1 503\r\nRetry-After: 5\r\nContent-Length: 0\r\n",
    "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 2\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 5\nX: 1\n",
    "HTTP/1.1 200 OK\r\nX:\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n",
)
BROKEN = (
    "",
    "no status at all\r\n",
    "HTTP/1.1 99 Low\r\n",
    "HTTP/1.1 abc\r\n",
    "HTTP/3.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n" + "".join(f"X{number}: 1\r\n" for number in range(101)),
    "HTTP/1.1 200 OK\r\nX: " + "x" * 70_000 + "\r\n",
    "HTTP/1.1 200 " + "O" * 70_000 + "\r\n",
)


class Wire:
    """A socket that has received this."""

    def __init__(self, text: str) -> None:
        self._received = text.encode("latin-1")

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._received))  # type: ignore[arg-type]


def told(kind: type[http.client.HTTPResponse], text: str) -> object:
    """Return what is known after the head, or the kind of the failure."""
    answer = kind(Wire(text), method="GET")  # type: ignore[arg-type]
    try:
        answer.begin()
    except http.client.HTTPException as exc:
        return type(exc)
    facts = (answer.status, answer.version, answer.chunked, answer.length, answer.will_close)
    return facts, [answer.headers.get(name) for name in ASKED], answer.headers.get("none", "")


@pytest.mark.parametrize("head", HEADS)
def test_a_head_says_the_same(head: str) -> None:
    ours, theirs = (told(kind, head + "\r\n" * (1 if head else 0)) for kind in (Answer, http.client.HTTPResponse))

    assert ours == theirs
    assert isinstance(ours, tuple)


@pytest.mark.parametrize("head", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_head_fails_the_same(head: str) -> None:
    ours, theirs = (told(kind, head + "\r\n" * (1 if head else 0)) for kind in (Answer, http.client.HTTPResponse))

    assert ours == theirs
    assert isinstance(ours, type)


def test_a_head_that_never_ends_is_no_head() -> None:
    assert told(Answer, "HTTP/1.1 100 Continue\r\n\r\n" * 3) == told(
        http.client.HTTPResponse, "HTTP/1.1 100 Continue\r\n\r\n" * 3
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://a.example/x", "a.example"),
        ("https://a.example:443/x", "a.example"),
        ("http://a.example:443/x", "a.example:443"),
        ("http://[2001:4860::1]:8080/x", "[2001:4860::1]:8080"),
        ("http://[2001:4860::1]/x", "[2001:4860::1]"),
    ],
)
def test_a_request_names_its_host(url: str, host: str) -> None:
    head = request_head(target_of(url), {"Accept": "*/*"})

    assert head == f"GET /x HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("name", "value"), [("A\r\nB", "1"), ("A", "1\r\nB: 2"), ("A", "1\n"), ("A b", "1"), ("A", "ж")]
)
def test_a_header_that_would_be_two_is_not_sent(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        request_head(target_of("http://a.example/"), {name: value})
