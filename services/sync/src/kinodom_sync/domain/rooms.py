"""Who is in which room on this replica, and what it last knew of those rooms. In memory; time passed in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kinodom_common.contracts.rooms import Member, Vec
from kinodom_common.errors import NotFound, Rejected
from kinodom_common.ids import new_id
from kinodom_sync.domain.limits import Bucket
from kinodom_sync.domain.timeline import held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_common.contracts.rooms import Room, RoomRequest

LEASE_S = 30.0  # how long a member counts as present after its last ping
NAME_LIMIT = 40  # characters of a member's name
OPS_PER_S, OPS_BURST = 5.0, 10.0  # of one member
MESSAGES_PER_S, MESSAGES_BURST = 40.0, 80.0  # of one connection


class RoomGone(NotFound):
    """The room does not exist, or exists no longer."""

    code = "room_gone"
    title = "This room has closed"


class ItemUnknown(Rejected):
    """A room cannot begin with something it does not hold."""

    code = "room_item_unknown"
    title = "The room does not hold this video"


def room_gone(room_id: str) -> RoomGone:
    """Return the error for a room that is not there."""
    return RoomGone(
        "Nobody was left in this room, so it has closed. Open the film again to make a new one.", room=room_id
    )


def first_vec(request: RoomRequest) -> Vec:
    """Return the vector a new room begins with: paused, at the asked position, of version 0.

    Raises:
        ItemUnknown: the item to begin with is not among the items.
    """
    lengths_ms = {item.video_id: item.duration_ms for item in request.items}
    if request.item not in lengths_ms:
        raise ItemUnknown("The video to begin with is not among the room's videos.")
    return Vec(
        epoch=new_id(),
        v=0,
        item=request.item,
        pos_ms=held(request.pos_ms, lengths_ms[request.item]),
        rate=0.0,
        at_ms=0.0,
        by=request.owner,
        op="made",
    )


def clean_name(text: str) -> str:
    """Return a name that is safe to show beside others: no control or direction marks, one line, 40 characters."""
    kept = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:NAME_LIMIT].strip() or "?"


@dataclass(slots=True, kw_only=True)
class Seat:
    """One connection. A person with two tabs has two seats and is one member."""

    sid: str
    since_s: float
    messages: Bucket
    connection: str = field(default_factory=new_id)
    member_id: str = ""  # empty: has not said hello
    name: str = ""
    room_id: str | None = None
    drift_ms: float | None = None
    pinged_s: float = 0.0
    renew: bool = False  # has pinged since its lease was renewed


@dataclass(slots=True, kw_only=True)
class OpenRoom:
    """A room that has seats on this replica."""

    room: Room
    vec: Vec
    heard: Vec | None = None  # last one that came over the subscription
    polled: Vec | None = None  # what Redis held at the last look
    tell_at_s: float | None = None  # when to send `presence`; None: nothing has changed
    quiet_until_s: float = 0.0  # no `presence` before: the list of a big room is long, and goes to many
    sids: set[str] = field(default_factory=set)
    buckets: dict[str, Bucket] = field(default_factory=dict)  # by member id


class Hall:
    """The seats and open rooms of this replica."""

    def __init__(self) -> None:
        self.seats: dict[str, Seat] = {}
        self.rooms: dict[str, OpenRoom] = {}

    def come(self, sid: str, now_s: float) -> None:
        """Note a fresh connection."""
        bucket = Bucket(per_s=MESSAGES_PER_S, burst=MESSAGES_BURST, now_s=now_s)
        self.seats[sid] = Seat(sid=sid, since_s=now_s, messages=bucket)

    def go(self, sid: str) -> Seat | None:
        """Forget a connection and return its seat; None: it was not there."""
        seat = self.seats.pop(sid, None)
        if seat is not None:
            self.leave(seat)
        return seat

    def enter(self, seat: Seat, room: Room) -> OpenRoom:
        """Seat a connection in a room; the room is open on this replica from then on."""
        opened = self.rooms.get(room.room_id)
        if opened is None:
            opened = self.rooms[room.room_id] = OpenRoom(room=room, vec=room.vec)
        opened.sids.add(seat.sid)
        seat.room_id = room.room_id
        return opened

    def leave(self, seat: Seat) -> None:
        """Take a connection out of its room; a room without seats is no longer open here."""
        opened = self.rooms.get(seat.room_id or "")
        if opened is not None:
            opened.sids.discard(seat.sid)
            if not opened.sids:
                del self.rooms[opened.room.room_id]

    def seats_in(self, room_id: str) -> list[Seat]:
        """Return the seats of a room on this replica."""
        opened = self.rooms.get(room_id)
        return [self.seats[sid] for sid in opened.sids if sid in self.seats] if opened else []

    def is_served(self, room_id: str, now_s: float) -> bool:
        """Say whether somebody in this room pinged this replica within the lease."""
        return any(now_s - seat.pinged_s < LEASE_S for seat in self.seats_in(room_id))

    def may_act(self, seat: Seat, now_s: float) -> bool:
        """Say whether a member may send one more operation now, and count it."""
        opened = self.rooms[seat.room_id or ""]
        bucket = opened.buckets.get(seat.member_id)
        if bucket is None:
            bucket = opened.buckets[seat.member_id] = Bucket(per_s=OPS_PER_S, burst=OPS_BURST, now_s=now_s)
        return bucket.take(now_s)


def is_newer(vec: Vec, known: Vec) -> bool:
    """Say whether a vector replaces the one that is known. Epochs have no order: another one is a new room."""
    return vec.epoch != known.epoch or vec.v > known.v


def distinct(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return each person once, by name; of several connections the one that has reported a drift speaks."""
    found: dict[str, Member] = {}
    for member in members:
        before = found.get(member.member_id)
        if before is None or before.drift_ms is None:
            found[member.member_id] = member
    return tuple(sorted(found.values(), key=lambda member: (member.name.casefold(), member.member_id)))
