"""What happens on the socket, without the socket: greetings, operations, presence, and the watch over lost messages.

Vectors reach members only through `heard`, which the subscription calls on every replica: all members see one order.
Every other path sends a snapshot (`state`), which says what is the case and never makes it so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.contracts.rooms import Ack, Member, RoomState
from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_sync.domain.rooms import Hall, RoomGone, Seat, clean_name, is_newer

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.rooms import Hello, Op, Ping, Report, Vec
    from kinodom_common.contracts.wishes import QueueStatus
    from kinodom_sync.domain.ports import Outbox, RoomStore

log = get_log(__name__)

NAMESPACE = "/sync"
DOWNLOADS = "downloads"  # group of those who follow the downloads
PRESENCE_S = 0.25
PRESENCE_S_PER_MEMBER = 0.005  # a room of 500 hears of its members every 2.5 s: the list grows with them, twice
GREET_WITHIN_S = 20.0
HELLO_COST = 8.0  # messages; its answer is the largest there is


def group_of(room_id: str) -> str:
    """Return the name of the group of a room's connections."""
    return f"room:{room_id}"


class Live:
    """The socket's side of this replica.

    Args:
        store: rooms, shared with the other replicas.
        outbox: the connections of this replica.
        hall: who sits where on this replica.
        room_ms: room time, float ms.
    """

    def __init__(self, *, store: RoomStore, outbox: Outbox, hall: Hall, room_ms: Callable[[], float]) -> None:
        self._store = store
        self._outbox = outbox
        self._hall = hall
        self._room_ms = room_ms
        self._closing = False
        self._queue: QueueStatus | None = None  # None: nobody has told of it yet

    def came(self, sid: str, now_s: float) -> None:
        """Note a fresh connection."""
        self._hall.come(sid, now_s)

    def went(self, sid: str) -> None:
        """Forget a connection; its lease is given up, unless the replica is closing: then it sits elsewhere soon."""
        seat = self._hall.go(sid)
        if seat is None or seat.room_id is None or self._closing:
            return
        try:
            self._store.leave(seat.room_id, seat.connection)
        except UpstreamFailed as exc:
            log.warning("lease_left_to_lapse", room=seat.room_id, error=exc.detail)

    def admit(self, sid: str, now_s: float, *, event: str) -> bool:
        """Count a message; one too many closes the connection."""
        seat = self._hall.seats.get(sid)
        if seat is not None and seat.messages.take(now_s, HELLO_COST if event == "hello" else 1.0):
            return True
        self._outbox.close(sid)
        return False

    def greet(self, sid: str, hello: Hello, *, member_id: str, name: str, now_s: float) -> None:
        """Seat a member in a room, or move it there, and send the room's state; `gone` if there is no such room."""
        seat = self._hall.seats.get(sid)
        if seat is None:
            return
        if seat.room_id is not None and (seat.room_id != hello.room or seat.member_id != member_id):
            self._stand_up(seat)
        seat.member_id, seat.name = member_id, clean_name(name)
        change = self._outbox.enter if hello.downloads else self._outbox.leave
        change(sid, DOWNLOADS)
        if hello.downloads:
            self.show_queue(sid)
        if hello.room is not None:
            self._sit_down(seat, hello.room, now_s)

    def show_queue(self, sid: str) -> None:
        """Send one connection how the queue of the downloads stands; when nobody has told yet, it hears it with all."""
        if self._queue is not None:
            self._outbox.to_one(sid, "queue_status", self._queue)

    def queue_heard(self, status: QueueStatus) -> None:
        """Pass on how the queue of the downloads stands, when that is news."""
        if status != self._queue:
            self._queue = status
            self._outbox.to_group(DOWNLOADS, "queue_status", status)

    def _sit_down(self, seat: Seat, room_id: str, now_s: float) -> None:
        if room_id in self._hall.rooms and not self._store.vecs([room_id])[room_id]:
            self._put_back(room_id, now_s)
        if not self._store.touch(room_id, {seat.connection: _facts(seat)}):
            self._outbox.to_one(seat.sid, "gone", {"room": room_id})
            return
        room = self._store.room(room_id)
        if self._hall.seats.get(seat.sid) is not seat:  # closed while the store was asked
            self._store.leave(room_id, seat.connection)
            return
        seat.pinged_s = now_s
        self._hall.enter(seat, room)
        self._outbox.enter(seat.sid, group_of(room_id))
        self.show(seat.sid, room_id)  # asked again: an operation since then came before the connection was in the group

    def _stand_up(self, seat: Seat) -> None:
        room_id = seat.room_id or ""
        self._hall.leave(seat)
        seat.room_id, seat.drift_ms = None, None
        self._outbox.leave(seat.sid, group_of(room_id))
        self._store.leave(room_id, seat.connection)

    def show(self, sid: str, room_id: str) -> None:
        """Send the state of a room to one connection; raises RoomGone."""
        self._outbox.to_one(sid, "state", self._state(room_id))

    def _state(self, room_id: str) -> RoomState:
        room = self._store.room(room_id)
        opened = self._hall.rooms.get(room_id)
        if opened is not None and is_newer(room.vec, opened.vec):
            opened.room, opened.vec = room, room.vec
        members = self._store.members(room_id)
        return RoomState(room=room, members=members, now_ms=self._room_ms())

    def pong(self, sid: str, ping: Ping, *, received_ms: float, now_s: float) -> None:
        """Answer a clock ping from memory alone, and note that the member is there."""
        seat = self._hall.seats.get(sid)
        opened = self._hall.rooms.get(seat.room_id or "") if seat else None
        if seat is not None:
            seat.pinged_s, seat.renew = now_s, True
        v = opened.vec.v if opened else None
        self._outbox.to_one(sid, "pong", {"c": ping.c, "s1": received_ms, "s2": self._room_ms(), "v": v})

    def act(self, sid: str, op: Op, now_s: float) -> Ack | None:
        """Apply a member's operation and return its answer; None: the connection sits in no room.

        Raises:
            UpstreamFailed: the store did not answer. The same `opid` may be sent again.
        """
        seat = self._hall.seats.get(sid)
        if seat is None or seat.room_id is None:
            return None
        if not self._hall.may_act(seat, now_s):
            return Ack(opid=op.opid, status="limited", vec=self._hall.rooms[seat.room_id].vec, detail="member")
        room_id = seat.room_id
        try:
            ack = self._store.act(room_id, op, by=seat.member_id)
        except RoomGone:
            self._put_back(room_id, now_s)
            return Ack(opid=op.opid, status="denied", detail="gone")
        if ack.status == "stale" and ack.detail == "epoch":
            self.show(sid, room_id)
        return ack

    def report(self, sid: str, report: Report) -> None:
        """Note how far a member's player is from the room; the others see it in `presence`."""
        seat = self._hall.seats.get(sid)
        if seat is None or seat.room_id is None:
            return
        seat.drift_ms = round(report.drift_ms, 1)
        self._store.touch(seat.room_id, {seat.connection: _facts(seat)})

    def heard(self, room_id: str, vec: Vec) -> None:
        """Pass a published vector on to the members here. The one way a `vec` caused by an operation goes out."""
        opened = self._hall.rooms.get(room_id)
        if opened is None:
            return
        opened.heard = vec
        if is_newer(vec, opened.vec):
            opened.vec = vec
        self._outbox.to_group(group_of(room_id), "vec", vec)

    def members_changed(self, room_id: str, now_s: float) -> None:
        """Note that a room's members will have to be told, once for all changes of the next quarter second."""
        opened = self._hall.rooms.get(room_id)
        if opened is not None and opened.tell_at_s is None:
            opened.tell_at_s = max(now_s + PRESENCE_S, opened.quiet_until_s)

    def tell_members(self, now_s: float) -> None:
        """Send `presence` to the rooms whose time has come, and `state` to connections that read again."""
        for room_id, opened in list(self._hall.rooms.items()):
            if opened.tell_at_s is None or opened.tell_at_s > now_s:
                continue
            members = self._store.members(room_id)
            opened.tell_at_s, opened.quiet_until_s = None, now_s + len(members) * PRESENCE_S_PER_MEMBER
            self._outbox.to_group(group_of(room_id), "presence", {"members": [m.model_dump() for m in members]})
        for sid in self._outbox.caught_up(now_s):
            seat = self._hall.seats.get(sid)
            if seat is not None and seat.room_id is not None:
                self.show(sid, seat.room_id)

    def renew_leases(self, now_s: float) -> None:
        """Renew the leases of those who pinged since the last time, and close connections that never said hello."""
        for room_id in list(self._hall.rooms):
            seats = [seat for seat in self._hall.seats_in(room_id) if seat.renew]
            for seat in seats:
                seat.renew = False
            if seats:
                self._store.touch(room_id, {seat.connection: _facts(seat) for seat in seats})
        silent = [s.sid for s in self._hall.seats.values() if not s.member_id and now_s - s.since_s > GREET_WITHIN_S]
        for sid in silent:
            self._outbox.close(sid)

    def look_for_gaps(self, now_s: float) -> bool:
        """Compare the open rooms with the store: push `state` where a vector was missed, put back what it has lost.

        Returns:
            True if the subscription seems deaf: it should have told of a vector by now and has not.
        """
        deaf = False
        for room_id, vec in self._store.vecs(list(self._hall.rooms)).items():
            opened = self._hall.rooms.get(room_id)
            if opened is None:
                continue
            if vec is None or (vec.epoch == opened.vec.epoch and vec.v < opened.vec.v):
                self._put_back(room_id, now_s)
                continue
            if opened.polled is not None and (opened.heard is None or is_newer(opened.polled, opened.heard)):
                deaf, opened.heard = True, None
            opened.polled = vec if is_newer(vec, opened.heard or opened.vec) else None
            if is_newer(vec, opened.vec):
                self._outbox.to_group(group_of(room_id), "state", self._state(room_id))
        return deaf

    def _put_back(self, room_id: str, now_s: float) -> None:
        opened = self._hall.rooms[room_id]
        if self._hall.is_served(room_id, now_s):
            self._store.restore(opened.room.model_copy(update={"vec": opened.vec}))
            seats = self._hall.seats_in(room_id)
            self._store.touch(room_id, {seat.connection: _facts(seat) for seat in seats})
            log.warning("room_restored", room=room_id, v=opened.vec.v)
        else:
            self._announce_gone(room_id)

    def _announce_gone(self, room_id: str) -> None:
        self._outbox.to_group(group_of(room_id), "gone", {"room": room_id})
        for seat in self._hall.seats_in(room_id):
            self._hall.leave(seat)
            seat.room_id = None
            self._outbox.leave(seat.sid, group_of(room_id))

    def beat(self) -> None:
        """Send every open room its vector: who missed one sees it here."""
        for room_id, opened in list(self._hall.rooms.items()):
            self._outbox.to_group(group_of(room_id), "vec", opened.vec)

    def say_bye(self, delay_ms: Callable[[], int]) -> None:
        """Tell every connection to come back, each after its own delay, and close it."""
        self._closing = True
        for sid in list(self._hall.seats):
            self._outbox.to_one(sid, "bye", {"reason": "restart", "after_ms": delay_ms()})
            self._outbox.close(sid)


def _facts(seat: Seat) -> Member:
    return Member(member_id=seat.member_id, name=seat.name, drift_ms=seat.drift_ms)
