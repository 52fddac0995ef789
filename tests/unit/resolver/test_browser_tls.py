"""The client that looks like a browser keeps every rule of the house."""

from __future__ import annotations

import gzip
import json
import socket
import time
from contextlib import closing

import pytest
from curl_cffi import CurlECode, CurlError, CurlOpt

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
    target_of,
)
from kinodom_resolver.adapters.browser_tls import BrowserClient, _chrome, browser_like
from kinodom_resolver.adapters.sending import through
from tests.support.certificates import Authority
from tests.support.wires import WireServer, http, says, wire_server

SHORT = OutsideLimits(connect_s=1, first_byte_s=1, whole_s=1, max_bytes=100_000)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class Names:
    """A resolver that gives the next answer at each look-up, the last one for ever."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_kwargs: object) -> list[tuple]:  # type: ignore[type-arg]
        self.asked.append(host)
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def client_for(*servers: WireServer, limits: OutsideLimits = SHORT) -> BrowserClient:
    allowed = frozenset(("127.0.0.1", server.port) for server in servers)
    return browser_like(OutsideClient(EgressRules(allow_lan=allowed), user_agent="Kinodom test", limits=limits))


def named(name: str, server: WireServer, names: Names, authority: Authority | None = None) -> BrowserClient:
    rules = EgressRules(
        allow_lan=frozenset({(name, server.port)}), resolve=names, tls=authority.client() if authority else None
    )
    return BrowserClient(rules, user_agent="Kinodom test", limits=SHORT)


def test_a_page_is_asked_for_with_the_headers_of_a_browser() -> None:
    with wire_server(says(http(b"film", headers="X-Odd: 1\r\n"))) as server:
        reply = client_for(server).get(
            f"{server.address}/a/../b?q=1", headers={"Cookie": "a=1", "Referer": "http://x/"}
        )

    (head,) = server.requests
    assert (reply.status, reply.body, reply.headers["x-odd"]) == (200, b"film", "1")
    assert head.startswith(b"GET /a/../b?q=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert b"Chrome/" in head
    assert b"Kinodom" not in head
    assert b"Cookie: a=1" in head
    assert (
        head.lower().count(b"accept-encoding: gzip, deflate, br, zstd") == head.lower().count(b"accept-encoding") == 1
    )


def test_json_and_forms_are_posted() -> None:
    def script(line: socket.socket, head: bytes) -> None:
        while not head.endswith((b'{"query": "x"}', b"a=1")):
            head += line.recv(1000)
        line.sendall(http(json.dumps(head.decode().split("\r\n\r\n")[1]).encode()))

    with wire_server(script) as server:
        client = client_for(server)

        answers = client.post_json(server.address, {"query": "x"}), client.post_form(server.address, {"a": "1"}).json()

    assert answers == ('{"query": "x"}', "a=1")
    assert b"application/x-www-form-urlencoded" in server.requests[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "[::1]", "127.0.0.1."])
def test_an_inner_address_is_refused_without_a_packet(host: str) -> None:
    with wire_server(says(http(b"secret"))) as server:
        with pytest.raises(AddressRefused):
            client_for().get(f"http://{host}:{server.port}/")

        assert server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
def test_only_http_goes_out(url: str) -> None:
    with pytest.raises(SchemeRefused):
        client_for().get(url)


def test_a_redirect_inward_is_refused() -> None:
    with wire_server(says(http(b"secret"))) as inner:
        onward = http(b"", status="302 Found", headers=f"Location: {inner.address}/\r\n")
        with wire_server(says(onward)) as server, pytest.raises(AddressRefused):
            client_for(server).get(server.address)

        assert inner.requests == []


def test_secrets_do_not_follow_a_redirect_to_another_host() -> None:
    with wire_server(says(http(b"there"))) as other:
        onward = http(b"x" * 50, status="302 Found", headers=f"Location: {other.address}/b\r\n")
        with wire_server(says(onward)) as server:
            reply = client_for(server, other).get(server.address, headers={"Cookie": "a=hidden", "Authorization": "b"})

    assert (reply.body, reply.url) == (b"there", f"{other.address}/b")
    assert b"hidden" in server.requests[0]
    assert b"cookie" not in other.requests[0].lower()
    assert b"authorization" not in other.requests[0].lower()


def test_redirects_in_circles_end() -> None:
    with wire_server(says(http(b"", status="302 Found", headers="Location: /\r\n"))) as server:
        with pytest.raises(TooManyRedirects):
            client_for(server).get(server.address)

        assert len(server.requests) == SHORT.redirects + 1


@pytest.mark.parametrize("host", ["films.example", "films.example."])
def test_a_name_is_looked_up_once_and_its_answer_is_called(host: str) -> None:
    names = Names("127.0.0.1", "192.0.2.1")
    with wire_server(says(http(b"film"))) as server:
        reply = named(host, server, names).get(f"http://{host}:{server.port}/")

    assert reply.body == b"film"
    assert names.asked == [host]


def test_a_name_that_turns_inward_at_a_redirect_is_refused() -> None:
    names = Names("127.0.0.1")
    with wire_server(says(http(b"", status="302 Found", headers="Location: http://inner.example/\r\n"))) as server:
        with pytest.raises(AddressRefused):
            named("films.example", server, names).get(f"http://films.example:{server.port}/")

        assert len(server.requests) == 1
    assert names.asked == ["films.example", "inner.example"]


def test_a_name_that_is_not_pinned_cannot_be_asked() -> None:
    with wire_server(says(http(b"film"))) as server:
        client = client_for(server)
        with closing(_chrome()) as curl:
            client._lead(curl, target_of(server.address))
            curl.setopt(CurlOpt.URL, f"http://{socket.gethostname()}:{server.port}/")

            with pytest.raises(CurlError) as caught:
                curl.perform()

        assert caught.value.code == CurlECode.COULDNT_RESOLVE_HOST
        assert server.requests == []


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 20_000_000)  # 20 KB on the wire
    packed = http(bomb, headers="Content-Encoding: gzip\r\n")
    with wire_server(says(packed)) as server, pytest.raises(OutsideTooLarge):
        client_for(server).get(server.address)


@pytest.mark.parametrize("answer", [http(b"x" * 100_001), b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000])
def test_an_answer_beyond_the_limit_is_cut(answer: bytes) -> None:
    with wire_server(says(answer)) as server, pytest.raises(OutsideTooLarge):
        client_for(server).get(server.address)


def test_a_packed_answer_is_unpacked() -> None:
    with wire_server(says(http(gzip.compress(b"[1]"), headers="Content-Encoding: gzip\r\n"))) as server:
        assert client_for(server).get_json(server.address) == [1]


def test_a_dripping_answer_ends_at_the_deadline() -> None:
    def script(line: socket.socket, _head: bytes) -> None:
        for position in range(200):
            line.sendall(b"HTTP/1.1 200 OK\r\nX-A: " if position == 0 else b"a")
            if server.stopping.wait(0.05):
                return

    with wire_server(script) as server:
        started_s = time.monotonic()

        with pytest.raises(OutsideTimeout):
            client_for(server).get(server.address, deadline_s=0.5)

        assert time.monotonic() - started_s < 2


def test_statuses_end_as_with_the_plain_client() -> None:
    busy = http(b"x" * 200_000, status="503 Busy", headers="Retry-After: 7\r\n")
    with wire_server(says(busy)) as server, pytest.raises(OutsideBadStatus) as caught:
        client_for(server).get(server.address)
    with wire_server(says(http(b"", status="404 No"))) as server, pytest.raises(OutsideNotFound):
        client_for(server).get(server.address)
    with wire_server(says(http(b"why", status="400 No"))) as server, pytest.raises(OutsideBadStatus) as told:
        client_for(server).post_form(server.address, {"a": "1"}, bad_body_bytes=10)

    assert caught.value.facts == {"status": 503, "retry_after_s": 7.0}
    assert told.value.body == b"why"


def test_a_cut_answer_is_a_bad_answer_and_a_silent_port_is_unreachable() -> None:
    with wire_server(says(http(b"x" * 50)[:-10])) as server:
        client = client_for(server)
        with pytest.raises(OutsideBadAnswer):
            client.get(server.address)

    with pytest.raises(OutsideUnreachable):
        client.get(server.address)


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with wire_server(says(http(b"x"))) as server:
        with pytest.raises(OutsideBadAnswer):
            client_for(server).get(server.address, headers={"Referer": "a\r\nX-Evil: 1"})

        assert server.requests == []


def test_proxies_of_the_environment_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_server(says(http(b"proxied"))) as proxy, wire_server(says(http(b"direct"))) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)

        reply = client_for(server).get(server.address)

        assert reply.body == b"direct"
        assert proxy.requests == []


def test_the_operators_proxy_is_asked_for_a_line_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    asked = []

    def script(line: socket.socket, _head: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        asked.append(line.recv(65536))
        line.sendall(http(b"by proxy"))

    with wire_server(script) as proxy:
        rules = EgressRules(resolve=Names("93.184.215.14", "127.0.0.1"))
        plain = OutsideClient(rules, user_agent="test", limits=SHORT)
        client = through(plain, f"http://me:hidden@127.0.0.1:{proxy.port}", True)

        reply = client.get("http://films.example/a", headers={"Cookie": "a=1"})

    assert (type(client), reply.body, reply.status) == (BrowserClient, b"by proxy", 200)
    assert client.proxy == Proxy(host="127.0.0.1", port=proxy.port, user="me:hidden")
    assert proxy.requests[0].startswith(b"CONNECT films.example:80 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6aGlkZGVu" in proxy.requests[0]
    assert b"Cookie" not in proxy.requests[0]
    assert b"hidden" not in asked[0]
    assert b"Proxy-Authorization" not in asked[0]


def test_an_inner_address_is_refused_behind_a_proxy_too() -> None:
    with wire_server(says(http(b"x"))) as proxy:
        plain = OutsideClient(EgressRules(), user_agent="test", limits=SHORT)

        with pytest.raises(AddressRefused):
            through(plain, f"http://127.0.0.1:{proxy.port}", True).get("http://10.0.0.1/")

        assert proxy.requests == []


def test_the_certificate_is_checked_against_the_name(authority: Authority) -> None:
    asked: list[str] = []
    with wire_server(says(http(b"film")), tls=authority.server("films.example", asked)) as server:
        client = named("films.example", server, Names("127.0.0.1"), authority)

        reply = client.get(f"https://films.example:{server.port}/")

    assert reply.body == b"film"
    assert asked == ["films.example"]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_of_another_name_or_authority_is_not_trusted(authority: Authority, trusted: bool) -> None:
    name = "other.example" if trusted else "films.example"
    with wire_server(says(http(b"film")), tls=authority.server("films.example", [])) as server:
        client = named(name, server, Names("127.0.0.1"), authority if trusted else None)

        with pytest.raises(OutsideUnreachable, match="certificate"):
            client.get(f"https://{name}:{server.port}/")

        assert server.requests == []
