"""The rules exist twice, in Python and in Lua: the same operations must make the same vectors."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kinodom_common.contracts.rooms import Member, Op, Room, RoomItem, RoomRequest
from kinodom_common.errors import NotFound
from kinodom_sync.adapters.redis_rooms import RedisRooms, key_of, keys_of
from kinodom_sync.domain.timeline import Timeline, apply
from tests.support.redis_server import RedisServer

FIRST, SECOND, MISSING = "a" * 64, "b" * 64, "c" * 64
LENGTHS_MS = {FIRST: 30_000.123, SECOND: 50.0}
STEPS = 400


@pytest.fixture
def rooms(redis_server: RedisServer) -> Iterator[RedisRooms]:
    with redis_server.client() as client:
        yield RedisRooms(client, remove_ms=60_000, ops_per_s=1_000_000)


def new_room(rooms: RedisRooms) -> Room:
    items = tuple(RoomItem(video_id=name, label=name[:1], duration_ms=length) for name, length in LENGTHS_MS.items())
    return rooms.create(RoomRequest(title_id="t", name="n", items=items, item=FIRST, owner="ann"))


def some_op(dice: random.Random, room: Timeline) -> Op:
    pos_ms = dice.choice([None, 0.0, 29_999.9999, 1e-7, 1e9, dice.uniform(0, 40_000)])
    return Op(
        opid=f"opid-{dice.randrange(STEPS):05}",
        epoch=dice.choice([room.vec.epoch] * 9 + ["another"]),
        base_v=max(0, room.vec.v - dice.choice([0, 0, 1, 2, 5])),
        kind=dice.choice(["play", "pause", "seek", "rate", "item"]),
        pos_ms=pos_ms,
        rate=dice.choice([None, 0.5, 1.0, 2.0, dice.uniform(0.5, 2)]),
        item=dice.choice([None, FIRST, SECOND, MISSING]),
        lead_ms=dice.choice([0.0, 400.0, 1.5, dice.uniform(0, 1500)]),
    )


@pytest.mark.parametrize("seed", range(6))
def test_both_make_the_same_of_the_same_operations(rooms: RedisRooms, seed: int) -> None:
    dice = random.Random(seed)
    room = new_room(rooms)
    line = Timeline(vec=room.vec, lengths_ms=LENGTHS_MS)

    seen = set()
    for _ in range(STEPS):
        op, by = some_op(dice, line), dice.choice(["ann", "bob", 'c:"\\Ж'])
        ack, now_ms = rooms.act_at(room.room_id, op, by=by)
        line, answer = apply(line, op, by=by, now_ms=now_ms)
        assert (ack.status, ack.detail, ack.vec) == (answer.status, answer.detail, answer.vec), op
        seen.add((op.kind, ack.status))

    assert rooms.room(room.room_id).vec == line.vec
    assert {status for _, status in seen} == {"applied", "duplicate", "stale", "invalid"}


def test_a_whole_room_is_limited_and_its_members_get_the_vector(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        rooms = RedisRooms(client, remove_ms=60_000, ops_per_s=3)
        room = new_room(rooms)

        acks = [
            rooms.act(
                room.room_id,
                Op(opid=f"opid-{n:04}", epoch=room.vec.epoch, base_v=0, kind="seek", pos_ms=float(n)),
                by=f"member{n}",
            )
            for n in range(12)
        ]

    limited = [ack for ack in acks if ack.status == "limited"]
    assert acks[0].status == "applied"
    assert limited
    assert all(ack.vec is not None and ack.detail == "room" for ack in limited)


def test_an_operation_on_a_room_that_is_gone_makes_no_key(rooms: RedisRooms, redis_server: RedisServer) -> None:
    op = Op(opid="12345678", epoch="e", base_v=0, kind="play")

    with pytest.raises(NotFound):
        rooms.act("gone", op, by="ann")
    kept = rooms.touch("gone", {})

    assert kept is False
    with redis_server.client() as client:
        assert list(client.scan_iter(f"{key_of('gone')}*")) == []


def test_everything_of_a_room_expires(rooms: RedisRooms, redis_server: RedisServer) -> None:
    room = new_room(rooms)
    op = Op(opid="12345678", epoch=room.vec.epoch, base_v=0, kind="play")

    rooms.act(room.room_id, op, by="ann")

    with redis_server.client() as client:
        left_ms = [client.pttl(key) for key in client.scan_iter(f"{key_of(room.room_id)}*")]
    assert len(left_ms) == 2
    assert all(0 < left <= 60_000 for left in left_ms)


def test_the_last_to_leave_starts_the_time_of_the_room(redis_server: RedisServer) -> None:
    ann = Member(member_id="ann", name="Ann")
    with redis_server.client() as client:
        rooms = RedisRooms(client, remove_ms=5_000)
        room = new_room(rooms)
        made_ms = client.pttl(keys_of(room.room_id)[0])
        rooms.touch(room.room_id, {"one": ann, "two": ann})
        entered_ms = client.pttl(keys_of(room.room_id)[0])
        rooms.leave(room.room_id, "one")
        one_left_ms = client.pttl(keys_of(room.room_id)[0])
        rooms.leave(room.room_id, "two")
        both_left_ms = client.pttl(keys_of(room.room_id)[0])

    assert 0 < made_ms <= 5_000
    assert 25_000 < entered_ms <= 30_000  # a lease lasts 30 s, and the room longer than any lease
    assert one_left_ms > 25_000
    assert 0 < both_left_ms <= 5_000


def test_what_was_lost_is_put_back_and_what_is_newer_is_left_alone(
    rooms: RedisRooms, redis_server: RedisServer
) -> None:
    room = new_room(rooms)
    rooms.act(room.room_id, Op(opid="12345678", epoch=room.vec.epoch, base_v=0, kind="play"), by="ann")
    known = rooms.room(room.room_id)

    rooms.restore(room)
    kept = rooms.room(room.room_id)
    with redis_server.client() as client:
        client.delete(*keys_of(room.room_id))
    rooms.restore(known)

    assert kept == known
    assert rooms.room(room.room_id) == known
    assert rooms.rooms()[0].room_id == room.room_id
