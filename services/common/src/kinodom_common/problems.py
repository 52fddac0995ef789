"""Errors on the wire: `application/problem+json` with a stable code, from our families and from Flask's own."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import Response
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from kinodom_common.contracts.problems import Mistake, Problem
from kinodom_common.errors import Conflict, Forbidden, KinodomError, NoSpace, NotFound, Rejected, UpstreamFailed
from kinodom_common.logs import get_log, request_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

log = get_log(__name__)

STATUS_OF: tuple[tuple[type[KinodomError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Rejected, 400),
    (UpstreamFailed, 502),
    (NoSpace, 507),
)
HTTP_CODES = {
    400: "bad_request",
    401: "key_missing",
    404: "no_such_page",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "wrong_content_type",
    421: "wrong_host",
    429: "too_many_requests",
}
KEPT_HEADERS = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})  # of Flask's own errors
FIELD_LIMIT = 100  # characters of a field's name that are told; an unknown one was chosen by the sender


class BadRequest(Rejected):
    """The body or the query does not have the documented shape."""

    code = "bad_request"
    title = "The request has mistakes"


class Misshapen(BadRequest):
    """The same with the fields that are wrong; it does not repeat what was sent."""

    def __init__(self, error: ValidationError) -> None:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        super().__init__("; ".join(f"{_path(one['loc'])}: {one['msg']}" for one in found[:5]))
        self.mistakes = tuple(Mistake(field=_path(one["loc"]), message=one["msg"]) for one in found[:50])


@contextmanager
def sent_by_caller() -> Iterator[None]:
    """Turn a wrong shape inside the block into Misshapen. Anywhere else a wrong shape is a mistake of ours."""
    try:
        yield
    except ValidationError as exc:
        raise Misshapen(exc) from exc


def problem_of(error: KinodomError) -> Problem:
    """Return the document that tells a caller about this error."""
    status = next((status for family, status in STATUS_OF if isinstance(error, family)), 500)
    # Facts go under their own names; they never overwrite the fields of the standard.
    facts = {name: value for name, value in error.facts.items() if name not in Problem.model_fields}
    return Problem.model_validate(
        {
            **facts,
            "title": error.title,
            "status": status,
            "code": error.code,
            "detail": error.detail,
            "request_id": request_id(),
            "mistakes": error.mistakes if isinstance(error, Misshapen) else (),
        }
    )


def respond(problem: Problem) -> Response:
    """Return the HTTP answer that carries a problem."""
    body = problem.model_dump_json(exclude_defaults=False)
    answer = Response(body, status=problem.status, content_type="application/problem+json")
    retry_after = (problem.model_extra or {}).get("retry_after_s")
    if isinstance(retry_after, int | float) and math.isfinite(retry_after):
        answer.headers["Retry-After"] = str(max(0, math.ceil(retry_after)))  # rounded down, they would come too early
    return answer


def not_known(code: str, detail: str) -> Response:
    """Return the answer to a call that does not show the key or token it needs."""
    answer = respond(Problem(title="Not allowed", status=401, code=code, detail=detail, request_id=request_id()))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def register_problems(app: Flask) -> None:
    """Make every error of this app a problem document."""

    def ours(error: KinodomError) -> Response:
        problem = problem_of(error)
        if problem.status >= 500:
            log.warning("request_failed", code=error.code, detail=error.detail)
        return respond(problem)

    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code = HTTP_CODES.get(status, "internal" if status >= 500 else f"http_{status}")
        problem = Problem(
            title=error.name, status=status, code=code, detail=error.description or "", request_id=request_id()
        )
        answer = respond(problem)
        answer.headers.extend((name, value) for name, value in error.get_headers() if name in KEPT_HEADERS)
        return answer

    def unexpected(error: Exception) -> Response:
        log.error("request_broke", exc_info=error)
        detail = "This is a mistake of the house, not yours. The log has the details under this request id."
        problem = Problem(
            title=KinodomError.title, status=500, code=KinodomError.code, detail=detail, request_id=request_id()
        )
        return respond(problem)

    app.register_error_handler(KinodomError, ours)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unexpected)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)[:FIELD_LIMIT] or "body"
