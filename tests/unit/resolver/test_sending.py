"""A source's way out: retries, pacing, breakers of hosts, cookies, proxies."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from flask import Flask, Response, request

from kinodom_common.egress import AddressRefused, OutsideBadStatus, OutsideClient, OutsideUnreachable
from kinodom_common.errors import KinodomError
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine
from kinodom_resolver.adapters.sending import HostResting, Hosts, SourceOutside, through
from kinodom_resolver.adapters.site_files import parse_site
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import HostNotListed, Pace, SiteWeb
from tests.support.outside import Manners, outside_for
from tests.support.served import served


@dataclass
class Shop:
    """A site that answers with the given statuses, then with 200."""

    statuses: list[int] = field(default_factory=list)
    retry_after: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("shop")

        @app.get("/thing")
        def thing() -> Response:
            self.asked.append(dict(request.headers))
            status = self.statuses.pop(0) if self.statuses else 200
            reply = Response('{"a": 1}', status=status, content_type="application/json")
            if self.retry_after and status != 200:
                reply.headers["Retry-After"] = self.retry_after
            return reply

        return app


class Time:
    """A clock that moves when somebody pauses."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 3))
        self.now_s += seconds


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def url(shop: Shop) -> Iterator[str]:
    with served(shop.app()) as address:
        yield f"{address}/thing"


@pytest.fixture
def time() -> Time:
    return Time()


def outside(url: str, time: Time, manners: Manners | None = None, *, saved: float = 9.0) -> SourceOutside:
    book = RedisHealth(RedisLine(None), clock=time)
    hosts = Hosts(book, RedisLine(None), now=time, pause=time.pause, chance=lambda: 0.5)
    hosts._retries["127.0.0.1"] = saved
    client = outside_for(url)
    return SourceOutside("shop", partial(through, client), hosts=hosts, manners=manners or Manners())


def test_a_passing_failure_is_tried_again_after_a_growing_pause_with_jitter(shop: Shop, url: str, time: Time) -> None:
    shop.statuses = [503, 500]

    found = outside(url, time).get_json(url)

    assert found == {"a": 1}
    assert time.pauses == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 451])
def test_a_refusal_is_not_tried_again(shop: Shop, url: str, time: Time, status: int) -> None:
    shop.statuses = [status]

    with pytest.raises(OutsideBadStatus):
        outside(url, time).get(url)

    assert len(shop.asked) == 1


def test_retries_are_a_fifth_of_the_questions_at_most(shop: Shop, url: str, time: Time) -> None:
    out = outside(url, time, saved=1.0)
    for _ in range(50):
        shop.statuses = [500, 200]
        try:
            out.get(url)
        except KinodomError:
            shop.statuses = []
        out.get(url)

    assert len(shop.asked) <= 100 * 1.2 + 1


def test_a_short_retry_after_is_kept_to(shop: Shop, url: str, time: Time) -> None:
    shop.statuses, shop.retry_after = [429], "3"

    outside(url, time).get(url)

    assert time.pauses == [3.0]
    assert len(shop.asked) == 2


def test_a_host_that_asks_for_a_rest_gets_it(shop: Shop, url: str, time: Time) -> None:
    shop.statuses, shop.retry_after = [503], "120"
    out = outside(url, time)

    with pytest.raises(OutsideBadStatus):
        out.get(url)
    with pytest.raises(HostResting) as caught:
        out.get(url)
    time.now_s += 121
    out.get(url)

    assert caught.value.facts["retry_after_s"] == pytest.approx(120)
    assert len(shop.asked) == 2


def test_a_host_that_fails_five_times_is_left_alone_but_for_a_probe(shop: Shop, url: str, time: Time) -> None:
    shop.statuses = [500] * 50
    out = outside(url, time, saved=0.0)
    outcomes = []
    for _ in range(8):
        try:
            out.get(url)
        except KinodomError as exc:
            outcomes.append(exc.code)

    assert outcomes == ["outside_bad_status"] * 5 + ["host_resting"] * 3  # the retry of the fifth was the probe
    assert len(shop.asked) == 6


def test_requests_to_one_host_keep_their_distance(shop: Shop, url: str, time: Time) -> None:
    out = outside(url, time, Manners(pacing_s=2.0))

    for _ in range(3):
        out.get(url)

    assert time.pauses == [2.0, 2.0]


