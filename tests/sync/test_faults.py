"""What must hold when replicas race, stop, or lose Redis. Each test has a Redis and replicas of its own."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kinodom_common.contracts.wishes import DOWNLOADS_CHANNEL, QUEUE_CHANNEL, QueueStatus, WishEvent
from kinodom_common.errors import NotFound
from kinodom_house.redis_files import DATABASES, users_acl
from kinodom_sync import gconf
from tests.support.redis_server import RedisServer
from tests.support.sync_service import RawSocket, SyncService, Viewer, until

MakeViewer = Callable[..., Viewer]
MakeReplica = Callable[..., SyncService]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def replica(own_redis: RedisServer, tmp_path: Path) -> Iterator[MakeReplica]:
    """Starts replicas and ends them."""
    made: list[SyncService] = []

    def start(**settings: str) -> SyncService:
        made.append(SyncService(tmp_path, own_redis.url, **settings))
        return made[-1]

    yield start
    for one in made:
        one.stop()
    for one in made:
        assert "MonkeyPatchWarning" not in one.log.read_text()
        assert "Traceback" not in one.log.read_text()


def where(viewer: Viewer) -> tuple[str, int, float]:
    return viewer.vec["epoch"], viewer.vec["v"], viewer.vec["pos_ms"]


def test_crossing_operations_end_with_the_same_vector_everywhere_and_versions_never_fall(
    replicas: tuple[SyncService, SyncService], viewer: MakeViewer
) -> None:
    room = replicas[0].new_room()
    everybody = [viewer(replicas[n % 2], f"member{n}", room.room_id) for n in range(6)]
    acks = []

    def press(one: Viewer, base_ms: float) -> None:
        for n in range(9):
            acks.append(one.act("seek", pos_ms=base_ms + n))  # noqa: PERF401  # each waits for its answer

    threads = [threading.Thread(target=press, args=(everybody[n], 1e6 * n)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    applied = [ack for ack in acks if ack["status"] == "applied"]
    assert len(applied) == 18
    assert sorted(ack["vec"]["v"] for ack in applied) == list(range(1, 19))
    assert until(lambda: all(one.vec["v"] == 18 for one in everybody))
    assert len({where(one) for one in everybody}) == 1
    assert all(one.versions == sorted(one.versions) for one in everybody)
    assert all(set(one.versions) == set(range(1, 19)) for one in everybody)


def test_a_stopping_replica_says_bye_and_leaves_long_before_its_grace_is_over(
    replica: MakeReplica, viewer: MakeViewer
) -> None:
    service = replica()
    room = service.new_room()
    everybody = [viewer(service, f"member{n}", room.room_id) for n in range(20)]

    took_s = service.stop()

    assert took_s < gconf.graceful_timeout - 1  # 1.3 s on an idle machine
    for one in everybody:
        bye = one.wait_for("bye")
        assert bye["reason"] == "restart"
        assert 0 <= bye["after_ms"] <= 2000
        one.wait_for("disconnect")


def test_members_find_their_room_again_on_the_other_replica(replica: MakeReplica, viewer: MakeViewer) -> None:
    one, other = replica(), replica()
    room = one.new_room()
    ann = viewer(one, "ann", room.room_id)
    playing = ann.act("play")["vec"]

    one.stop(signal.SIGKILL)
    back = viewer(other, "ann", room.room_id)

    assert back.vec == playing
    assert back.act("pause")["status"] == "applied"


def test_redis_killed_and_started_again_loses_no_acknowledged_operation(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    services = replica(), replica()
    room = services[0].new_room()
    ann, bob = viewer(services[0], "ann", room.room_id), viewer(services[1], "bob", room.room_id)
    for n in range(5):
        last = ann.act("seek", pos_ms=1000.0 * n)

    own_redis.stop()
    own_redis.start()

    assert services[0].rooms.room(room.room_id).vec.model_dump() == last["vec"]
    retried = ann.act("seek", pos_ms=5000, opid=last["opid"])
    assert (retried["status"], retried["vec"]) == ("duplicate", last["vec"])
    began_s = time.monotonic()
    newest = ann.act("play")["vec"]
    assert until(lambda: bob.vec == newest, limit_s=3)
    assert time.monotonic() - began_s < 3
    assert until(lambda: ann.vec == newest)


def test_while_redis_is_away_an_operation_is_answered_and_can_be_sent_again(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    service = replica()
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    own_redis.stop()

    opid = ann.op("play")
    away = ann.wait_for("oops")
    ann.send("ping", {"c": 1})
    pong = ann.wait_for("pong")
    own_redis.start()
    again = ann.act("play", opid=opid)

    assert away["code"] == "rooms_away"
    assert pong["c"] == 1
    assert again["status"] == "applied"


def test_a_room_that_redis_has_lost_is_put_back_by_the_replica_that_serves_it(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    service = replica()
    room = service.new_room()
    ann = viewer(service, "ann", room.room_id)
    playing = ann.act("play")["vec"]
    assert until(lambda: ann.vec == playing)

    with own_redis.client() as client:
        client.flushall()

    assert until(lambda: _vec_of(service, room.room_id) == playing, limit_s=8)
    assert ann.act("pause")["vec"]["v"] == 2
    assert service.rooms.room(room.room_id).name == room.name


def _vec_of(service: SyncService, room_id: str) -> dict[str, object] | None:
    try:
        return service.rooms.room(room_id).vec.model_dump()
    except NotFound:
        return None


def test_a_subscription_that_was_cut_is_made_anew_and_members_catch_up(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    one, other = replica(), replica()
    room = one.new_room()
    ann, bob = viewer(one, "ann", room.room_id), viewer(other, "bob", room.room_id)

    with own_redis.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        newest = ann.act("play")["vec"]
        caught_up = until(lambda: bob.vec == newest and ann.vec == newest, limit_s=3)
        newer = ann.act("pause")["vec"]

    assert caught_up
    assert until(lambda: bob.vec == newer)


def test_an_empty_room_goes_and_one_with_a_member_stays(replica: MakeReplica, viewer: MakeViewer) -> None:
    service = replica(room_remove_time_min="0.02")
    empty, kept = service.new_room(), service.new_room()
    ann = viewer(service, "ann", kept.room_id)

    assert until(lambda: _vec_of(service, empty.room_id) is None, limit_s=4)
    assert _vec_of(service, kept.room_id) is not None
    ann.leave()
    assert until(lambda: _vec_of(service, kept.room_id) is None, limit_s=4)
    assert service.rooms.rooms().rooms == ()


def test_progress_of_downloads_reaches_those_who_asked_for_it(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    service = replica()
    asked, other = viewer(service, "ann"), viewer(service, "bob")
    asked.hello(None, downloads=True)
    other.hello(None)
    event = WishEvent(type="task_progress", wish_id="w" * 64, state="running", title="A film")

    def told() -> bool:
        client.publish(DOWNLOADS_CHANNEL, "not json")
        client.publish(DOWNLOADS_CHANNEL, event.model_dump_json())
        return bool(asked.count("download"))

    with own_redis.client() as client:
        assert until(told)

    assert asked.wait_for("download") == event.model_dump(mode="json")
    other.send("ping", {"c": 1})
    other.wait_for("pong")
    assert other.count("download") == 0


def test_the_queue_is_told_at_hello_when_asked_and_when_it_changes(
    own_redis: RedisServer, replica: MakeReplica, viewer: MakeViewer
) -> None:
    service = replica()
    early, other = viewer(service, "ann"), viewer(service, "bob")
    early.hello(None, downloads=True)
    other.hello(None)
    status = QueueStatus(wanted=3, running=1, parallel=2)
    with own_redis.client() as client:
        assert until(lambda: client.publish(QUEUE_CHANNEL, status.model_dump_json()) and early.count("queue_status"))
        late = viewer(service, "cat")
        late.hello(None, downloads=True)
        at_hello = late.wait_for("queue_status")
        late.send("queue", {})
        assert until(lambda: late.count("queue_status") == 1)

        client.publish(QUEUE_CHANNEL, status.model_dump_json())
        client.publish(QUEUE_CHANNEL, status.model_copy(update={"running": 2}).model_dump_json())
        assert until(lambda: late.count("queue_status") == 2)

    assert at_hello == status.model_dump(mode="json")
    assert early.count("queue_status") == 2  # the same again is no news
    other.send("ping", {"c": 1})
    other.wait_for("pong")
    assert other.count("queue_status") == 0


def test_the_rights_that_the_house_gives_to_sync_are_enough(
    own_redis: RedisServer, tmp_path: Path, viewer: MakeViewer
) -> None:
    password = "invented"
    rights = next(
        line.removeprefix("user sync ").split()
        for line in users_acl(dict.fromkeys(DATABASES, password)).splitlines()
        if line.startswith("user sync ")
    )
    with own_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "sync", *rights)
    service = SyncService(tmp_path, own_redis.url.replace(f"//:{own_redis.password}@", f"//sync:{password}@"))

    try:
        room = service.new_room()
        ann = viewer(service, "ann", room.room_id)
        ack = ann.act("play")
        heard = until(lambda: ann.versions == [1], limit_s=3)
        ann.leave()
        left = until(lambda: service.rooms.rooms().rooms[0].members == 0)
    finally:
        service.stop()

    assert (ack["status"], heard, left) == ("applied", True, True)
    assert "NOPERM" not in service.log.read_text()


def test_who_does_not_read_is_cut_off_and_the_others_notice_nothing(replica: MakeReplica, viewer: MakeViewer) -> None:
    service = replica()
    room = service.new_room(items=500)
    ann, stuck = viewer(service, "ann", room.room_id), RawSocket(service)
    waits_s = []

    for number in range(1200):  # not for ever: a cut is due after some fifteen seconds
        if number < 9 or number % 10 == 0:
            stuck.hello(room.room_id)  # its answer is the largest message there is
        elif number % 2:
            stuck.send("ping", {"c": 1})
        began_s = time.monotonic()
        ann.send("ping", {"c": number})
        ann.wait_for("pong")
        waits_s.append(time.monotonic() - began_s)
        if "connection_cut" in service.log.read_text():
            break
        time.sleep(0.03)
    stuck.close()

    assert "connection_cut" in service.log.read_text()
    assert sorted(waits_s)[len(waits_s) // 2] < 0.1
    assert ann.act("play")["status"] == "applied"


@pytest.mark.parametrize(
    "packet",
    [
        "4",
        "42",
        "49",
        "4x",
        "4" + "[" * 3000,
        "x",
        "5",
        "6",
        "2probe",
        "3",
        "1",
        '42/sync,["hello",{"\\ud800":1}]',
        '42/sync,["\\ud800",{}]',
        '42/sync,["op",{"opid":"\\ud800"}]',
        "42/sync,",
        "42/sync,{",
        "42/sync," + "[" * 3000,
        '42/sync,["ping"]',
        '42/sync,["ping",1,2,3]',
        '42/sync,[5,{"c":1}]',
        '42/sync,["disconnect"]',
        '42/sync,["connect"]',
        '42/other,["ping",{"c":1}]',
        '451-/sync,["ping",{"_placeholder":true,"num":0}]',
        '4599999999999-/sync,["ping"]',
        "40/elsewhere,",
        "43/sync,999[]",
        "44/sync,",
        "9",
        "",
        "\x00\ud7ff",
    ],
)
def test_a_packet_nobody_sends_by_mistake_harms_nobody(service: SyncService, viewer: MakeViewer, packet: str) -> None:
    raw = RawSocket(service)

    raw.send_packet(packet)
    raw.close()

    ann = viewer(service, "ann")
    ann.send("ping", {"c": 1})
    assert ann.wait_for("pong")["c"] == 1
