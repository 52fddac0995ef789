"""The catalogue's Flask app."""

from __future__ import annotations

from flask import Flask

from kinodom_catalogue import wiring
from kinodom_catalogue.routes import titles, videos
from kinodom_catalogue.settings import Settings
from kinodom_common.web import base_app


def create_app(settings: Settings, *, deps: wiring.Deps | None = None) -> Flask:
    """Return the app; it is ready when the store and Redis answer."""
    parts = deps or wiring.build(settings)
    app = base_app("catalogue", settings, ready=parts.ready)
    app.extensions["kinodom"] = parts
    app.register_blueprint(videos.bp)
    app.register_blueprint(titles.bp)
    return app
