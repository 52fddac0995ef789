"""Rooms: the timeline everybody follows, and the messages of the socket. Times are room time, float milliseconds.

Room time is one clock for all replicas (Redis TIME, milliseconds since 1970). The position of a room at room time t is
`pos_ms + max(0, t - at_ms) * rate`, held inside the length of the item.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.videos import VideoId

OpKind = Literal["play", "pause", "seek", "rate", "item"]
AckStatus = Literal["applied", "duplicate", "stale", "denied", "invalid", "limited"]


class RoomItem(Request):
    """One thing a room can play."""

    video_id: VideoId
    label: Annotated[str, Field(max_length=300)]
    duration_ms: Annotated[float, Field(gt=0, le=1e9, strict=False)]


class RoomRequest(Request):
    """Make a room around a video; the other items are what `item` may switch to."""

    title_id: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=300)]
    items: Annotated[tuple[RoomItem, ...], Field(min_length=1, max_length=500, strict=False)]
    item: VideoId
    pos_ms: Annotated[float, Field(ge=0, le=1e9, strict=False)] = 0.0
    owner: Annotated[str, Field(max_length=64)]


class Vec(Reply):
    """The timeline vector: the whole truth about where a room is."""

    epoch: str  # random, one per incarnation of the room
    v: int  # +1 for every op that was applied, given inside Redis
    item: str  # video id
    pos_ms: float
    rate: float  # 0 is pause
    at_ms: float  # room time; may lie in the future: a scheduled start
    by: str  # member id
    op: str  # the kind that made it


class Room(Reply):
    """A room as HTTP tells it."""

    room_id: str
    title_id: str
    name: str
    items: tuple[RoomItem, ...]
    vec: Vec
    members: int = 0


class RoomList(Reply):
    """Live rooms."""

    rooms: tuple[Room, ...] = ()


class Hello(Request):
    """client → server, first message of a connection."""

    proto: Literal[1]
    token: Annotated[str, Field(max_length=600)]  # signed by the gateway: member id, name, room or none
    room: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None  # None: downloads only
    downloads: bool = False  # also send the live feed of downloads


class QueueAsked(Request):
    """client → server `queue`, without content: how does the queue of the downloads stand?"""


class Ping(Request):
    """client → server, answered before anything else by `pong {c, s1, s2, v}`."""

    c: Annotated[float, Field(strict=False, allow_inf_nan=False)]  # client's clock, ms; comes back as it is


class Op(Request):
    """client → server, made by a person's gesture and by nothing else."""

    opid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    epoch: Annotated[str, Field(max_length=64)]
    base_v: Annotated[int, Field(ge=0)]
    kind: OpKind
    pos_ms: Annotated[float, Field(ge=0, le=1e9, strict=False, allow_inf_nan=False)] | None = None
    rate: Annotated[float, Field(ge=0.5, le=2, strict=False, allow_inf_nan=False)] | None = None
    item: VideoId | None = None
    lead_ms: Annotated[float, Field(ge=0, le=1500, strict=False, allow_inf_nan=False)] = 400.0


class Member(Reply):
    """Somebody in the room."""

    member_id: str
    name: str
    drift_ms: float | None = None  # as last reported; None: not yet


class RoomState(Reply):
    """server → client `state`: full snapshot, also the answer to any gap."""

    room: Room
    members: tuple[Member, ...] = ()
    now_ms: float


class Ack(Reply):
    """server → sender `ack`, exactly one for each op."""

    opid: str
    status: AckStatus
    vec: Vec | None = None
    detail: str | None = None


class Report(Request):
    """client → server, every 10 s, for the member list and the metrics only."""

    drift_ms: Annotated[float, Field(strict=False, allow_inf_nan=False)]
    rtt_ms: Annotated[float, Field(ge=0, strict=False, allow_inf_nan=False)] = 0.0
    hidden: bool = False
