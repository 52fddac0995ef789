"""Rooms in Redis. Whatever changes a room is one Lua script, which also publishes what came out.

kd:rooms              sorted set of room ids, by the moment they were made
kd:room:<id>          hash: the room and its timeline; the channel of the same name carries its news
kd:room:<id>:m        sorted set: connection → end of its lease, ms
kd:room:<id>:who      hash: connection → member as JSON
kd:room:<id>:op:…     answer of one operation, for a minute
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import redis
from pydantic import TypeAdapter

from kinodom_common.contracts.rooms import Ack, Member, Op, Room, RoomItem, RoomRequest, Vec
from kinodom_common.errors import UpstreamFailed
from kinodom_common.ids import new_id
from kinodom_sync.domain.rooms import LEASE_S, distinct, first_vec, room_gone
from kinodom_sync.domain.timeline import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from redis.client import Pipeline

ROOMS = "kd:rooms"
ROOM_OPS_PER_S = 20
LIST_LIMIT = 200
LEASE_MS = round(LEASE_S * 1000)
VEC_FIELDS = tuple(Vec.model_fields)
ITEMS = TypeAdapter(tuple[RoomItem, ...])


class RoomsAway(UpstreamFailed):
    """Redis, which holds the rooms, does not answer."""

    code = "rooms_away"
    title = "The rooms cannot be reached"


@contextmanager
def asking() -> Iterator[None]:
    """Turn errors of Redis into ours."""
    try:
        yield
    except redis.RedisError as exc:
        raise RoomsAway("The rooms cannot be reached right now. Playing goes on; try again in a moment.") from exc


def key_of(room_id: str) -> str:
    """Return the key of a room's hash, which is also its channel."""
    return f"kd:room:{room_id}"


def keys_of(room_id: str) -> list[str]:
    """Return the keys that live and expire together."""
    key = key_of(room_id)
    return [key, f"{key}:m", f"{key}:who"]


