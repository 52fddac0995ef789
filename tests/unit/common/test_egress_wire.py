"""Long bodies are waited for in portions; a slow host loses nothing by it, and nobody waits for what is not to come."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from kinodom_common.egress import EgressRules, GuardedConnection, OutsideTimeout, guarded_connection
from tests.support.wires import WireServer, wire_server

LONG = 1_000_000
FIRST = 20_000  # more than is read with a head, less than a portion


class Asked:
    """Patience for so many waits, which tells of every byte that came."""

    def __init__(self, waits: int) -> None:
        self.left = waits
        self.got_bytes = 0
        self.waits: list[int] = []  # how much had come before each
        self.came = threading.Event()

    def wait_s(self) -> float:
        self.left -= 1
        self.waits.append(self.got_bytes)
        if self.left < 0:
            raise OutsideTimeout("no patience left")
        return 30.0

    def got(self, count: int) -> None:
        self.got_bytes += count
        if self.got_bytes >= FIRST:
            self.came.set()


@contextmanager
def asked(server: WireServer, patience: Asked) -> Iterator[tuple[GuardedConnection, http.client.HTTPResponse]]:
    """Ask for a page on a connection that stays open."""
    rules = EgressRules(allow_lan=frozenset({("127.0.0.1", server.port)}))
    with closing(guarded_connection("http", "127.0.0.1", server.port, rules=rules, patience=patience)) as line:
        line.request("GET", "/")
        yield line, line.getresponse()


def filled(answer: http.client.HTTPResponse) -> bytes:
    """Return a body as the segment engine reads it."""
    body, room = b"", bytearray(LONG)
    while count := answer.readinto(room):
        body += room[:count]
    return body


def head(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


def test_what_a_host_sent_before_it_paused_counts_while_it_pauses() -> None:
    patience = Asked(waits=40)

    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(head(LONG) + b"a" * FIRST)
        patience.came.wait(30)
        line.sendall(b"b" * (LONG - FIRST))

    with wire_server(script) as server, asked(server, patience) as (_line, answer):
        body = filled(answer)

    assert body == b"a" * FIRST + b"b" * (LONG - FIRST)


def test_less_than_a_portion_of_a_long_body_does_not_wake_us_at_once() -> None:
    patience = Asked(waits=40)

    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(head(LONG) + b"a" * FIRST)
        patience.came.wait(30)
        line.sendall(b"b" * (LONG - FIRST))

    with wire_server(script) as server, asked(server, patience) as (_line, answer):
        began = patience.got_bytes
        filled(answer)

    assert patience.waits.count(began) > 1


@pytest.mark.parametrize("length", [FIRST, 9_000, 100, 0])
def test_a_short_answer_after_a_long_one_comes_at_once(length: int) -> None:
    patience = Asked(waits=200)

    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(head(LONG) + b"a" * LONG)
        line.recv(65_536)
        line.sendall(head(length))
        line.sendall(b"b" * length)
        line.recv(1)

    with wire_server(script) as server, asked(server, patience) as (line, answer):
        filled(answer)
        patience.left = 8
        line.request("GET", "/second")
        body = filled(line.getresponse())

    assert body == b"b" * length


def test_a_body_that_ends_with_its_connection_is_whole() -> None:
    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * FIRST)

    with wire_server(script) as server, asked(server, Asked(waits=40)) as (_line, answer):
        body = filled(answer)

    assert len(body) == FIRST
