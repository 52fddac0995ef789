"""The downloader's web service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.web import base_app
from kinodom_downloader import wiring
from kinodom_downloader.routes import exports, live, renditions, videos, wishes

if TYPE_CHECKING:
    from flask import Flask

    from kinodom_downloader.settings import WebSettings


def create_app(settings: WebSettings, *, deps: wiring.WebDeps | None = None) -> Flask:
    """Return the app; `deps` are made from the settings unless a test gives others."""
    deps = deps or wiring.web(settings)
    app = base_app("downloader", settings, ready=deps.ready)
    app.extensions["kinodom"] = deps
    wiring.add_figures(app, deps)
    app.register_blueprint(wishes.bp)
    app.register_blueprint(live.bp)
    app.register_blueprint(videos.bp)
    app.register_blueprint(exports.bp)
    app.register_blueprint(renditions.bp)
    return app
