"""The sync service as a WSGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.web import base_app
from kinodom_sync import wiring
from kinodom_sync.routes import rooms

if TYPE_CHECKING:
    from flask import Flask

    from kinodom_sync.settings import Settings

SOCKET = "kinodom_socket"  # key in app.extensions: the wiring.Socket of this app


def create_app(settings: Settings, *, deps: wiring.Deps | None = None) -> Flask:
    """Return the app, with the socket and the host guard in front; `Socket.start` begins the work beside requests."""
    deps = deps or wiring.build(settings)
    app = base_app("sync", settings, ready={"redis": deps.rooms.check})
    app.extensions["kinodom"] = deps
    app.register_blueprint(rooms.bp)
    app.extensions[SOCKET] = wiring.open_socket(app, settings, deps)
    return app
