"""What the rules need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kinodom_common.contracts import Reply
    from kinodom_common.contracts.rooms import Ack, AckStatus, Member, Op, Report, Room, RoomRequest, Vec


class RoomStore(Protocol):
    """Rooms, shared by all replicas. Every call may raise UpstreamFailed."""

    def create(self, request: RoomRequest) -> Room:
        """Store a new room."""

    def room(self, room_id: str) -> Room:
        """Return a room; raises RoomGone."""

    def rooms(self) -> list[Room]:
        """Return the live rooms, the newest first."""

    def members(self, room_id: str) -> tuple[Member, ...]:
        """Return who is present, each person once."""

    def act(self, room_id: str, op: Op, *, by: str) -> Ack:
        """Apply an operation in one step; the finished vector is published. Raises RoomGone."""

    def touch(self, room_id: str, facts: Mapping[str, Member]) -> bool:
        """Renew the leases of connections; False: the room is gone."""

    def leave(self, room_id: str, connection: str) -> None:
        """Give up a lease."""

    def vecs(self, room_ids: Iterable[str]) -> dict[str, Vec | None]:
        """Return the vectors of rooms; None: gone."""

    def restore(self, room: Room) -> None:
        """Put a room back unless the store knows as much."""


class Outbox(Protocol):
    """Messages to connections. Never blocks; what a connection does not read in time is left out, not piled up."""

    def enter(self, sid: str, group: str) -> None:
        """Add a connection to a group."""

    def leave(self, sid: str, group: str) -> None:
        """Take a connection out of a group."""

    def to_group(self, group: str, event: str, message: Reply | Mapping[str, object]) -> None:
        """Send to all of a group."""

    def to_one(self, sid: str, event: str, message: Reply | Mapping[str, object]) -> None:
        """Send to one connection."""

    def close(self, sid: str) -> None:
        """Close a connection."""

    def caught_up(self, now_s: float) -> list[str]:
        """Return the connections that read again after messages were left out for them; close those that never will."""


class Figures(Protocol):
    """What the house is told about the socket in numbers."""

    def acted(self, status: AckStatus) -> None:
        """Count an answered operation."""

    def reported(self, report: Report) -> None:
        """Note what a member reported."""
