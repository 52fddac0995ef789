from __future__ import annotations

from collections.abc import Callable

import pytest

from kinodom_common.contracts.rooms import RoomItem, RoomRequest
from kinodom_common.errors import NotFound, Rejected
from tests.support.sync_service import FIRST, MISSING, SECOND, SyncService, Viewer, until

MakeViewer = Callable[..., Viewer]


def test_one_press_is_one_operation_and_one_vector_for_everybody(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    everybody = [viewer(service, f"member{n}", room.room_id) for n in range(8)]

    ack = everybody[3].act("play")

    assert ack["status"] == "applied"
    for one in everybody:
        one.wait_for("vec", lambda vec: vec["v"] == 1)
    assert all(one.vec == ack["vec"] for one in everybody)
    assert all(set(one.versions) == {1} for one in everybody)
    assert service.rooms.room(room.room_id).vec.v == 1


def test_a_late_member_gets_the_state_and_nobody_else_a_new_vector(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    playing = ann.act("play")["vec"]
    ann.wait_for("vec")

    state = viewer(service, "bob").enter(room.room_id)

    assert state["room"]["vec"] == playing
    ann.wait_for("presence", lambda news: len(news["members"]) == 2)
    assert service.rooms.room(room.room_id).vec.v == 1
    assert set(ann.versions) == {1}


def test_the_same_opid_is_applied_once_and_answered_with_the_same_vector(
    replicas: tuple[SyncService, SyncService], viewer: MakeViewer
) -> None:
    room = replicas[0].new_room()
    before = viewer(replicas[0], "ann", room.room_id)
    first = before.act("seek", opid="the-same-opid", pos_ms=60_000)
    after = viewer(replicas[1], "ann", room.room_id)
    after.act("play")

    again = after.act("seek", opid="the-same-opid", pos_ms=60_000)

    assert (first["status"], again["status"]) == ("applied", "duplicate")
    assert again["vec"] == first["vec"]
    assert replicas[1].rooms.room(room.room_id).vec.v == 2


def test_an_operation_for_another_room_does_nothing_there(service: SyncService, viewer: MakeViewer) -> None:
    mine, theirs = service.new_room(), service.new_room()
    ann = viewer(service, "ann", mine.room_id)

    ack = ann.act("play", epoch=theirs.vec.epoch)
    named = ann.act("play", room=theirs.room_id)

    assert (ack["status"], ack["detail"]) == ("stale", "epoch")
    assert named["status"] == "invalid"
    assert service.rooms.room(theirs.room_id).vec == theirs.vec
    assert service.rooms.room(mine.room_id).vec == mine.vec


def test_an_operation_before_hello_is_refused(service: SyncService, viewer: MakeViewer) -> None:
    ann = viewer(service, "ann")

    ann.send("op", {"opid": "12345678", "epoch": "e", "base_v": 0, "kind": "play"})

    assert ann.wait_for("oops")["code"] == "no_room"


@pytest.mark.parametrize("token", ["", "nonsense", "eyJtIjoiYW5uIn0.aaaa.bbbb"])
def test_a_bad_token_is_refused(service: SyncService, viewer: MakeViewer, token: str) -> None:
    room = service.new_room()
    ann = viewer(service, "ann")

    ann.hello(room.room_id, token=token)

    assert ann.wait_for("oops")["code"] == "bad_token"
    assert service.rooms.room(room.room_id).members == 0


def test_a_room_that_is_not_there_is_gone(service: SyncService, viewer: MakeViewer) -> None:
    ann = viewer(service, "ann")

    ann.hello("no-such-room")

    assert ann.wait_for("gone") == {"room": "no-such-room"}


def test_the_clock_is_answered_at_once_and_with_the_version(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    ann.act("play")
    ann.wait_for("vec")

    ann.send("ping", {"c": 12.5})

    pong = ann.wait_for("pong")
    assert (pong["c"], pong["v"]) == (12.5, 1)
    assert pong["s1"] <= pong["s2"] < pong["s1"] + 1000
    assert ann.vec["at_ms"] - 5000 < pong["s2"] < ann.vec["at_ms"] + 5000


def test_members_are_shown_once_each_with_clean_names_and_their_drift(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    viewer(service, "bob", room.room_id)
    second_tab = viewer(service, "bob", room.room_id)

    second_tab.send("report", {"drift_ms": 12.34, "rtt_ms": 3})

    news = ann.wait_for("presence", lambda news: any(member["drift_ms"] for member in news["members"]))
    assert news["members"] == [
        {"member_id": "ann", "name": "Ann", "drift_ms": None},
        {"member_id": "bob", "name": "Bob", "drift_ms": 12.3},
    ]


def test_closing_one_of_two_tabs_is_not_a_leave(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    tab = viewer(service, "bob", room.room_id)
    other_tab = viewer(service, "bob", room.room_id)
    ann.wait_for("presence", lambda news: len(news["members"]) == 2)
    ann.drop("presence")

    tab.leave()

    assert len(ann.wait_for("presence")["members"]) == 2
    other_tab.leave()
    assert len(ann.wait_for("presence", lambda news: len(news["members"]) == 1)["members"]) == 1


def test_the_room_stays_as_it_is_when_its_maker_leaves(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann, bob = viewer(service, "ann", room.room_id), viewer(service, "bob", room.room_id)
    playing = ann.act("play")["vec"]
    bob.wait_for("vec")

    ann.leave()

    bob.wait_for("presence", lambda news: [m["member_id"] for m in news["members"]] == ["bob"])
    assert service.rooms.room(room.room_id).vec.v == playing["v"]
    assert bob.act("pause")["status"] == "applied"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "play", "pos_ms": float("nan")},
        {"kind": "seek", "pos_ms": float("inf")},
        {"kind": "seek", "pos_ms": -1},
        {"kind": "seek", "pos_ms": 1e308},
        {"kind": "seek", "pos_ms": "soon"},
        {"kind": "seek", "pos_ms": [[[[1]]]]},
        {"kind": "seek"},
        {"kind": "rate", "rate": 16},
        {"kind": "rate", "rate": float("nan")},
        {"kind": "item", "item": MISSING},
        {"kind": "item", "item": "../../etc"},
        {"kind": "explode"},
        {"kind": "play", "base_v": -1},
        {"kind": "play", "base_v": 1.5},
        {"kind": "play", "base_v": None},
        {"kind": "play", "lead_ms": 1e9},
        {"kind": "play", "by": "somebody else"},
    ],
)
def test_an_operation_of_a_wrong_shape_is_answered_and_does_nothing(
    service: SyncService, viewer: MakeViewer, fields: dict[str, object]
) -> None:
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)

    ack = ann.act(**fields)  # type: ignore[arg-type]

    assert ack["status"] == "invalid"
    assert service.rooms.room(room.room_id).vec == room.vec


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("hello", None),
        ("hello", "hello"),
        ("hello", {"proto": 2, "token": "x"}),
        ("hello", {"proto": 1, "token": "x" * 601}),
        ("hello", {"proto": 1, "token": "x", "room": "../x"}),
        ("ping", {"c": float("nan")}),
        ("ping", {}),
        ("ping", b"\x00\xff"),
        ("op", []),
        ("op", {"opid": 5}),
        ("report", {"drift_ms": float("-inf")}),
    ],
)
def test_a_message_of_a_wrong_shape_is_answered(
    service: SyncService, viewer: MakeViewer, event: str, message: object
) -> None:
    ann = viewer(service, "ann")

    ann.send(event, message)

    assert ann.wait_for("oops")["code"] == "invalid"


