"""The sources page: plain forms, each of which works without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from kinodom_common.contracts.sources import CookieIn, SourceChange, TrialIn
from kinodom_common.errors import KinodomError, NotFound
from kinodom_common.openapi import form_of
from kinodom_common.problems import problem_of
from kinodom_gateway.domain import sources
from kinodom_gateway.presenters import reasons
from kinodom_gateway.presenters.sources import Said, sources_view, trial_said
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    Page = Response | str | tuple[str, int]

bp = Blueprint("sources", __name__)
SETTINGS = ("weight", "pacing_s", "time_limit_s")


@bp.get("/sources")
def page() -> str:
    """Show all sources in the order of asking, how they are, and what is set for them."""
    return _shown()


@bp.post("/sources/<name>/settings")
def settings(name: str) -> Page:
    """Set weight, pace and time limit; an empty field is the source's own again."""
    wanted = {field: request.form.get(field, "").strip() or None for field in SETTINGS}
    return _after(name, lambda: deps().resolver.change_source(name, form_of(SourceChange, wanted)))


@bp.post("/sources/<name>/way")
def way(name: str) -> Page:
    """Set the proxy and browser-like TLS; an empty field keeps the proxy, whose password the page does not know."""
    proxy = request.form.get("proxy", "").strip()
    wanted = {"browser_tls": request.form.get("browser_tls") == "yes"} | ({"proxy": proxy} if proxy else {})
    return _after(name, lambda: deps().resolver.change_source(name, form_of(SourceChange, wanted)))


@bp.post("/sources/<name>/way/straight")
def straight(name: str) -> Page:
    """Forget the proxy of a source."""
    return _after(name, lambda: deps().resolver.change_source(name, SourceChange(proxy=None)))


@bp.post("/sources/<name>/switch")
def switch(name: str) -> Page:
    """Switch a source on or off."""
    on = request.form.get("on") == "yes"
    return _after(name, lambda: sources.switch(name, on=on, sources=deps().resolver))


@bp.post("/sources/<name>/move")
def move(name: str) -> Page:
    """Ask a source one place earlier or later."""
    earlier = request.form.get("by") == "earlier"
    return _after(name, lambda: sources.move(name, earlier=earlier, sources=deps().resolver))


@bp.post("/sources/<name>/cookie")
def set_cookie(name: str) -> Page:
    """Keep a cookie that was pasted or sent as a file."""

    def keep() -> None:
        deps().resolver.set_cookie(name, _cookie())

    return _after(name, keep)


@bp.post("/sources/<name>/cookie/forget")
def forget_cookie(name: str) -> Page:
    """Delete the cookies of a source."""
    return _after(name, lambda: deps().resolver.forget_cookie(name))


@bp.post("/sources/<name>/try")
def try_out(name: str) -> Page:
    """Ask one source now and show what came of it."""
    query = request.form.get("query", "").strip()
    try:
        trial = deps().resolver.try_source(name, form_of(TrialIn, {"query": query}).query)
    except KinodomError as exc:
        return _refused(name, exc, query=query)
    return _shown(trial_said(name, query, trial))


def _cookie() -> CookieIn:
    filed = request.files.get("file")
    text = sources.cookie_text(request.form.get("text", ""), filed.read() if filed else b"")
    return form_of(CookieIn, {"text": text, "domain": request.form.get("domain", "").strip() or None})


def _shown(said: Said | None = None) -> str:
    tools = deps()
    cards = tools.resolver.sources().sources
    names = sources.cookie_names(cards, sources=tools.resolver)
    return render_template("sources.html", page=sources_view(cards, names, now_s=tools.clock(), said=said))


def _after(name: str, act: Callable[[], object]) -> Page:
    """Do what a form asks and go back to the row; what cannot be done is said there."""
    try:
        act()
    except KinodomError as exc:
        return _refused(name, exc)
    return redirect(url_for("sources.page", _anchor=f"source-{name}"), 303)


def _refused(name: str, error: KinodomError, *, query: str = "") -> tuple[str, int]:
    if isinstance(error, NotFound):
        raise error
    text = reasons.plain(error.code, error.detail)
    return _shown(Said(source=name, text=text, trouble=True, query=query)), problem_of(error).status