def test_the_cookie_goes_along(shop: Shop, url: str, time: Time) -> None:
    outside(url, time, Manners(cookie="a=1")).get(url)

    assert shop.asked[0]["Cookie"] == "a=1"


class Middleman:
    """A proxy that knows CONNECT and nothing else."""

    def __init__(self, target: tuple[str, int], status: str = "200 Connection established") -> None:
        self._target = target
        self._status = status
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.heads: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # nobody came, or the other side went away
            self._lead(self._door.accept()[0])

    def _lead(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.heads.append(head.decode())
        client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        if not self._status.startswith("200"):
            client.close()
            return
        with socket.create_connection(self._target) as server, client:
            server.sendall(client.recv(65536))
            while piece := server.recv(65536):
                client.sendall(piece)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()


def middleman_for(url: str, status: str = "200 OK") -> Middleman:
    port = int(url.rpartition(":")[2].partition("/")[0])
    return Middleman(("127.0.0.1", port), status)


def test_a_proxy_leads_to_the_host_with_its_user(shop: Shop, url: str, time: Time) -> None:
    proxy = middleman_for(url)

    found = outside(url, time, Manners(proxy=f"http://me:pass%40word@127.0.0.1:{proxy.port}")).get_json(url)

    assert found == {"a": 1}
    assert proxy.heads[0].startswith("CONNECT 127.0.0.1:")
    assert "Proxy-Authorization: Basic bWU6cGFzc0B3b3Jk" in proxy.heads[0]
    proxy.close()


def test_a_proxy_that_refuses_is_said(url: str, time: Time) -> None:
    proxy = middleman_for(url, "403 Forbidden")

    with pytest.raises(OutsideUnreachable, match="proxy refused"):
        outside(url, time, Manners(proxy=f"http://127.0.0.1:{proxy.port}"), saved=0.0).get(url)

    proxy.close()


def test_a_proxy_leads_nobody_into_the_home(url: str, time: Time) -> None:
    proxy = middleman_for(url)
    client = through(outside_for(url), f"http://127.0.0.1:{proxy.port}")

    with pytest.raises(AddressRefused):
        client.get("http://192.168.0.1/secret")

    assert proxy.heads == []
    proxy.close()


PLAIN = """
name: plain
label: Plain
home: {home}
cookies: {{from: file}}
{more}
search: {{address: "/thing?q={{query}}", each: $.hits, link: $.link, name: $.name}}
title: {{name: $.name}}
media: {{links: $.film}}
"""


def described(url: str, time: Time, manners: Manners | None = None, more: str = "") -> YamlSite:
    site = parse_site(PLAIN.format(home=url.removesuffix("thing"), more=more), "plain.yaml").site
    assert site is not None
    hosts = Hosts(RedisHealth(RedisLine(None), clock=time), RedisLine(None), now=time, pause=time.pause)
    hosts._retries["127.0.0.1"] = 9.0

    def way(name: str, client: OutsideClient) -> SourceOutside:
        return SourceOutside(name, partial(through, client), hosts=hosts, manners=manners or Manners())

    return YamlSite(site, SiteWeb(site, outside_for(url), pace=Pace(0), way=way))


def test_a_described_site_is_asked_again_with_the_cookie_that_the_operator_set(
    shop: Shop, url: str, time: Time
) -> None:
    shop.statuses = [503]

    described(url, time, Manners(cookie="set=here")).search("x")

    assert [one["Cookie"] for one in shop.asked] == ["set=here", "set=here"]


def test_a_described_site_goes_by_the_proxy_in_its_file_and_by_another_that_the_operator_set(
    shop: Shop, url: str, time: Time
) -> None:
    filed, chosen = middleman_for(url), middleman_for(url)
    more = f"proxy: 127.0.0.1:{filed.port}"

    described(url, time, more=more).search("x")
    described(url, time, Manners(proxy=f"http://127.0.0.1:{chosen.port}"), more=more).search("x")

    assert (len(filed.heads), len(chosen.heads)) == (1, 1)
    assert [one["Cookie"] for one in shop.asked] == ["from=file", "from=file"]
    filed.close()
    chosen.close()


def test_a_described_site_leads_its_proxy_to_no_other_host(shop: Shop, url: str, time: Time) -> None:
    proxy = middleman_for(url)
    site = described(url, time, more=f"proxy: 127.0.0.1:{proxy.port}")

    with pytest.raises(HostNotListed):
        site._web.get("http://other.example/")

    assert proxy.heads == []
    proxy.close()
