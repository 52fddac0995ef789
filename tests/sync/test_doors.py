"""Who may open a socket, and what the HTTP side gives to whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection

import pytest
from openapi_spec_validator import validate

from tests.support.sync_service import INNER_KEY, SyncService, Viewer

MakeViewer = Callable[..., Viewer]


def ask(service: SyncService, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def knock(service: SyncService, **headers: str) -> int:
    """Return the status of the answer to a websocket handshake; 101 is an open door."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=5)
    try:
        connection.putrequest("GET", "/socket.io/?EIO=4&transport=websocket", skip_host=True)
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        for name, value in {"Upgrade": "websocket", "Connection": "Upgrade", **key, **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8080", None),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("tv.local", "http://tv.local"),
        ("tv.local", "https://tv.local"),
        ("192.168.1.20:8080", "http://192.168.1.20:8080"),
    ],
)
def test_a_page_of_the_house_may_open_a_socket(service: SyncService, host: str, origin: str | None) -> None:
    status = knock(service, Host=host, **({"Origin": origin} if origin else {}))

    assert status == 101


@pytest.mark.parametrize(
    ("host", "headers", "expected"),
    [
        ("tv.local", {"Origin": "http://evil.example"}, 400),
        ("tv.local", {"Origin": "null"}, 400),
        ("tv.local", {"Origin": "http://evil.example", "X_Forwarded_Host": "evil.example"}, 400),
        ("tv.local", {"Origin": "http://tv.local:9000"}, 400),
        ("tv.local:8080", {"Origin": "http://tv.local"}, 400),
        ("evil.example", {"Origin": "http://evil.example"}, 421),  # rebinding: both agree, and neither is ours
        ("evil.example", {}, 421),
        ("8.8.8.8", {}, 421),
        ("evil.example", {"X_Forwarded_Host": "tv.local"}, 421),
    ],
)
def test_others_may_not(service: SyncService, host: str, headers: dict[str, str], expected: int) -> None:
    assert knock(service, Host=host, **headers) == expected


def test_polling_is_refused(service: SyncService) -> None:
    status, _ = ask(service, "/socket.io/?EIO=4&transport=polling")

    assert status == 400


@pytest.mark.parametrize("path", ["/rooms", "/healthz", "/socket.io/?EIO=4&transport=websocket"])
def test_a_foreign_name_is_answered_421(service: SyncService, path: str) -> None:
    status, body = ask(service, path, {"Host": "evil.example"})

    assert status == 421
    assert json.loads(body)["code"] == "host_refused"


def test_rooms_are_for_who_has_the_inner_key(service: SyncService) -> None:
    without, _ = ask(service, "/rooms")
    wrong, _ = ask(service, "/rooms", {"Authorization": "Bearer wrong"})
    right, _ = ask(service, "/rooms", {"Authorization": f"Bearer {INNER_KEY}"})

    assert (without, wrong, right) == (401, 401, 200)


def test_health_figures_and_the_openapi_document_are_open(service: SyncService, viewer: MakeViewer) -> None:
    viewer(service, "ann")

    alive, ready = ask(service, "/healthz")[0], ask(service, "/readyz")[0]
    _, figures = ask(service, "/metrics")
    _, document = ask(service, "/openapi.json")

    assert (alive, ready) == (200, 200)
    assert b"kinodom_sockets 1.0" in figures
    validate(json.loads(document))
    assert set(json.loads(document)["paths"]) == {"/rooms", "/rooms/{room_id}"}
