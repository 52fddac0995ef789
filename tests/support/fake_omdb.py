"""OMDb on loopback, with its recorded answers and a switch for each of its bad habits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "upstreams" / "omdb"
KEY = "k3y-of-the-operator"


def sample(name: str) -> dict[str, Any]:
    """Return a recorded answer."""
    return dict(json.loads((SAMPLES / name).read_text()))


class FakeOmdb:
    """Knows one film, one series, and a search for Batman."""

    def __init__(self) -> None:
        self.error: tuple[int, str] | None = None  # status and words of the error object
        self.html: int | None = None  # status of an outage's page
        self.only_na = False  # every value that may be absent is
        self.asked: list[dict[str, str]] = []
        film, series = sample("movie_tt3896198.json"), sample("series_tt0118480.json")
        self.known = {str(found["imdbID"]): found for found in (film, series)}

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_omdb")

        @app.get("/poster.jpg")
        def poster() -> Response:
            return Response(b"\xff\xd8\xff\xe0" + b"picture" * 50, content_type="image/jpeg")

        @app.get("/")
        def answer() -> tuple[Response | dict[str, Any], int]:
            args = request.args.to_dict()
            self.asked.append(args)
            if self.html is not None:
                return Response("<html>error code: 522</html>", content_type="text/html"), self.html
            if self.error is not None:
                return {"Response": "False", "Error": self.error[1]}, self.error[0]
            if args.get("apikey") != KEY:
                return {"Response": "False", "Error": "Invalid API key!"}, 401
            return self._found(args), 200

        return app

    def _found(self, args: dict[str, str]) -> dict[str, Any]:
        if "s" in args:
            hits = sample("search_batman.json")
            return hits if args["s"] == "Batman" else {"Response": "False", "Error": "Movie not found!"}
        if "i" in args and not args["i"].startswith("tt"):
            return {"Response": "False", "Error": "Incorrect IMDb ID."}
        found = self.known.get(args.get("i", ""))
        for one in self.known.values():
            if args.get("t") == one["Title"] and args.get("y") in (None, one["Year"][:4]):
                found = one
        if found is None:
            return {"Response": "False", "Error": "Movie not found!"}
        if self.only_na:
            kept = ("Title", "imdbID", "Type", "Response")
            return {name: value if name in kept else "N/A" for name, value in found.items() if name != "Ratings"}
        return found
