"""The proxy for programs that are not ours."""

from __future__ import annotations

import base64
import socket
from urllib.parse import urlsplit

import pytest

from kinodom_common.egress import EgressRules
from kinodom_resolver.adapters.egress_proxy import EgressProxy, egress_proxy
from tests.support.wires import WireServer, http, says, wire_server


def rules_for(server: WireServer) -> EgressRules:
    return EgressRules(allow_lan=frozenset({("127.0.0.1", server.port)}))


def said(proxy: EgressProxy, request: bytes, more: bytes = b"", *, shown: bool = True) -> bytes:
    """Return all that the proxy answers to a request."""
    parts = urlsplit(proxy.url)
    pair = base64.b64encode(f"{parts.username}:{parts.password}".encode())
    head = request + (b"Proxy-Authorization: Basic " + pair + b"\r\n" if shown else b"") + b"\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as line:
        line.sendall(head)
        answer = b""
        while block := line.recv(65536):
            answer += block
            if more and answer.endswith(b"established\r\n\r\n"):
                line.sendall(more)
                more = b""
    return answer


def test_a_request_is_passed_on_without_what_is_the_proxys() -> None:
    with wire_server(says(http(b"here"))) as site, egress_proxy(rules_for(site)) as proxy:
        request = f"GET {site.address}/a?b=c HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n".encode()
        answer = said(proxy, request)

    assert answer.endswith(b"here")
    assert site.requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def test_a_line_is_laid_to_an_allowed_place() -> None:
    with wire_server(says(http(b"here"))) as site, egress_proxy(rules_for(site)) as proxy:
        request = f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\n".encode()
        answer = said(proxy, request, b"GET / HTTP/1.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"here")


@pytest.mark.parametrize(
    "request_line",
    [
        b"CONNECT 127.0.0.1:%d",
        b"GET http://127.0.0.1:%d/",
        b"CONNECT localhost:%d",
        b"CONNECT 0x7f.1:%d",
        b"CONNECT [::ffff:127.0.0.1]:%d",
    ],
)
def test_an_inner_place_is_refused_and_remembered(request_line: bytes) -> None:
    with wire_server(says(http(b"here"))) as site, egress_proxy(EgressRules()) as proxy:
        answer = said(proxy, request_line % site.port + b" HTTP/1.1\r\n")

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert [one.code for one in proxy.refused] == ["address_refused"]
    assert site.requests == []


@pytest.mark.parametrize("line", [b"GET /a HTTP/1.1", b"GET file:///etc/passwd HTTP/1.1", b"GET ftp://a/ HTTP/1.1"])
def test_other_forms_are_refused(line: bytes) -> None:
    with egress_proxy(EgressRules()) as proxy:
        assert said(proxy, line + b"\r\n").startswith(b"HTTP/1.1 403 ")


def test_without_the_credential_of_this_run_nothing_is_called() -> None:
    with wire_server(says(http(b"here"))) as site, egress_proxy(rules_for(site)) as proxy:
        request = f"GET {site.address}/ HTTP/1.1\r\n".encode()
        none = said(proxy, request, shown=False)
        wrong = said(proxy, request + b"Proxy-Authorization: Basic cnVuOng=\r\n", shown=False)

    assert none.startswith(b"HTTP/1.1 407 ")
    assert wrong.startswith(b"HTTP/1.1 407 ")
    assert site.requests == []


def test_each_run_has_a_credential_of_its_own() -> None:
    with egress_proxy(EgressRules()) as one, egress_proxy(EgressRules()) as other:
        assert urlsplit(one.url).password != urlsplit(other.url).password


def test_a_run_that_asks_for_too_much_is_cut_off() -> None:
    with wire_server(says(http(b"x" * 300_000))) as site:
        proxy = EgressProxy(rules_for(site), run_bytes=100_000)
        try:
            answer = said(proxy, f"GET {site.address}/ HTTP/1.1\r\n".encode())
        finally:
            proxy.close()

    assert len(answer) <= 100_000


def test_after_the_run_nobody_listens() -> None:
    with egress_proxy(EgressRules()) as proxy:
        hanging = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)

    with hanging, pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=1)
    assert proxy.port
