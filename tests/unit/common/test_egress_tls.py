from __future__ import annotations

import socket
import ssl

import pytest

from kinodom_common.egress import (
    EgressRules,
    OutsideClient,
    OutsideLimits,
    OutsideUnreachable,
)
from tests.support.certificates import Authority
from tests.support.wires import WireServer, http, says, wire_server


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


SHORT = OutsideLimits(connect_s=1, first_byte_s=0.5, whole_s=1, max_bytes=100_000)


def tls_client(server: WireServer, name: str, tls: ssl.SSLContext | None) -> OutsideClient:
    def resolve(_host: str, port: int, **_kwargs: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    rules = EgressRules(allow_lan=frozenset({(name, server.port)}), resolve=resolve, tls=tls)
    return OutsideClient(rules, user_agent="test", limits=SHORT)


def test_the_certificate_is_checked_against_the_name_not_the_address(authority: Authority) -> None:
    names: list[str] = []
    with wire_server(says(http(b"film")), tls=authority.server("films.example", names)) as server:
        client = tls_client(server, "films.example", authority.client())

        reply = client.get(f"https://films.example:{server.port}/")

    assert reply.body == b"film"
    assert names == ["films.example"]


@pytest.mark.parametrize("locked", [False, True])
def test_a_pause_within_the_limits_loses_nothing(authority: Authority, locked: bool) -> None:
    servers: list[WireServer] = []
    answer = http(b"first" + b"second")

    def script(line: socket.socket, _head: bytes) -> None:
        for part in (answer[:20], answer[20:-6], answer[-6:]):
            line.sendall(part)
            servers[0].stopping.wait(0.7)  # longer than one slice of waiting

    with wire_server(script, tls=authority.server("films.example", []) if locked else None) as server:
        servers.append(server)
        client = tls_client(server, "films.example", authority.client())
        patient = OutsideClient(client.rules, user_agent="test")

        reply = patient.get(f"{'https' if locked else 'http'}://films.example:{server.port}/")

    assert reply.body == b"firstsecond"


def test_a_certificate_of_another_name_is_not_trusted(authority: Authority) -> None:
    with wire_server(says(http(b"film")), tls=authority.server("films.example", [])) as server:
        client = tls_client(server, "other.example", authority.client())

        with pytest.raises(OutsideUnreachable, match="certificate"):
            client.get(f"https://other.example:{server.port}/")

        assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    with wire_server(says(http(b"film")), tls=authority.server("films.example", [])) as server:
        client = tls_client(server, "films.example", None)

        with pytest.raises(OutsideUnreachable, match="certificate"):
            client.get(f"https://films.example:{server.port}/")

        assert server.requests == []
