"""`make demo` against a stand-in for the gateway on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kinodom_house.demo import DemoFailedError, make_films

TOKEN = "token-of-the-page"


class FakeGateway(ThreadingHTTPServer):
    """Plays two wishes through; `refuse` and `strange` make it fail."""

    daemon_threads = True
    refuse = False
    strange = False
    rounds = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)

    def wishes(self) -> list[dict[str, object]]:
        self.rounds += 1
        running = {"state": "running", "progress": {"stage": "fetching", "fraction": 0.42}}
        end = {"state": "refused", "reason": "the disk is full"} if self.refuse else {"state": "ready"}
        now: dict[str, object] = running if self.rounds < 3 else end  # type: ignore[assignment]
        return [
            {"wish_id": name, "request": {"title": {"name": f"Film {name}"}, "episode": 3, "height_px": 480}, **now}
            for name in "ab"
        ]


class _Answers(BaseHTTPRequestHandler):
    server: FakeGateway

    def do_GET(self) -> None:
        if self.path == "/":
            page = "<p>something else" if self.server.strange else f'<meta name="csrf" content="{TOKEN}">'
            self.answer(200, page.encode(), cookie=True)
        else:
            self.answer(200, json.dumps({"wishes": self.server.wishes()}).encode())

    def do_POST(self) -> None:
        good = self.headers["X-CSRF-Token"] == TOKEN and "viewer=1" in self.headers["Cookie"]
        self.answer(200 if good else 403, json.dumps({"wishes": ["a", "b"]} if good else {"detail": "forged"}).encode())

    def answer(self, status: int, body: bytes, *, cookie: bool = False) -> None:
        self.send_response(status)
        if cookie:
            self.send_header("Set-Cookie", "viewer=1; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with FakeGateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(gateway: FakeGateway) -> str:
    return f"http://127.0.0.1:{gateway.server_address[1]}"


def test_films_are_asked_for_and_followed_to_the_end(gateway: FakeGateway) -> None:
    said: list[str] = []

    make_films(address(gateway), say=said.append, look_s=0.01)

    assert said[0] == "Asked for 2 videos."
    assert "  Film a, episode 3, 480p  fetching 40 %" in said
    assert said.count("  Film b, episode 3, 480p  ready") == 1
    assert said[-1].startswith("All are ready")


def test_a_film_that_is_refused_is_told_with_its_reason(gateway: FakeGateway) -> None:
    gateway.refuse = True
    said: list[str] = []

    with pytest.raises(DemoFailedError, match="Not every film"):
        make_films(address(gateway), say=said.append, look_s=0.01)

    assert "  Film a, episode 3, 480p  refused: the disk is full" in said


def test_another_program_on_the_port_is_not_taken_for_kinodom(gateway: FakeGateway) -> None:
    gateway.strange = True

    with pytest.raises(DemoFailedError, match="is not Kinodom"):
        make_films(address(gateway), say=print)


def test_films_that_take_too_long_are_told(gateway: FakeGateway) -> None:
    with pytest.raises(DemoFailedError, match="not ready after 0 s"):
        make_films(address(gateway), say=print, limit_s=0.0)
