"""The gateway: the one service that browsers talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, render_template, request
from flask_babel import Babel
from werkzeug.middleware.proxy_fix import ProxyFix

from kinodom_common.contracts.problems import Problem
from kinodom_common.hosts import HostGuard
from kinodom_common.web import base_app
from kinodom_gateway import i18n, viewer, wiring
from kinodom_gateway.presenters import reasons
from kinodom_gateway.routes import api, api_library, api_sources, pages, rooms, sources, videos, watching

if TYPE_CHECKING:
    from kinodom_gateway.settings import Settings


def create_app(settings: Settings, *, deps: wiring.Deps | None = None) -> Flask:
    """Return the app; `deps` are made from the settings unless a test gives others."""
    deps = deps or wiring.build(settings)
    app = base_app("gateway", settings, ready=deps.ready, inner=False, import_name="kinodom_gateway")
    app.extensions["kinodom"] = deps
    viewer.guard(app, deps.gate)
    Babel(app, locale_selector=i18n.language).domain_instance = i18n.Words()
    for blueprint in (
        *(pages.bp, watching.bp, videos.bp, rooms.bp, sources.bp),
        *(api.bp, api_library.bp, api_sources.bp),
    ):
        app.register_blueprint(blueprint)
    _add_words(app, deps)
    app.after_request(_pages_for_people)
    # Nginx is the one proxy in front; it sets these headers itself and drops what a client sends.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]  # Flask's own way
    app.wsgi_app = HostGuard(app.wsgi_app, deps.hosts)  # type: ignore[method-assign]  # Flask's own way
    return app


def _add_words(app: Flask, deps: wiring.Deps) -> None:
    def shared() -> dict[str, object]:
        return {
            "asset": deps.assets.url,
            "csrf": viewer.csrf_token,
            "house_name": deps.settings.house_name,
            "language": i18n.language(),
            "languages": i18n.LANGUAGES,
            "this_page": i18n.this_page,
            "words": i18n.script_words,
            "member_token": lambda: deps.gate.member_token(viewer.viewer(), viewer.viewer().name),
        }

    app.context_processor(shared)


def _pages_for_people(response: Response) -> Response:
    """Turn a problem into a page when a person's browser asked for one."""
    wants_page = request.accept_mimetypes.best_match(["text/html", "application/json"]) == "text/html"
    if response.mimetype != "application/problem+json" or not wants_page or request.path.startswith("/api/"):
        return response
    problem = Problem.model_validate_json(response.get_data())
    facts = problem.model_extra or {}
    title, text = reasons.title(problem.title), reasons.sentence(problem.code, problem.detail, facts.get("missing"))
    response.set_data(render_template("error.html", problem=problem, title=title, text=text))
    response.content_type = "text/html; charset=utf-8"
    return response
