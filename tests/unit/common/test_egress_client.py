from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Callable

import pytest

from kinodom_common.egress import (
    AddressRefused,
    EgressRules,
    OutsideBadAnswer,
    OutsideBadStatus,
    OutsideClient,
    OutsideLimits,
    OutsideNotFound,
    OutsideTimeout,
    OutsideTooLarge,
    OutsideUnreachable,
    Proxy,
    SchemeRefused,
    TooManyRedirects,
    retry_after_s,
)
from tests.support.wires import Script, WireServer, http, says, wire_server

SHORT = OutsideLimits(connect_s=1, first_byte_s=0.5, whole_s=1, max_bytes=100_000)


def client_for(*servers: WireServer, limits: OutsideLimits = SHORT) -> OutsideClient:
    allowed = frozenset(("127.0.0.1", server.port) for server in servers)
    return OutsideClient(EgressRules(allow_lan=allowed), user_agent="Kinodom test", limits=limits)


def drip(payload: bytes, server: Callable[[], WireServer]) -> Script:
    def script(line: socket.socket, _head: bytes) -> None:
        for position in range(len(payload)):
            line.sendall(payload[position : position + 1])
            if server().stopping.wait(0.05):
                return

    return script


def test_json_is_asked_for_and_read() -> None:
    with wire_server(says(http(b'{"a": [1]}'))) as server:
        answer = client_for(server).get_json(f"{server.address}/api", params={"q": "кино & co"})

    assert answer == {"a": [1]}
    assert b"GET /api?q=%D0%BA%D0%B8%D0%BD%D0%BE+%26+co HTTP/1.1" in server.requests[0]
    assert b"User-Agent: Kinodom test" in server.requests[0]
    assert f"Host: 127.0.0.1:{server.port}".encode() in server.requests[0]


def test_json_is_posted() -> None:
    def script(line: socket.socket, head: bytes) -> None:
        while not head.endswith(b'{"query": "x"}'):
            head += line.recv(1000)
        line.sendall(http(b"[1]"))

    with wire_server(script) as server:
        answer = client_for(server).post_json(f"{server.address}/graph", {"query": "x"})

    assert answer == [1]


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 100_000, b"\xff\xfe\x00"])
def test_something_else_than_json_is_a_bad_answer(body: bytes) -> None:
    with wire_server(says(http(body))) as server, pytest.raises(OutsideBadAnswer):
        client_for(server).get_json(server.address)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_not_there_is_not_found(status: str) -> None:
    with wire_server(says(http(b"", status=status))) as server, pytest.raises(OutsideNotFound) as caught:
        client_for(server).get(f"{server.address}/x?key=secret")

    assert "secret" not in str(caught.value)


def test_a_bad_status_tells_the_status_and_how_long_to_wait() -> None:
    answer = http(b"", status="503 Busy", headers="Retry-After: 7\r\n")
    with wire_server(says(answer)) as server, pytest.raises(OutsideBadStatus) as caught:
        client_for(server).get(f"{server.address}/x?key=secret")

    assert caught.value.facts == {"status": 503, "retry_after_s": 7.0}
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5", 5.0), ("1000000000", 900.0), ("Sat, 21 Nov 2026 09:00:10 GMT", 10.0), ("Sat, 21 Nov 2020 09:00:10 GMT", 0.0),
     ("soon", None), ("-5", None), ("", None), (None, None), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_date_and_capped(value: str | None, expected: float | None) -> None:
    assert retry_after_s(value, now_s=1_795_251_600.0) == expected


def test_headers_dripped_byte_by_byte_end_at_the_deadline() -> None:
    servers: list[WireServer] = []
    with wire_server(drip(http(b"x" * 50), lambda: servers[0])) as server:
        servers.append(server)
        started = time.monotonic()

        with pytest.raises(OutsideTimeout):
            client_for(server, limits=OutsideLimits(connect_s=0.1, first_byte_s=0.2, whole_s=5)).get(server.address)

        assert time.monotonic() - started < 2


def test_a_body_dripped_byte_by_byte_ends_at_the_deadline() -> None:
    servers: list[WireServer] = []
    head, _, body = http(b"x" * 500).partition(b"\r\n\r\n")

    def script(line: socket.socket, request: bytes) -> None:
        line.sendall(head + b"\r\n\r\n")
        drip(body, lambda: servers[0])(line, request)

    with wire_server(script) as server:
        servers.append(server)
        started = time.monotonic()

        with pytest.raises(OutsideTimeout):
            client_for(server).get(server.address, deadline_s=0.4)

        assert time.monotonic() - started < 2