def test_an_unknown_event_is_answered(service: SyncService, viewer: MakeViewer) -> None:
    ann = viewer(service, "ann")

    ann.send("explode", {})

    assert ann.wait_for("oops")["code"] == "unknown_event"


def test_who_presses_too_often_is_limited_and_the_room_is_not(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann, bob = viewer(service, "ann", room.room_id), viewer(service, "bob", room.room_id)

    for _ in range(14):
        ann.op("play")

    answers = [ann.wait_for("ack")["status"] for _ in range(14)]
    assert answers[:10] == ["applied"] * 10
    assert "limited" in answers[10:]
    assert bob.act("pause")["status"] == "applied"


def test_a_flood_closes_the_connection_and_nobody_else_notices(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room()
    ann, bob = viewer(service, "ann", room.room_id), viewer(service, "bob", room.room_id)

    for number in range(400):
        ann.send("ping", {"c": number})

    ann.wait_for("disconnect")
    bob.send("ping", {"c": 1})
    assert bob.wait_for("pong")["c"] == 1


def test_a_message_over_four_kilobytes_closes_the_connection(service: SyncService, viewer: MakeViewer) -> None:
    ann = viewer(service, "ann")

    ann.send("hello", {"proto": 1, "token": "x" * 5000})

    ann.wait_for("disconnect")


def test_a_member_moves_to_another_room_by_saying_hello_there(service: SyncService, viewer: MakeViewer) -> None:
    one, other = service.new_room(), service.new_room()
    ann = viewer(service, "ann", one.room_id)

    ann.enter(other.room_id)

    assert ann.act("play")["status"] == "applied"
    assert service.rooms.room(one.room_id).members == 0
    assert service.rooms.room(one.room_id).vec.v == 0
    assert service.rooms.room(other.room_id).members == 1


def test_rooms_are_made_listed_and_looked_up(service: SyncService) -> None:
    first, second = service.new_room(), service.new_room()

    listed = service.rooms.rooms().rooms

    assert [room.room_id for room in listed[:2]] == [second.room_id, first.room_id]
    assert service.rooms.room(first.room_id) == first
    assert (first.vec.pos_ms, first.vec.rate, first.vec.item) == (1000, 0, FIRST)
    assert [item.video_id for item in first.items] == [FIRST, SECOND]
    with pytest.raises(NotFound) as gone:
        service.rooms.room("no-such-room")
    assert gone.value.code == "room_gone"


def test_a_room_cannot_begin_with_a_video_it_does_not_hold(service: SyncService) -> None:
    item = RoomItem(video_id=FIRST, label="Film", duration_ms=1000)
    request = RoomRequest(title_id="t", name="n", items=(item,), item=SECOND, owner="ann")

    with pytest.raises(Rejected) as refused:
        service.rooms.create_room(request)

    assert refused.value.code == "room_item_unknown"


def test_a_room_of_five_hundred_items_arrives_whole(service: SyncService, viewer: MakeViewer) -> None:
    room = service.new_room(items=500)

    state = viewer(service, "ann").enter(room.room_id)

    assert len(state["room"]["items"]) == 500
    assert until(lambda: service.rooms.room(room.room_id).members == 1)
