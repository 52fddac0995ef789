"""The demo site's Flask app."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, current_app, jsonify, request, send_from_directory

from kinodom_common.errors import NotFound
from kinodom_common.web import base_app
from kinodom_demo.films import film_of, films_for
from kinodom_demo.listing import film_page, list_page
from kinodom_demo.making import Shelf

if TYPE_CHECKING:
    from flask import Flask, Response

    from kinodom_demo.films import Film, Version
    from kinodom_demo.settings import Settings

bp = Blueprint("site", __name__)

TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "ts": "video/mp2t",
    "m4s": "video/iso.segment",
    "mp4": "video/mp4",
    "vtt": "text/vtt",
    "bin": "application/octet-stream",
}


class NothingHere(NotFound):
    """The site has no such film, version or part."""

    code = "nothing_here"


def create_app(settings: Settings, *, shelf: Shelf | None = None) -> Flask:
    """Return the site."""
    app = base_app("demo", settings, ready={}, inner=False)
    app.extensions["kinodom_shelf"] = shelf or Shelf(settings.demo_root, seconds=settings.demo_seconds)
    app.extensions["kinodom_seconds"] = settings.demo_seconds
    app.register_blueprint(bp)
    return app


@bp.get("/api/films")
def films() -> Response:
    """List the films that fit `?q=`; without it, all."""
    return jsonify(list_page(films_for(request.args.get("q", "")), seconds=_seconds()))


@bp.get("/api/films/<slug>")
def film(slug: str) -> Response:
    """Give one film."""
    return jsonify(film_page(_film(slug), seconds=_seconds()))


@bp.get("/films/<slug>/poster.jpg")
def poster(slug: str) -> Response:
    """Give the poster; it is drawn at the first request."""
    return send_from_directory(_shelf().poster(_film(slug)), "poster.jpg", max_age=3600)


@bp.get("/films/<slug>/<version_id>/<int:part>/master.m3u8")
def master(slug: str, version_id: str, part: int) -> Response:
    """Give the master playlist; the film is made at the first request."""
    folder = _shelf().part(*_place(slug, version_id, part))
    return send_from_directory(folder, "master.m3u8", mimetype=TYPES["m3u8"])


@bp.get("/films/<slug>/<version_id>/<int:part>/<name>")
def file(slug: str, version_id: str, part: int, name: str) -> Response:
    """Give a playlist, a segment, a key or subtitles of a film that was made."""
    folder = _shelf().folder(*_place(slug, version_id, part))
    return send_from_directory(folder, name, mimetype=TYPES.get(name.rpartition(".")[2]))


def _film(slug: str) -> Film:
    found = film_of(slug)
    if found is None:
        raise NothingHere("There is no such film here.")
    return found


def _place(slug: str, version_id: str, part: int) -> tuple[Film, Version, int]:
    film = _film(slug)
    version = film.version(version_id)
    if version is None or part not in film.parts:
        raise NothingHere("There is no such version or part here.")
    return film, version, part


def _shelf() -> Shelf:
    return cast("Shelf", current_app.extensions["kinodom_shelf"])


def _seconds() -> int:
    return cast("int", current_app.extensions["kinodom_seconds"])
