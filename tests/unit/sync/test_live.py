from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from pydantic import BaseModel

from kinodom_common.contracts.rooms import Ack, Hello, Member, Op, Ping, Report, Room, RoomItem, RoomRequest, Vec
from kinodom_sync.domain.live import Live
from kinodom_sync.domain.rooms import Hall, clean_name, distinct, first_vec, room_gone
from kinodom_sync.domain.timeline import Timeline, apply

FIRST = "a" * 64
ROOM_MS = 1_700_000_000_000.0


class MemoryRooms:
    """Rooms in a dict, with the pure rules. Publishes nothing: a test says what was heard."""

    def __init__(self) -> None:
        self.lines: dict[str, Timeline] = {}
        self.made: dict[str, Room] = {}
        self.leases: dict[str, dict[str, Member]] = {}
        self.touched: list[str] = []

    def create(self, request: RoomRequest) -> Room:
        room = Room(room_id="room", title_id="t", name="n", items=request.items, vec=first_vec(request))
        self.restore(room)
        return room

    def restore(self, room: Room) -> None:
        lengths = {item.video_id: item.duration_ms for item in room.items}
        self.lines[room.room_id] = Timeline(vec=room.vec, lengths_ms=lengths)
        self.made[room.room_id] = room
        self.leases.setdefault(room.room_id, {})

    def lose(self, room_id: str) -> None:
        del self.lines[room_id]

    def room(self, room_id: str) -> Room:
        if room_id not in self.lines:
            raise room_gone(room_id)
        return self.made[room_id].model_copy(update={"vec": self.lines[room_id].vec})

    def rooms(self) -> list[Room]:
        return [self.room(room_id) for room_id in self.lines]

    def members(self, room_id: str) -> tuple[Member, ...]:
        return distinct(self.leases[room_id].values())

    def act(self, room_id: str, op: Op, *, by: str) -> Ack:
        self.room(room_id)
        self.lines[room_id], answer = apply(self.lines[room_id], op, by=by, now_ms=ROOM_MS)
        return Ack(opid=op.opid, status=answer.status, vec=answer.vec, detail=answer.detail)

    def touch(self, room_id: str, facts: Mapping[str, Member]) -> bool:
        if room_id not in self.lines:
            return False
        self.touched += facts
        self.leases[room_id].update(facts)
        return True

    def leave(self, room_id: str, connection: str) -> None:
        self.leases[room_id].pop(connection, None)

    def vecs(self, room_ids: Iterable[str]) -> dict[str, Vec | None]:
        return {room_id: self.lines[room_id].vec if room_id in self.lines else None for room_id in room_ids}


