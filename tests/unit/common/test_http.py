"""The client between the services: what it repeats, what it never repeats, and how answers become our errors."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, Response, request

from kinodom_common.contracts import Reply, Request
from kinodom_common.errors import Conflict, Forbidden, KinodomError, NoSpace, NotFound, Rejected, UpstreamFailed
from kinodom_common.http import HttpClient, ServiceSilent
from kinodom_common.logs import bound_request_id
from tests.support.free_ports import free_port
from tests.support.served import served

KEY = "an invented key"


class Film(Reply):
    name: str


class FilmIn(Request):
    name: str


@dataclass
class Peer:
    """A service that answers as it is told: first with these, then with a film."""

    answers: list[Response] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    awake: threading.Event = field(default_factory=threading.Event)
    asleep: bool = False

    def app(self) -> Flask:
        app = Flask("peer")

        @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
        def answer(path: str) -> Response:
            self.seen.append((request.method, request.path))
            self.asked.append(request.args.to_dict())
            self.headers.append(dict(request.headers))
            if self.asleep:
                self.awake.wait(10)
            given = self.answers.pop(0) if self.answers else Response('{"name": "Salt", "newer_field": 1}')
            return Response(given.get_data(), given.status_code, content_type=given.content_type)

        return app


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.awake.set()


@pytest.fixture
def client(peer: Peer) -> Iterator[HttpClient]:
    with served(peer.app()) as url:
        yield HttpClient("catalogue", f"{url}/", inner_key=KEY, timeout_s=2.0)
        peer.awake.set()


def problem(status: int, code: str, **facts: object) -> Response:
    body = {"title": "A title", "status": status, "code": code, "detail": "Words.", **facts}
    return Response(json.dumps(body), status, content_type="application/problem+json")


def test_an_answer_is_read_leniently(client: HttpClient, peer: Peer) -> None:
    film = client.get("/films", Film, params={"q": "соль & moon", "limit": 3, "after": None})

    assert film.name == "Salt"
    assert peer.asked == [{"q": "соль & moon", "limit": "3"}]


def test_the_key_and_the_request_id_are_sent(client: HttpClient, peer: Peer) -> None:
    with bound_request_id("page-12345"):
        client.post("/films", FilmIn(name="Соль"), Film)
    client.get("/films", Film)

    assert peer.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert peer.headers[0]["X-Request-Id"] == "page-12345"
    assert peer.headers[0]["Content-Type"] == "application/json"
    assert "X-Request-Id" not in peer.headers[1]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_may_be_repeated_is_repeated_while_the_peer_starts(client: HttpClient, peer: Peer, status: int) -> None:
    peer.answers = [Response("starting", status), Response("starting", status)]

    assert client.get("/films", Film).name == "Salt"
    assert len(peer.seen) == 3


def test_a_problem_of_the_peer_is_an_answer_and_not_repeated(client: HttpClient, peer: Peer) -> None:
    peer.answers = [problem(502, "source_silent")]

    with pytest.raises(UpstreamFailed) as caught:
        client.get("/films", Film)

    assert caught.value.code == "source_silent"
    assert len(peer.seen) == 1


def test_a_post_is_sent_once(client: HttpClient, peer: Peer) -> None:
    peer.answers = [Response("starting", 503)]

    with pytest.raises(ServiceSilent, match="503"):
        client.post("/films", FilmIn(name="Salt"), Film)

    assert peer.seen == [("POST", "/films")]


def test_nobody_there_is_a_silent_service() -> None:
    client = HttpClient("catalogue", f"http://127.0.0.1:{free_port()}", inner_key=KEY)

    with pytest.raises(ServiceSilent) as caught:
        client.get("/films", Film)

    assert (caught.value.code, caught.value.facts) == ("service_silent", {"peer": "catalogue"})


def test_a_call_ends_at_its_time_limit_with_all_repetitions(peer: Peer) -> None:
    peer.asleep = True

    with served(peer.app()) as url:
        began_s = time.monotonic()
        with pytest.raises(ServiceSilent):
            HttpClient("catalogue", url, inner_key=KEY, timeout_s=0.4).get("/films", Film)
        took_s = time.monotonic() - began_s
        peer.awake.set()

    assert took_s < 1.0
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, Rejected),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (401, UpstreamFailed),
        (500, UpstreamFailed),
        (502, UpstreamFailed),
        (507, NoSpace),
    ],
)
def test_a_problem_becomes_our_family_and_keeps_its_words(
    client: HttpClient, peer: Peer, status: int, family: type[KinodomError]
) -> None:
    peer.answers = [problem(status, "some_code", retry_after_s=30, nested={"odd": 1})]

    with pytest.raises(family) as caught:
        client.get("/films", Film)

    error = caught.value
    assert (error.code, error.title, error.detail) == ("some_code", "A title", "Words.")
    assert error.facts == {"retry_after_s": 30}


@pytest.mark.parametrize(
    "answer",
    [
        Response('{"title": "Salt"}'),
        Response("<html>"),
        Response("", 302),
        Response("[]", 404, content_type="application/json"),
        Response("{", 404, content_type="application/problem+json"),
        Response('{"name": "Salt"}', 500),
    ],
)
def test_an_answer_outside_the_contract_is_silence(client: HttpClient, peer: Peer, answer: Response) -> None:
    peer.answers = [answer]

    with pytest.raises(ServiceSilent):
        client.get("/films", Film)


def test_put_and_delete_may_be_repeated(client: HttpClient, peer: Peer) -> None:
    peer.answers = [Response("starting", 503)]
    client.put("/films/1", FilmIn(name="Salt"), Film)
    peer.answers = [Response("starting", 503)]
    client.delete("/films/1")

    assert [method for method, _ in peer.seen] == ["PUT", "PUT", "DELETE", "DELETE"]