def test_a_server_that_says_nothing_ends_at_the_deadline() -> None:
    servers: list[WireServer] = []
    with wire_server(lambda *_: servers[0].stopping.wait(5) and None) as server:
        servers.append(server)

        with pytest.raises(OutsideTimeout):
            client_for(server).get(server.address, deadline_s=0.3)


@pytest.mark.parametrize(
    "payload",
    [
        http(b"x" * 100_001),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000,
        http(gzip.compress(b"\0" * 20_000_000), headers="Content-Encoding: gzip\r\n"),
        http(gzip.compress(b"\0" * 90_000) * 2, headers="Content-Encoding: gzip\r\n"),
        http(zlib.compress(b"\0" * 10_000_000), headers="Content-Encoding: deflate\r\n"),
    ],
    ids=["declared", "endless", "gzip bomb", "two gzip members", "deflate bomb"],
)
def test_too_much_is_refused_packed_or_not(payload: bytes) -> None:
    with wire_server(says(payload)) as server, pytest.raises(OutsideTooLarge):
        client_for(server, limits=OutsideLimits(max_bytes=100_000)).get(server.address)


@pytest.mark.parametrize("packed", [gzip.compress(b"hello", mtime=0), zlib.compress(b"hello")])
def test_a_packed_answer_is_unpacked(packed: bytes) -> None:
    encoding = "gzip" if packed[0] == 0x1F else "deflate"
    with wire_server(says(http(packed, headers=f"Content-Encoding: {encoding}\r\n"))) as server:
        reply = client_for(server).get(server.address)

    assert reply.body == b"hello"


@pytest.mark.parametrize(
    "payload",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        http(gzip.compress(b"hello" * 100)[:-20], headers="Content-Encoding: gzip\r\n"),
        http(b"not gzip", headers="Content-Encoding: gzip\r\n"),
        http(b"xx", headers="Content-Encoding: br\r\n"),
    ],
    ids=["cut", "cut gzip", "no gzip", "brotli"],
)
def test_a_cut_or_garbled_answer_is_a_bad_answer(payload: bytes) -> None:
    with wire_server(says(payload)) as server, pytest.raises(OutsideBadAnswer):
        client_for(server).get(server.address)


@pytest.mark.parametrize(
    "payload", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"]
)
def test_a_broken_line_is_unreachable(payload: bytes) -> None:
    with wire_server(says(payload)) as server, pytest.raises(OutsideUnreachable):
        client_for(server).get(server.address)


def test_nobody_listening_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    rules = EgressRules(allow_lan=frozenset({("127.0.0.1", port)}))

    with pytest.raises(OutsideUnreachable):
        OutsideClient(rules, user_agent="test").get(f"http://127.0.0.1:{port}/")


def test_a_redirect_is_followed_and_its_address_is_the_answers() -> None:
    def script(line: socket.socket, head: bytes) -> None:
        there = b"GET /b/film" in head
        line.sendall(http(b"here") if there else http(b"", status="302 Found", headers="Location: /b/film\r\n"))

    with wire_server(script) as server:
        reply = client_for(server).get(f"{server.address}/a")

    assert (reply.url, reply.body) == (f"{server.address}/b/film", b"here")


def test_a_redirect_loop_ends() -> None:
    with wire_server(says(http(b"", status="302 Found", headers="Location: /again\r\n"))) as server:
        with pytest.raises(TooManyRedirects):
            client_for(server).get(server.address)

        assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "error"),
    [("http://127.0.0.1:{inner}/", AddressRefused), ("http://2130706433:{inner}/", AddressRefused),
     ("http://[::ffff:127.0.0.1]:{inner}/", AddressRefused), ("//127.1:{inner}/", AddressRefused),
     ("file:///etc/passwd", SchemeRefused), ("gopher://127.0.0.1:{inner}/", SchemeRefused),
     ("http://user@127.0.0.1:{inner}/", AddressRefused)],
)  # fmt: skip
def test_a_redirect_inward_is_refused_without_a_packet(location: str, error: type[Exception]) -> None:
    with wire_server(says(http(b"secret"))) as inner:
        header = f"Location: {location.format(inner=inner.port)}\r\n"
        with wire_server(says(http(b"", status="302 Found", headers=header))) as server:
            client = client_for(server)

            with pytest.raises(error):
                client.get(server.address)

        assert inner.requests == []


