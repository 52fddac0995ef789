"""Make, list and look up rooms. For the gateway; browsers use the socket."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from kinodom_common.contracts.rooms import Room, RoomList, RoomRequest
from kinodom_common.openapi import answer, body_of, describes
from kinodom_sync.domain.ports import RoomStore

bp = Blueprint("rooms", __name__)


def _rooms() -> RoomStore:
    store: RoomStore = current_app.extensions["kinodom"].rooms
    return store


@bp.post("/rooms")
@describes(body=RoomRequest, reply=Room, status=201, problems=("room_item_unknown", "rooms_away"))
def make_room() -> Response:
    """Make a room, paused at the asked position."""
    return answer(_rooms().create(body_of(RoomRequest)), 201)


@bp.get("/rooms")
@describes(reply=RoomList, problems=("rooms_away",))
def list_rooms() -> Response:
    """List the live rooms, the newest first."""
    return answer(RoomList(rooms=tuple(_rooms().rooms())))


@bp.get("/rooms/<room_id>")
@describes(reply=Room, problems=("room_gone", "rooms_away"))
def show_room(room_id: str) -> Response:
    """Show one room."""
    return answer(_rooms().room(room_id))
