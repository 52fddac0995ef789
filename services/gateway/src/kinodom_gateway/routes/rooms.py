"""Rooms: make one from the player, join by a link or its QR code."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import segno
from flask import Blueprint, Response, redirect, render_template, request, url_for

from kinodom_common.openapi import form_of
from kinodom_gateway.domain.rooms import room_request
from kinodom_gateway.presenters.player import room_view, watch_view
from kinodom_gateway.routes.access import film_page, link_for
from kinodom_gateway.routes.forms import RoomForm
from kinodom_gateway.viewer import csrf_token, viewer
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from kinodom_common.contracts.rooms import Room

bp = Blueprint("rooms", __name__)


@bp.get("/rooms")
def together() -> str:
    """Show the rooms that are open."""
    return render_template("rooms.html", rooms=deps().sync.rooms().rooms)


@bp.post("/rooms")
def create() -> AnyResponse:
    """Make a room and go there."""
    fields = {name: request.form[name] for name in RoomForm.model_fields if name in request.form}
    form = form_of(RoomForm, fields)
    return redirect(url_for("rooms.room", room_id=make_room(form).room_id), 303)


@bp.get("/rooms/<room_id>")
def room(room_id: str) -> str:
    """Show a room: whoever has the link may come in."""
    found, seen = deps().sync.room(room_id), viewer()
    page, video, is_there = film_page(found.vec.item)
    name = request.args.get("name", "").strip()[:40] or seen.name
    token = deps().gate.member_token(seen, name)
    whose = {"csrf": csrf_token(), "member_token": token, "viewer_name": name}
    view = watch_view(page, video, link_for(video.video_id), is_there=is_there, keep=True, **whose)
    place = room_view(found, page, invite_url=url_for("rooms.room", room_id=room_id, _external=True))
    return render_template("room.html", page=view, room=place)


@bp.get("/rooms/<room_id>/qr.svg")
def qr(room_id: str) -> Response:
    """Give the room's link as a QR code."""
    code = segno.make(url_for("rooms.room", room_id=room_id, _external=True), error="m")
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=4, border=2, xmldecl=False)
    return Response(picture.getvalue(), content_type="image/svg+xml")


def make_room(form: RoomForm) -> Room:
    """Return a new room around a video."""
    page, video, _is_there = film_page(form.video_id)
    return deps().sync.create_room(room_request(page, video, owner=viewer().viewer_id, pos_ms=form.pos_ms))
