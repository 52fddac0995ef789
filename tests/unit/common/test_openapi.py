"""The OpenAPI document is written from the notes on the views; the readers keep to the same models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from kinodom_common.openapi import answer, describes

if TYPE_CHECKING:
    from flask import Response

    from kinodom_common.contracts import Reply
    from tests.unit.common.conftest import Sample


def document(sample: Sample) -> dict[str, Any]:
    found: dict[str, Any] = sample.call("GET", "/openapi.json").get_json()
    return found


def references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(references(value) for value in part.values()))
    return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()


def test_the_document_is_valid_and_every_reference_leads_somewhere(sample: Sample) -> None:
    found = document(sample)

    validate(found)
    names = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert references(found) <= names


def test_a_view_is_told_with_its_models_parameters_and_codes(sample: Sample) -> None:
    film = document(sample)["paths"]["/films/{film_id}"]["get"]

    assert film["summary"] == "Show a film."
    parameters = {one["name"]: (one["in"], one["required"]) for one in film["parameters"]}
    assert parameters == {
        "film_id": ("path", True),
        "q": ("query", True),
        "limit": ("query", False),
        "order": ("query", False),
    }
    assert film["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Film"}
    assert "no_such_film" in film["responses"]["default"]["description"]


def test_a_body_is_told_with_its_status(sample: Sample) -> None:
    made = document(sample)["paths"]["/films"]["post"]

    assert made["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/FilmIn"}
    assert "201" in made["responses"]


def test_two_models_with_one_name_are_both_there(sample: Sample) -> None:
    @sample.app.get("/other")
    @describes(reply=other_film())
    def other() -> Response:
        return answer(other_film()())

    found = document(sample)

    validate(found)
    assert references(found) <= {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}


def other_film() -> type[Reply]:
    from kinodom_common.contracts import Reply

    return type("Film", (Reply,), {"__module__": "tests.other"})


def test_a_query_is_read_from_text(sample: Sample) -> None:
    reply = sample.call("GET", "/films/salt?q=moon&limit=3&order=best")

    assert reply.get_json() == {"name": "salt moon best", "year": 3}


@pytest.mark.parametrize(
    ("query", "field"), [("", "q"), ("q=x&limit=many", "limit"), ("q=x&limit=99", "limit"), ("q=x&odd=1", "odd")]
)
def test_a_query_of_another_shape_names_the_parameter(sample: Sample, query: str, field: str) -> None:
    problem = sample.call("GET", f"/films/salt?{query}").get_json()

    assert problem["code"] == "bad_request"
    assert [mistake["field"] for mistake in problem["mistakes"]] == [field]


def test_a_body_is_strict_about_types(sample: Sample) -> None:
    good = sample.call("POST", "/films", data=json.dumps({"name": "Соль", "year": 2020}))
    bad = sample.call("POST", "/films", json={"name": "Salt", "year": "2020"})

    assert (good.status_code, good.get_json()["name"]) == (201, "Соль")
    assert bad.status_code == 400
