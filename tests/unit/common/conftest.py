"""A small service with one view for each way a request may end."""

from __future__ import annotations

import enum
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from flask import Flask, Response
from pydantic import Field, SecretStr

from kinodom_common.contracts import Reply, Request
from kinodom_common.errors import Conflict, Forbidden, KinodomError, NoSpace, NotFound, Rejected, UpstreamFailed
from kinodom_common.openapi import answer, body_of, describes, query_of
from kinodom_common.settings import CommonSettings
from kinodom_common.web import base_app

KEY = "an invented key"


class NoSuchFilm(NotFound):
    code = "no_such_film"
    title = "No such film"


class Order(enum.Enum):
    NEWEST = "newest"
    BEST = "best"


class FilmIn(Request):
    name: Annotated[str, Field(min_length=1, max_length=20)]
    year: int | None = None


class FilmQuery(Request):
    q: str
    limit: Annotated[int, Field(ge=1, le=9)] = 5
    order: Order = Order.NEWEST


class Film(Reply):
    name: str
    year: int | None = None


ENDS: dict[str, Callable[[], Exception]] = {
    "not_found": lambda: NoSuchFilm("It is not here.", film="salt"),
    "rejected": lambda: Rejected("No."),
    "conflict": lambda: Conflict("Busy.", retry_after_s=0.4),
    "forbidden": lambda: Forbidden("Not you."),
    "upstream": lambda: UpstreamFailed("It is silent.", retry_after_s=30),
    "no_space": lambda: NoSpace("Full."),
    "unknown_family": lambda: KinodomError("Odd."),
    "odd_facts": lambda: Rejected("No.", status=200, code="other", retry_after_s=float("inf")),
    "broken": lambda: RuntimeError("the secret of the house"),
}


def stored_by_another_version() -> Exception:
    Film.model_validate({"title": "Salt"})
    raise AssertionError("unreachable")


ENDS["broken_shape"] = stored_by_another_version


@dataclass
class Sample:
    """The app, and what its tests may turn."""

    app: Flask
    missing: dict[str, KinodomError] = field(default_factory=dict)
    bearer: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {**self.bearer, **options.pop("headers", {})}
        return self.app.test_client().open(path, method=method, headers=headers, **options)


@pytest.fixture
def sample() -> Iterator[Sample]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    missing: dict[str, KinodomError] = {}

    def check() -> None:
        if "store" in missing:
            raise missing["store"]

    app = base_app("sample", CommonSettings(inner_key=SecretStr(KEY)), ready={"store": check, "redis": lambda: None})
    add_views(app)
    yield Sample(app=app, missing=missing)
    root.handlers[:] = kept
    root.setLevel(level)


def add_views(app: Flask) -> None:
    @app.get("/ends/<how>")
    def ends(how: str) -> Response:
        raise ENDS[how]()

    @app.post("/films")
    @describes(reply=Film, status=201, body=FilmIn, problems=("bad_request",))
    def make_film() -> Response:
        """Make a film."""
        return answer(Film(name=body_of(FilmIn).name), 201)

    @app.get("/films/<film_id>")
    @describes(reply=Film, query=FilmQuery, problems=("no_such_film",))
    def one_film(film_id: str) -> Response:
        """Show a film."""
        query = query_of(FilmQuery)
        return answer(Film(name=f"{film_id} {query.q} {query.order.value}", year=query.limit))


@pytest.fixture
def log_lines(sample: Sample) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that gives what was logged since, as decoded lines."""
    stream = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