class ListOutbox:
    """Keeps what was sent, per connection."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.sent: list[tuple[str, str, object]] = []
        self.closed: list[str] = []
        self.again: list[str] = []

    def enter(self, sid: str, group: str) -> None:
        self.groups.setdefault(group, []).append(sid)

    def leave(self, sid: str, group: str) -> None:
        if sid in self.groups.get(group, []):
            self.groups[group].remove(sid)

    def to_group(self, group: str, event: str, message: BaseModel | Mapping[str, object]) -> None:
        for sid in self.groups.get(group, []):
            self.to_one(sid, event, message)

    def to_one(self, sid: str, event: str, message: BaseModel | Mapping[str, object]) -> None:
        self.sent.append((sid, event, message))

    def close(self, sid: str) -> None:
        self.closed.append(sid)

    def caught_up(self, now_s: float) -> list[str]:
        again, self.again = self.again, []
        return again

    def take(self) -> list[tuple[str, str]]:
        sent, self.sent = self.sent, []
        return [(sid, event) for sid, event, _ in sent]


@pytest.fixture
def store() -> MemoryRooms:
    rooms = MemoryRooms()
    item = RoomItem(video_id=FIRST, label="Film", duration_ms=1e6)
    rooms.create(RoomRequest(title_id="t", name="n", items=(item,), item=FIRST, owner="ann"))
    return rooms


@pytest.fixture
def outbox() -> ListOutbox:
    return ListOutbox()


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def live(store: MemoryRooms, outbox: ListOutbox, hall: Hall) -> Live:
    return Live(store=store, outbox=outbox, hall=hall, room_ms=lambda: ROOM_MS)


def enter(live: Live, sid: str, member_id: str, now_s: float = 0.0) -> None:
    live.came(sid, now_s)
    live.greet(sid, Hello(proto=1, token="t", room="room"), member_id=member_id, name=member_id, now_s=now_s)


def op(store: MemoryRooms, kind: str = "play", opid: str = "opid-0001") -> Op:
    vec = store.lines["room"].vec
    return Op.model_validate({"opid": opid, "epoch": vec.epoch, "base_v": vec.v, "kind": kind})


def test_a_vector_goes_out_when_it_is_heard_and_not_before(live: Live, store: MemoryRooms, outbox: ListOutbox) -> None:
    enter(live, "one", "ann")
    enter(live, "two", "bob")
    outbox.take()

    ack = live.act("one", op(store), now_s=1)
    before = outbox.take()
    live.heard("room", store.lines["room"].vec)

    assert ack is not None
    assert ack.status == "applied"
    assert before == []
    assert outbox.take() == [("one", "vec"), ("two", "vec")]


def test_a_missed_vector_is_made_good_by_a_state_and_a_deaf_subscription_is_noticed(
    live: Live, store: MemoryRooms, outbox: ListOutbox
) -> None:
    enter(live, "one", "ann")
    live.act("one", op(store), now_s=1)
    outbox.take()

    deaf_at_first = live.look_for_gaps(5)
    sent = outbox.take()
    live.act("one", op(store, "pause", "opid-0002"), now_s=6)
    deaf_then = [live.look_for_gaps(10), live.look_for_gaps(15)]
    quiet = live.look_for_gaps(20)

    assert (deaf_at_first, sent) == (False, [("one", "state")])
    assert deaf_then[-1] or deaf_then[0]
    assert quiet is False


def test_a_subscription_that_tells_everything_is_not_deaf(live: Live, store: MemoryRooms, outbox: ListOutbox) -> None:
    enter(live, "one", "ann")
    outbox.take()

    for number in range(5):
        live.act("one", op(store, "pause", f"opid-{number:04}"), now_s=5 * number)
        live.heard("room", store.lines["room"].vec)
        assert live.look_for_gaps(5 * number + 1) is False

    assert {event for _, event in outbox.take()} == {"vec"}


def test_presence_is_told_once_for_all_changes_of_a_quarter_second(
    live: Live, store: MemoryRooms, outbox: ListOutbox
) -> None:
    enter(live, "one", "ann")
    outbox.take()

    for _ in range(20):
        live.members_changed("room", 10.0)
    live.tell_members(10.1)
    too_early = outbox.take()
    live.tell_members(10.3)
    live.tell_members(10.6)

    assert too_early == []
    assert outbox.take() == [("one", "presence")]


def test_only_who_pings_keeps_its_lease(live: Live, store: MemoryRooms, outbox: ListOutbox, hall: Hall) -> None:
    enter(live, "one", "ann")
    enter(live, "two", "bob")
    store.touched.clear()

    live.pong("one", Ping(c=1.0), received_ms=ROOM_MS, now_s=4)
    live.renew_leases(5)
    live.renew_leases(10)

    assert store.touched == [hall.seats["one"].connection]


def test_a_room_that_the_store_lost_is_put_back_while_somebody_pings_in_it(live: Live, store: MemoryRooms) -> None:
    enter(live, "one", "ann", now_s=0)
    live.act("one", op(store), now_s=1)
    live.heard("room", store.lines["room"].vec)
    known = store.room("room")
    store.lose("room")

    live.look_for_gaps(20)

    assert store.room("room") == known


def test_a_room_that_is_gone_and_where_nobody_pings_is_said_to_be_gone(
    live: Live, store: MemoryRooms, outbox: ListOutbox, hall: Hall
) -> None:
    enter(live, "one", "ann", now_s=0)
    store.lose("room")
    outbox.take()

    live.look_for_gaps(40)

    assert outbox.take() == [("one", "gone")]
    assert hall.rooms == {}


def test_who_never_says_hello_is_sent_away(live: Live, outbox: ListOutbox) -> None:
    live.came("one", 0)
    enter(live, "two", "bob")

    live.renew_leases(19)
    before = list(outbox.closed)
    live.renew_leases(21)

    assert (before, outbox.closed) == ([], ["one"])


def test_who_reads_again_gets_the_whole_state(live: Live, outbox: ListOutbox) -> None:
    enter(live, "one", "ann")
    outbox.take()
    outbox.again = ["one"]

    live.tell_members(1)

    assert outbox.take() == [("one", "state")]


def test_a_beat_repeats_the_vector(live: Live, outbox: ListOutbox) -> None:
    enter(live, "one", "ann")
    outbox.take()

    live.beat()

    assert outbox.take() == [("one", "vec")]


def test_a_closing_replica_keeps_the_leases_for_where_its_members_go(
    live: Live, store: MemoryRooms, outbox: ListOutbox
) -> None:
    enter(live, "one", "ann")
    outbox.take()

    live.say_bye(lambda: 7)
    live.went("one")

    assert outbox.sent == [("one", "bye", {"reason": "restart", "after_ms": 7})]
    assert outbox.closed == ["one"]
    assert [member.member_id for member in store.members("room")] == ["ann"]


def test_a_report_shows_in_the_list_of_members(live: Live, store: MemoryRooms) -> None:
    enter(live, "one", "ann")

    live.report("one", Report(drift_ms=-3.14159))

    assert store.members("room") == (Member(member_id="ann", name="ann", drift_ms=-3.1),)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ann", "Ann"),
        ("  Ann \n Lee\t", "Ann Lee"),
        ("<b>Ann</b>", "<b>Ann</b>"),  # a page escapes it
        ("\u202eevil\u202c", "evil"),
        ("\ud800a\x00\x1b", "a"),
        ("Аня 🎬", "Аня 🎬"),
        ("x" * 300, "x" * 40),
        ("\u200b", "?"),
        ("", "?"),
    ],
)
def test_a_name_is_cleaned_of_what_would_disturb_others(given: str, shown: str) -> None:
    assert clean_name(given) == shown
