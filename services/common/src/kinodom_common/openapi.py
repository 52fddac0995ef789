"""Views say what they take and give; the OpenAPI 3.1 document is written from that.

`@describes(...)` notes the models on the view, `body_of`, `query_of`, `form_of` and `part_of_path` read a request
against a model, `answer` writes a reply model. The document is served by every service under `/openapi.json`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Response, request, stream_with_context
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema

from kinodom_common.contracts.problems import Problem
from kinodom_common.problems import BadRequest, Misshapen, sent_by_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask
    from werkzeug.routing import Rule

View = TypeVar("View", bound="Callable[..., object]")
Model = TypeVar("Model", bound=BaseModel)
Part = TypeVar("Part")
REF = "#/components/schemas/{model}"
NOTE = "__kinodom_described__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a view takes and gives."""

    reply: type[BaseModel] | None
    status: int
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    problems: tuple[str, ...]


def describes(
    *,
    reply: type[BaseModel] | None = None,
    status: int = 200,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    problems: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Note on a view what it takes and gives; `problems` are the codes a caller should expect."""

    def note(view: View) -> View:
        setattr(view, NOTE, Described(reply=reply, status=status, body=body, query=query, problems=problems))
        return view

    return note


def body_of(model: type[Model]) -> Model:
    """Return the JSON body as a model.

    Raises:
        BadRequest: it is not JSON at all, or (Misshapen) it has another shape.
    """
    try:
        return model.model_validate_json(request.get_data(cache=False))
    except ValidationError as exc:
        if any(error["type"] == "json_invalid" for error in exc.errors(include_input=False)):
            raise BadRequest("The body is not valid JSON. Send an object with Content-Type application/json.") from exc
        raise Misshapen(exc) from exc


def query_of(model: type[Model]) -> Model:
    """Return the query string as a model; numbers are read from their text. Raises Misshapen."""
    return form_of(model, request.args.to_dict())


def form_of(model: type[Model], fields: Mapping[str, object]) -> Model:
    """Return the fields of a form as a model; numbers are read from their text. Raises Misshapen."""
    with sent_by_caller():
        return model.model_validate(fields, strict=False)


def part_of_path(shape: TypeAdapter[Part], text: str) -> Part:
    """Return a part of the address in its shape. Raises Misshapen."""
    with sent_by_caller():
        return shape.validate_python(text)


def answer(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply that carries a model."""
    return Response(model.model_dump_json(), status=status, content_type="application/json", headers=headers)


def lines(models: Iterable[BaseModel]) -> Response:
    """Return a reply of one JSON line for each model, sent as it comes."""
    texts = stream_with_context(f"{model.model_dump_json()}\n" for model in models)
    # Nginx collects a proxied reply before sending it on; the reader would get the lines in bursts.
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return Response(texts, content_type="application/x-ndjson", headers=headers)


def document(app: Flask) -> dict[str, object]:
    """Return the OpenAPI 3.1 document of an app, from the notes on its views."""
    described = [
        (rule, note)
        for rule in app.url_map.iter_rules()
        if (note := getattr(app.view_functions[rule.endpoint], NOTE, None)) is not None
    ]
    models = _Models(note for _, note in described)
    paths: dict[str, dict[str, object]] = {}
    for rule, note in described:
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view = app.view_functions[rule.endpoint]
            paths.setdefault(path, {})[method.lower()] = _operation(rule, view, note, models)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Kinodom {app.name}", "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": models.schemas},
    }


class _Models:
    """The schemas of all models, under names that are told apart when two models share one."""

    def __init__(self, notes: Iterable[Described]) -> None:
        used = {Problem} | {m for note in notes for m in (note.reply, note.body, note.query) if m is not None}
        ordered = sorted(used, key=lambda model: (model.__name__, model.__module__))
        names, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REF)
        self._references = {model: reference for (model, _), reference in names.items()}
        self.schemas = cast("dict[str, dict[str, Any]]", schemas["$defs"])

    def content(self, model: type[BaseModel] | None, kind: str = "application/json") -> dict[str, object]:
        return {} if model is None else {"content": {kind: {"schema": self._references[model]}}}

    def parameters(self, model: type[BaseModel] | None) -> list[dict[str, object]]:
        if model is None:
            return []
        schema = self.schemas[self._references[model]["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        shapes = schema.get("properties", {}).items()
        return [_parameter(name, "query", shape, required=name in required) for name, shape in shapes]


def _operation(rule: Rule, view: Callable[..., object], note: Described, models: _Models) -> dict[str, object]:
    lines = (view.__doc__ or "").strip().splitlines()
    responses: dict[str, object] = {str(note.status): {"description": "As asked.", **models.content(note.reply)}}
    expected = f" Codes: {', '.join(note.problems)}." if note.problems else ""
    responses["default"] = {
        "description": f"A problem.{expected}",
        **models.content(Problem, "application/problem+json"),
    }
    in_path = [_parameter(name, "path", {"type": "string"}, required=True) for name in sorted(rule.arguments)]
    operation: dict[str, object] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": lines[0] if lines else "",
        "parameters": in_path + models.parameters(note.query),
        "responses": responses,
    }
    if note.body is not None:
        operation["requestBody"] = {"required": True, **models.content(note.body)}
    return operation


def _parameter(name: str, where: str, schema: dict[str, object], *, required: bool) -> dict[str, object]:
    return {"name": name, "in": where, "required": required, "schema": schema}
