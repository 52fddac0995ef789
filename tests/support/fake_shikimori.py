"""Shikimori on loopback, with its recorded answers and a switch for each of its bad habits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "upstreams" / "shikimori"


def sample(name: str) -> Any:
    """Return a recorded answer."""
    return json.loads((SAMPLES / name).read_text())


class FakeShikimori:
    """Knows two titles by GraphQL and a third one by its REST card."""

    def __init__(self) -> None:
        self.status: int | None = None  # of every answer
        self.text = "Retry later"
        self.graphql_errors = False
        self.graphql_broken = False  # answers 404 on the GraphQL path only
        self.prefixed = False  # the id has got a letter in front: 301 to the new address
        self.moved_to: str | None = None  # the whole site redirects to another host
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.cards: list[dict[str, Any]] = sample("graphql_search.json")["data"]["animes"]
        self.rest: dict[str, Any] = sample("animes_show_6505.json")

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_shikimori")

        @app.before_request
        def trouble() -> AnyResponse | None:
            self.asked.append(f"{request.method} {request.path}")
            self.agents.add(request.headers.get("User-Agent", ""))
            if self.moved_to is not None:
                return redirect(self.moved_to + request.path, 301)
            if self.status is not None:
                return Response(self.text, self.status, content_type="text/plain")
            return None

        @app.post("/api/graphql")
        def graphql() -> dict[str, Any] | AnyResponse:
            if self.graphql_broken:
                return Response("<html>", 404)
            if self.graphql_errors:
                return {"errors": [{"message": "Query has complexity of 999"}]}
            variables = dict((request.get_json() or {}).get("variables", {}))
            if "ids" in variables:
                return {"data": {"animes": [card for card in self.cards if card["id"] == variables["ids"]]}}
            word = variables["search"].split()[0].lower()
            found = [card for card in self.cards if word in f"{card['name']} {card['russian']}".lower()]
            return {"data": {"animes": found}}

        @app.get("/api/animes/<anime>")
        def card(anime: str) -> dict[str, Any] | AnyResponse | tuple[dict[str, Any], int]:
            if self.prefixed and anime == str(self.rest["id"]):
                return redirect(f"/api/animes/z{anime}", 301)
            if anime.lstrip("z") != str(self.rest["id"]):
                return {"message": "Страница не найдена", "code": 404}, 404
            return self.rest

        return app