def test_credentials_do_not_follow_a_redirect_to_another_host() -> None:
    with wire_server(says(http(b"ok"))) as other:
        header = f"Location: {other.address}/x\r\n"
        with wire_server(says(http(b"", status="302 Found", headers=header))) as server:
            headers = {"Authorization": "Bearer secret", "Cookie": "s=1", "Referer": "https://site.example/"}

            client_for(server, other).get(server.address, headers=headers)

    assert b"secret" in server.requests[0]
    assert b"secret" not in other.requests[0]
    assert b"Cookie" not in other.requests[0]
    assert b"Referer: https://site.example/" in other.requests[0]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_server(says(http(b"proxy"))) as proxy, wire_server(says(http(b"direct"))) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.address)

        reply = client_for(server).get(server.address)

        assert reply.body == b"direct"
        assert proxy.requests == []


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with wire_server(says(http(b"x"))) as server:
        with pytest.raises(OutsideBadAnswer):
            client_for(server).get(server.address, headers={"Referer": "a\r\nX-Evil: 1"})

        assert server.requests == []


def through(proxy: WireServer, *allowed: tuple[str, int]) -> OutsideClient:
    rules = EgressRules(allow_lan=frozenset(allowed))
    return OutsideClient(rules, user_agent="Kinodom test", limits=SHORT, proxy=Proxy(host="127.0.0.1", port=proxy.port))


def test_a_proxy_is_asked_for_a_line_by_name() -> None:
    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        assert line.recv(65536).startswith(b"GET /a HTTP/1.1")
        line.sendall(http(b"here"))

    with wire_server(script) as proxy:
        answer = through(proxy).get("http://films.example/a")

    assert answer.body == b"here"
    assert proxy.requests[0].startswith(b"CONNECT films.example:80 HTTP/1.1\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "[::1]", "169.254.169.254", "10.0.0.1"])
def test_a_proxy_is_not_asked_for_addresses_at_home(host: str) -> None:
    with wire_server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as proxy, pytest.raises(AddressRefused):
        through(proxy).get(f"http://{host}/a")

    assert proxy.requests == []


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"", b"x" * 10_000], ids=["403", "none", "rubbish"]
)
def test_a_proxy_that_refuses_is_an_unreachable_host(answer: bytes) -> None:
    with wire_server(says(answer)) as proxy, pytest.raises(OutsideUnreachable, match="proxy"):
        through(proxy).get("http://films.example/a")


def form_server(reply: bytes) -> Script:
    def script(line: socket.socket, head: bytes) -> None:
        while not head.endswith(b"token=a+b&title=%D1%8F"):
            head += line.recv(1000)
        line.sendall(reply)

    return script


FORM = {"token": "a b", "title": "я"}


def test_a_form_is_posted() -> None:
    with wire_server(form_server(http(b"ok"))) as server:
        reply = client_for(server).post_form(f"{server.address}/form", FORM)

    assert reply.body == b"ok"
    assert b"content-type: application/x-www-form-urlencoded" in server.requests[0].lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_form_is_not_sent_on_by_a_redirect(status: str) -> None:
    with wire_server(says(http(b"never asked"))) as other:
        moved = http(b"", status=status, headers=f"Location: {other.address}/\r\n")
        with wire_server(form_server(moved)) as server, pytest.raises(OutsideBadStatus):
            client_for(server, other).post_form(server.address, FORM)

        assert other.requests == []


@pytest.mark.parametrize(
    ("wanted_bytes", "body"), [(0, b""), (100, b'{"error": "x"}'), (14, b'{"error": "x"}'), (13, b"")]
)
def test_the_body_of_a_bad_status_is_kept_up_to_the_size_that_was_asked_for(wanted_bytes: int, body: bytes) -> None:
    with (
        wire_server(form_server(http(b'{"error": "x"}', status="500 No"))) as server,
        pytest.raises(OutsideBadStatus) as caught,
    ):
        client_for(server).post_form(server.address, FORM, bad_body_bytes=wanted_bytes)

    assert caught.value.body == body
    assert "error" not in str(caught.value.facts)
