"""Sources in the browser's and scripts' API, version 1: passed on to the resolver as they are."""

from __future__ import annotations

from flask import Blueprint, Response

from kinodom_common.contracts.sources import CookieIn, CookieNames, SourceChange, SourceTrial, TrialIn
from kinodom_common.contracts.titles import SourceCard, SourceList
from kinodom_common.openapi import answer, body_of, describes
from kinodom_gateway.wiring import deps

bp = Blueprint("api_sources", __name__, url_prefix="/api/v1")


@bp.get("/sources")
@describes(reply=SourceList)
def list_sources() -> Response:
    """List the sources, with what is set for them and how they are."""
    return answer(deps().resolver.sources())


@bp.put("/sources/<name>")
@describes(reply=SourceCard, body=SourceChange, problems=("unknown_source", "source_not_set_up", "memory_away"))
def change_source(name: str) -> Response:
    """Change what is set for a source; a field that is left out stays as it is."""
    return answer(deps().resolver.change_source(name, body_of(SourceChange)))


@bp.get("/sources/<name>/cookie")
@describes(reply=CookieNames, problems=("unknown_source",))
def show_cookie(name: str) -> Response:
    """Say which cookies a source has, without their values."""
    return answer(deps().resolver.cookie(name))


@bp.put("/sources/<name>/cookie")
@describes(reply=CookieNames, body=CookieIn, problems=("unknown_source", "cookie_not_read", "no_source_key"))
def set_cookie(name: str) -> Response:
    """Keep cookies for a source in place of those it had."""
    return answer(deps().resolver.set_cookie(name, body_of(CookieIn)))


@bp.delete("/sources/<name>/cookie")
@describes(status=204, problems=("unknown_source", "memory_away"))
def forget_cookie(name: str) -> tuple[str, int]:
    """Delete the cookies of a source."""
    deps().resolver.forget_cookie(name)
    return "", 204


@bp.post("/sources/<name>/try")
@describes(reply=SourceTrial, body=TrialIn, problems=("unknown_source", "source_not_set_up", "source_cannot_search"))
def try_source(name: str) -> Response:
    """Ask one source now, and tell what came of it."""
    return answer(deps().resolver.try_source(name, body_of(TrialIn).query))
