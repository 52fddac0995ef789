"""A site that misbehaves in one way, whatever it is asked."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

CHECK = "<title>Just a moment...</title><script>window._cf_chl_opt = {};</script>"
TOO_LARGE = 9_000_000  # bytes; more than any source takes


class BadSite:
    """Misbehaves as `way` says; `let_go` ends what hangs."""

    def __init__(self, way: str) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []
        self._answer = self.ways()[way]

    def ways(self) -> dict[str, Callable[[], AnyResponse]]:
        """Return every way to misbehave."""
        return {
            "hangs": self._hang,
            "status 403": lambda: Response("no", 403),
            "status 404": lambda: Response("<h1>gone</h1>", 404),
            "status 429": lambda: Response("Retry later", 429, {"Retry-After": "600"}),
            "status 451": lambda: Response("rkn_banned", 451),
            "status 500": lambda: Response("<h1>oops</h1>", 500),
            "status 520": lambda: Response("<html>the edge</html>", 520),
            "a page instead": lambda: Response("<html><h1>Hello</h1></html>"),
            "a bot check": lambda: Response(CHECK),
            "nothing at all": lambda: Response(b""),
            "rubbish": lambda: Response(bytes(range(256)) * 40, content_type="application/octet-stream"),
            "deep JSON": lambda: Response("[" * 100_000, content_type="application/json"),
            "other JSON": lambda: Response('{"a": [1, null, {"b": "c"}]}', content_type="application/json"),
            "a list": lambda: Response('[1, [], "x"]', content_type="application/json"),
            "cut off": lambda: Response(self._half(), headers={"Content-Length": "5000"}),
            "too large": lambda: Response(self._blocks(), content_type="text/html"),
            "a bomb": lambda: Response(gzip.compress(b" " * TOO_LARGE), headers={"Content-Encoding": "gzip"}),
            "badly packed": lambda: Response(b"no gzip at all", headers={"Content-Encoding": "gzip"}),
            "in circles": lambda: redirect(request.url),
            "leads home": lambda: redirect("http://192.168.0.1/admin"),
        }

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("bad_site")

        @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
        @app.route("/<path:path>", methods=["GET", "POST"])
        def any_path(path: str) -> AnyResponse:
            self.asked.append(path)
            return self._answer()

        return app

    def _hang(self) -> Response:
        self.let_go.wait(60)
        return Response("")

    def _half(self) -> Iterator[bytes]:
        yield b'{"half": '

    def _blocks(self) -> Iterator[bytes]:
        for _ in range(TOO_LARGE // 100_000):
            yield b"<p> " * 25_000


WAYS = tuple(BadSite("hangs").ways())
