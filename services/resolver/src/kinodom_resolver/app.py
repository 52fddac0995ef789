"""The resolver's Flask app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.web import base_app
from kinodom_resolver import wiring
from kinodom_resolver.routes import finding, sources

if TYPE_CHECKING:
    from flask import Flask

    from kinodom_resolver.settings import Settings


def create_app(settings: Settings, *, deps: wiring.Deps | None = None) -> Flask:
    """Return the app. It works without its memory too, so it is ready as soon as it is alive."""
    app = base_app("resolver", settings, ready={})
    app.extensions["kinodom"] = deps or wiring.build(settings)
    app.register_blueprint(finding.bp)
    app.register_blueprint(sources.bp)
    return app
