"""Typed client of the sync service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_common.contracts.rooms import Room, RoomList

if TYPE_CHECKING:
    from kinodom_common.contracts.rooms import RoomRequest
    from kinodom_common.http import HttpClient


class SyncClient:
    """What others ask of the sync service."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def create_room(self, request: RoomRequest) -> Room:
        """Make a room, paused at the asked position."""
        return self._http.post("/rooms", request, Room)

    def room(self, room_id: str) -> Room:
        """Return a room; raises NotFound with the code `room_gone`."""
        return self._http.get(f"/rooms/{quote(room_id, safe='')}", Room)

    def rooms(self) -> RoomList:
        """Return the live rooms, the newest first."""
        return self._http.get("/rooms", RoomList)