class RedisRooms:
    """The store of the rooms.

    Args:
        client: decodes replies to text.
        remove_ms: how long a room stays after the last one has left, or after the last operation.
        ops_per_s: operations a second for a whole room.
    """

    def __init__(self, client: redis.Redis, *, remove_ms: int, ops_per_s: int = ROOM_OPS_PER_S) -> None:
        self._client = client
        self._remove_ms = remove_ms
        self._alive_ms = max(remove_ms, LEASE_MS)  # somebody is there: the room must outlive the lease
        self._ops_per_s = ops_per_s
        scripts = {name: client.register_script(_lua(name)) for name in ("op", "touch", "leave", "restore")}
        self._op, self._touch, self._leave, self._restore = scripts.values()

    def check(self) -> None:
        """Raise RoomsAway unless Redis answers."""
        with asking():
            self._client.ping()

    def time_ms(self) -> float:
        """Return room time as Redis tells it."""
        with asking():
            seconds, microseconds = self._client.time()
        return seconds * 1000 + microseconds / 1000

    def create(self, request: RoomRequest) -> Room:
        """Store a new room; it lives `remove_ms` if nobody enters."""
        room = Room(
            room_id=new_id(), title_id=request.title_id, name=request.name, items=request.items, vec=first_vec(request)
        )
        self._put(room, owner=request.owner, alive_ms=self._remove_ms)
        return room

    def restore(self, room: Room) -> None:
        """Put a room back unless Redis knows as much; the owner's id is lost with the hash, nothing depends on it."""
        self._put(room, owner=room.vec.by, alive_ms=self._alive_ms)

    def _put(self, room: Room, *, owner: str, alive_ms: int) -> None:
        vec = room.vec
        fields: dict[str, str | int] = {
            "title_id": room.title_id,
            "name": room.name,
            "owner": owner,
            "items": ITEMS.dump_json(room.items).decode(),
            "epoch": vec.epoch,
            "v": vec.v,
            "item": vec.item,
            "by": vec.by,
            "op": vec.op,
            "item_v": vec.v,
            **{
                name: f"{value:.3f}"
                for name, value in (("pos_ms", vec.pos_ms), ("rate", vec.rate), ("at_ms", vec.at_ms))
            },
            "speed": f"{vec.rate or 1.0:.3f}",
            **{f"length:{item.video_id}": f"{rounded(item.duration_ms):.3f}" for item in room.items},
        }
        pairs = [part for pair in fields.items() for part in pair]
        with asking():
            score = self.time_ms()
            args = [alive_ms, room.room_id, score, vec.epoch, vec.v, vec.model_dump_json(), *pairs]
            self._restore(keys=[key_of(room.room_id), ROOMS], args=args)

    def room(self, room_id: str) -> Room:
        """Return a room; raises RoomGone."""
        found = self._read([room_id])
        if not found:
            raise room_gone(room_id)
        return found[0]

    def rooms(self) -> list[Room]:
        """Return the live rooms, the newest first."""
        with asking():
            ids = cast("list[str]", self._client.zrange(ROOMS, 0, LIST_LIMIT - 1, desc=True))
        found = self._read(ids)
        gone = set(ids) - {room.room_id for room in found}
        if gone:
            with asking():
                self._client.zrem(ROOMS, *gone)
        return found

    def _read(self, room_ids: list[str]) -> list[Room]:
        now_ms = self.time_ms()
        with asking(), self._client.pipeline(transaction=False) as pipe:
            for room_id in room_ids:
                pipe.hmget(key_of(room_id), "title_id", "name", "items", *VEC_FIELDS)
                _ask_members(pipe, room_id, now_ms)
            replies = pipe.execute()
        return [
            _room(room_id, *replies[3 * index : 3 * index + 3])
            for index, room_id in enumerate(room_ids)
            if replies[3 * index][0] is not None
        ]

    def members(self, room_id: str) -> tuple[Member, ...]:
        """Return who holds a lease, each person once."""
        now_ms = self.time_ms()
        with asking(), self._client.pipeline(transaction=False) as pipe:
            _ask_members(pipe, room_id, now_ms)
            present, facts = pipe.execute()
        return _members(present, facts)

    def act(self, room_id: str, op: Op, *, by: str) -> Ack:
        """Apply an operation in one step and publish the vector; raises RoomGone."""
        return self.act_at(room_id, op, by=by)[0]

    def act_at(self, room_id: str, op: Op, *, by: str) -> tuple[Ack, float]:
        """Do what `act` does and also return the moment it was done at, room time in ms."""
        args: list[str | int | float] = [
            by, op.opid, op.epoch, op.base_v, op.kind,
            "" if op.pos_ms is None else repr(op.pos_ms),
            "" if op.rate is None else repr(op.rate),
            op.item or "", repr(op.lead_ms), self._alive_ms, self._ops_per_s,
        ]  # fmt: skip
        with asking():
            reply: list[Any] = self._op(keys=[*keys_of(room_id), f"{key_of(room_id)}:op:{by}:{op.opid}"], args=args)
        if reply[0] == "gone":
            raise room_gone(room_id)
        status, detail, vec, now_ms = reply
        return Ack(opid=op.opid, status=status, vec=Vec.model_validate_json(vec), detail=detail or None), float(now_ms)

    def touch(self, room_id: str, facts: Mapping[str, Member]) -> bool:
        """Renew the leases of connections and what is known of their members; False: the room is gone."""
        pairs = [part for connection, member in facts.items() for part in (connection, member.model_dump_json())]
        with asking():
            return bool(self._touch(keys=keys_of(room_id), args=[self._alive_ms, LEASE_MS, *pairs]))

    def leave(self, room_id: str, connection: str) -> None:
        """Give up a lease; after the last one the room stays for `remove_ms`."""
        with asking():
            self._leave(keys=keys_of(room_id), args=[connection, self._remove_ms])

    def vecs(self, room_ids: Iterable[str]) -> dict[str, Vec | None]:
        """Return the vectors of rooms in one round trip; None: gone."""
        wanted = list(room_ids)
        with asking(), self._client.pipeline(transaction=False) as pipe:
            for room_id in wanted:
                pipe.hmget(key_of(room_id), *VEC_FIELDS)
            replies = pipe.execute()
        return {
            room_id: None if values[0] is None else _vec(values)
            for room_id, values in zip(wanted, replies, strict=True)
        }


def _ask_members(pipe: Pipeline, room_id: str, now_ms: float) -> None:
    _, leases, who = keys_of(room_id)
    pipe.zrange(leases, cast("int", f"({now_ms:.0f}"), cast("int", "+inf"), byscore=True)
    pipe.hgetall(who)


def _members(present: list[str], facts: dict[str, str]) -> tuple[Member, ...]:
    return distinct(Member.model_validate_json(facts[name]) for name in present if name in facts)


def _room(room_id: str, values: list[str], present: list[str], facts: dict[str, str]) -> Room:
    title_id, name, items, *vec = values
    return Room(
        room_id=room_id,
        title_id=title_id,
        name=name,
        items=ITEMS.validate_json(items),
        vec=_vec(vec),
        members=len(_members(present, facts)),
    )


def _vec(values: list[str]) -> Vec:
    return Vec.model_validate(dict(zip(VEC_FIELDS, values, strict=True)))


def _lua(name: str) -> str:
    return files("kinodom_sync.adapters").joinpath(f"lua/{name}.lua").read_text(encoding="utf-8")
