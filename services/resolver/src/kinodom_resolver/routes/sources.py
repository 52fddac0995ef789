"""Sources as the operator sets them: weight, limits, proxy, cookies, a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from kinodom_common.contracts.sources import CookieIn, CookieNames, SourceChange, SourceTrial, TrialIn
from kinodom_common.contracts.titles import SourceCard, SourceList
from kinodom_common.openapi import answer, body_of, describes
from kinodom_resolver.domain import operating
from kinodom_resolver.wiring import deps

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("sources", __name__)


@bp.get("/sources")
@describes(reply=SourceList)
def sources() -> Response:
    """List the sources known here, with what is set for them and how they are."""
    here = deps()
    return answer(operating.cards(here.present, settings=here.settings, book=here.book))


@bp.put("/sources/<name>")
@describes(
    reply=SourceCard,
    body=SourceChange,
    problems=("unknown_source", "source_not_set_up", "browser_tls_missing", "memory_away", "no_source_key"),
)
def change(name: str) -> Response:
    """Change what is set for a source; a field that is left out stays as it is."""
    here = deps()
    operating.change(
        name, body_of(SourceChange), listed=here.present, settings=here.settings, browser_tls=here.browser_tls
    )
    return answer(operating.card(name, here.present, settings=here.settings, book=here.book))


@bp.get("/sources/<name>/cookie")
@describes(reply=CookieNames, problems=("unknown_source",))
def cookie(name: str) -> Response:
    """Say which cookies a source has, without their values."""
    here = deps()
    return answer(operating.cookie_names(name, listed=here.present, settings=here.settings))


@bp.put("/sources/<name>/cookie")
@describes(
    reply=CookieNames, body=CookieIn, problems=("unknown_source", "cookie_not_read", "memory_away", "no_source_key")
)
def set_cookie(name: str) -> Response:
    """Keep cookies for a source in place of those it had."""
    here = deps()
    operating.set_cookie(name, body_of(CookieIn), listed=here.present, settings=here.settings)
    return answer(operating.cookie_names(name, listed=here.present, settings=here.settings))


@bp.delete("/sources/<name>/cookie")
@describes(status=204, problems=("unknown_source", "memory_away"))
def forget_cookie(name: str) -> tuple[str, int]:
    """Delete the cookies of a source."""
    here = deps()
    operating.forget_cookie(name, listed=here.present, settings=here.settings)
    return "", 204


@bp.post("/sources/<name>/try")
@describes(reply=SourceTrial, body=TrialIn, problems=("unknown_source", "source_not_set_up", "source_cannot_search"))
def try_out(name: str) -> Response:
    """Ask one source now, breaker or not."""
    here, query = deps(), body_of(TrialIn).query
    tools = operating.Trying(wall=here.wall, deadline_s=here.open_deadline_s, clock=here.clock)
    return answer(operating.try_out(name, query, listed=here.present, settings=here.settings, tools=tools))
