"""The front door: names, headers, limits and the words Nginx finds when nobody is behind it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from kinodom_common.hosts import HOME, HostRule
from tests.support.free_ports import free_port
from tests.support.nginx_house import NginxHouse, nginx_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxHouse]:
    with nginx_house(tmp_path_factory.mktemp("nginx")) as running:
        (running.static / "player-4F7XQ2LM.js").write_text("export {};\n" * 200)
        (running.static / "manifest.json").write_text("{}")
        (running.static / "fonts").mkdir()
        (running.static / "fonts" / "inter-AB12CD34.woff2").write_bytes(b"wOF2")
        yield running


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxHouse]:
    """Nginx whose gateway does not listen yet."""
    with nginx_house(tmp_path_factory.mktemp("nginx"), gateway_url=f"http://127.0.0.1:{free_port()}") as running:
        yield running


OURS = [
    "localhost", "LOCALHOST:8080", "127.0.0.1:8080", "192.168.1.7", "10.0.0.5", "172.31.0.1", "169.254.3.4",
    "[::1]:8080", "[fd00::7]", "[FE80::1]", "nas", "nas:8080", "my-nas", "nas.local", "kino.example", "kino.example:80",
    "a.tail.example", "a.b.tail.example", "100.65.1.1",
]  # fmt: skip
THEIRS = [
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "kino.example.evil", "a.kino.example",
    "tail.example", "xtail.example", "8.8.8.8", "172.32.0.1", "[2001:db8::1]", "100.128.0.1", "nas.local.evil",
    "2130706433",
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_the_houses_own_names_are_answered(house: NginxHouse, host: str) -> None:
    status, _, _ = house.ask("/", Host=host)

    assert status == 200


@pytest.mark.parametrize("host", THEIRS)
def test_any_other_name_is_421_with_a_page_that_says_what_to_do(house: NginxHouse, host: str) -> None:
    house.upstream.seen.clear()

    status, headers, body = house.ask("/", Host=host)

    assert status == 421
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert b"KINODOM_ALLOWED_HOSTS" in body
    assert house.upstream.seen == []


@pytest.mark.parametrize("host", OURS + THEIRS)
def test_the_services_judge_names_as_nginx_does(house: NginxHouse, host: str) -> None:
    rule = HostRule([*HOME, "kino.example", "*.tail.example", "100.64.0.0/10"])

    status, _, _ = house.ask("/", Host=host)

    assert rule.allows(host) is (status == 200)


def test_another_name_gets_no_socket_either(house: NginxHouse) -> None:
    status, _, _ = house.ask("/socket.io/?EIO=4&transport=websocket", Host="evil.example")

    assert status == 421


def test_a_clients_own_request_id_and_forwarded_headers_are_replaced(house: NginxHouse) -> None:
    _, headers, body = house.ask(
        "/", X_Request_ID="mine", X_Forwarded_For="6.6.6.6", X_Forwarded_Host="evil", Forwarded="for=6.6.6.6", Proxy="x"
    )

    seen = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert len(seen["x-request-id"]) == 32
    assert headers["x-request-id"] == seen["x-request-id"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert {"x-forwarded-host", "forwarded", "proxy"}.isdisjoint(seen)


def test_the_gateways_own_policy_is_not_touched(house: NginxHouse) -> None:
    _, headers, _ = house.ask("/")

    assert headers["content-security-policy"] == "default-src 'self'"


def test_the_host_goes_through_with_its_port(house: NginxHouse) -> None:
    _, _, body = house.ask("/", Host="localhost:8080")

    assert json.loads(body)["headers"]["Host"] == "localhost:8080"


def test_a_socket_is_upgraded(house: NginxHouse) -> None:
    _, _, body = house.ask("/socket.io/?EIO=4", Upgrade="websocket", Connection="Upgrade")

    assert json.loads(body)["headers"]["Upgrade"] == "websocket"
    assert json.loads(body)["headers"]["Connection"] == "upgrade"


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "//metrics", "/%6detrics", "/x/../metrics", "/metrics/", "/v/", "/covers/x"]
)
def test_what_is_for_the_household_alone_is_404_outside(house: NginxHouse, path: str) -> None:
    house.upstream.seen.clear()

    status, _, _ = house.ask(path)

    assert status == 404
    assert house.upstream.seen == []


def test_nginx_tells_its_own_health(lonely: NginxHouse) -> None:
    status, _, body = lonely.ask("/healthz")

    assert (status, body) == (200, b"ok\n")


def test_while_the_gateway_is_away_the_page_says_so_and_tries_again(lonely: NginxHouse) -> None:
    status, headers, body = lonely.ask("/")

    assert status == 503
    assert headers["retry-after"] == "2"
    assert headers["cache-control"] == "no-store"
    assert b"http-equiv=refresh" in body
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_while_the_gateway_is_away_scripts_get_a_problem(lonely: NginxHouse, method: str) -> None:
    status, headers, body = lonely.ask("/api/v1/wishes", method=method)

    assert (status, json.loads(body)["code"]) == (503, "starting")
    assert headers["content-type"] == "application/problem+json"


def test_a_large_body_is_refused_in_words(house: NginxHouse) -> None:
    status, _, body = house.ask("/api/v1/x", method="POST", body=b"x" * 70_000)
    page, _, words = house.ask("/login", method="POST", body=b"x" * 70_000)

    assert (status, json.loads(body)["code"]) == (413, "too_large")
    assert (page, b"64 kB" in words) == (413, True)


def test_built_files_are_kept_for_ever_and_others_are_asked_for_again(house: NginxHouse) -> None:
    _, script, body = house.ask("/static/player-4F7XQ2LM.js", Accept_Encoding="gzip")
    _, font, _ = house.ask("/static/fonts/inter-AB12CD34.woff2")
    _, manifest, _ = house.ask("/static/manifest.json")

    assert script["cache-control"] == font["cache-control"] == "public, max-age=31536000, immutable"
    assert script["content-type"] == "text/javascript; charset=utf-8"
    assert (script["content-encoding"], body[:2]) == ("gzip", b"\x1f\x8b")
    assert manifest["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/x/../../conf/nginx.conf", "/static/%2e%2e/conf/nginx.conf", "/static/..%2fconf/nginx.conf"]
)
def test_nothing_but_built_files_is_under_static(house: NginxHouse, path: str) -> None:
    _, _, body = house.ask(path)

    assert b"worker_connections" not in body


def test_a_garbled_host_is_400(house: NginxHouse) -> None:
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        reply = raw.recv(4096)

    assert reply.startswith(b"HTTP/1.1 400 ")


def test_the_log_is_json_without_query_strings(house: NginxHouse) -> None:
    house.ask("/search?q=hunter2&token=hunter3")

    lines = [json.loads(line) for line in house.log.read_text().splitlines()]
    assert {"/search"} <= {line["path"] for line in lines}
    assert "hunter" not in house.log.read_text()


def test_a_missing_built_file_is_404_and_folders_are_not_listed(house: NginxHouse) -> None:
    missing, _, _ = house.ask("/static/nothing.js")
    folder, _, _ = house.ask("/static/fonts/")
    hidden, _, _ = house.ask("/static/.env")

    assert (missing, folder in {403, 404}, hidden) == (404, True, 404)
