"""The real sync service under gunicorn, and members of rooms as websocket clients."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess  # tests start real processes
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import socketio
import websocket

from kinodom_common.clients.sync import SyncClient
from kinodom_common.contracts.rooms import RoomItem, RoomRequest
from kinodom_common.http import HttpClient, ServiceSilent
from kinodom_common.members import MemberTokens
from tests.support.redis_server import free_port

if TYPE_CHECKING:
    from kinodom_common.contracts.rooms import Room

ROOT = Path(__file__).parents[2]
INNER_KEY, MEMBER_KEY = "inner-key-of-a-test", "member-key-of-a-test"
FIRST, SECOND, MISSING = "a" * 64, "b" * 64, "c" * 64
FILM_MS, EPISODE_MS = 7_200_000.0, 1_500_000.0
NAMESPACE = "/sync"


class SyncService:
    """One replica in its own process."""

    def __init__(self, folder: Path, redis_url: str, **settings: str) -> None:
        self.port = free_port()
        self.log = folder / f"sync-{self.port}.log"
        sources = [str(ROOT / "services" / name / "src") for name in ("common", "sync")]
        environ = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(sources),
            "KINODOM_INNER_KEY": INNER_KEY,
            "KINODOM_MEMBER_KEY": MEMBER_KEY,
            "KINODOM_REDIS_URL": redis_url,
            **{f"KINODOM_{name.upper()}": value for name, value in settings.items()},
        }
        command = [
            sys.executable, "-m", "gunicorn", "--no-control-socket", "-k", "gevent", "-w", "1",
            "-b", f"127.0.0.1:{self.port}", "-c", "python:kinodom_sync.gconf", "kinodom_sync.wsgi:app",
        ]  # fmt: skip
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(command, env=environ, cwd=folder, stdout=out, stderr=out)
        self.rooms = SyncClient(HttpClient("sync", self.url, inner_key=INNER_KEY))
        self._wait()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def _wait(self) -> None:
        until_s = time.monotonic() + 20
        while True:
            try:
                self.rooms.rooms()
            except ServiceSilent:
                assert self._process.poll() is None, self.log.read_text()
                assert time.monotonic() < until_s, self.log.read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """End it and return how long that took, seconds."""
        began_s = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
        return time.monotonic() - began_s

    def new_room(self, *, items: int = 2) -> Room:
        """Make a room of a film and an episode (or more of those), paused at 1 s."""
        more = (RoomItem(video_id=f"{n:064x}", label="Серия " * 20, duration_ms=EPISODE_MS) for n in range(items - 2))
        film = RoomItem(video_id=FIRST, label="Film", duration_ms=FILM_MS)
        episode = RoomItem(video_id=SECOND, label="Episode", duration_ms=EPISODE_MS)
        return self.rooms.create_room(
            RoomRequest(
                title_id="t1", name="A film", items=(film, episode, *more), item=FIRST, pos_ms=1000, owner="ann"
            )
        )


class RawSocket:
    """A connection that sends whatever it is told, and never reads."""

    def __init__(self, service: SyncService) -> None:
        self._line = websocket.create_connection(
            f"ws://127.0.0.1:{service.port}/socket.io/?EIO=4&transport=websocket",
            sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)],
            timeout=5,
        )
        self._line.recv()  # the greeting of engine.io
        self.send_packet(f"40{NAMESPACE},")
        self._line.recv()  # the namespace is open

    def send_packet(self, packet: str) -> None:
        """Send the text of a packet as it is."""
        with suppress(OSError):  # it may have been cut off
            self._line.send(packet)

    def send(self, event: str, message: object) -> None:
        """Send an event."""
        self.send_packet(f"42{NAMESPACE},{json.dumps([event, message])}")

    def hello(self, room_id: str) -> None:
        """Say hello to a room."""
        self.send("hello", {"proto": 1, "token": MemberTokens(MEMBER_KEY).sign("raw", "Raw"), "room": room_id})

    def close(self) -> None:
        """Drop the connection."""
        self._line.shutdown()


class Viewer:
    """A member of a room: what a page does, without a picture."""

    def __init__(self, service: SyncService, name: str, *, headers: dict[str, str] | None = None) -> None:
        self.name = name
        self.state: dict[str, Any] | None = None
        self.vec: dict[str, Any] = {}  # newest that came
        self.versions: list[int] = []  # of all `vec` messages, in their order
        self._got: defaultdict[str, queue.Queue[Any]] = defaultdict(queue.Queue)
        self._client = socketio.Client(reconnection=False)
        self._client.on("*", self._take, namespace=NAMESPACE)
        self._client.on("disconnect", lambda *_: self._got["disconnect"].put(None), namespace=NAMESPACE)
        self._client.connect(
            service.url, headers=headers or {}, transports=["websocket"], namespaces=[NAMESPACE], wait_timeout=10
        )
        self._line = self._client.eio.ws.sock

    def _take(self, event: str, message: Any) -> None:
        if event == "vec":
            self.versions.append(message["v"])
            self._note(message)
        elif event == "state":
            self.state = message
            self._note(message["room"]["vec"])
        self._got[event].put(message)

    def _note(self, vec: dict[str, Any]) -> None:
        if not self.vec or vec["epoch"] != self.vec["epoch"] or vec["v"] > self.vec["v"]:
            self.vec = vec

    def send(self, event: str, message: Any) -> None:
        """Send anything."""
        self._client.emit(event, message, namespace=NAMESPACE)

    def hello(self, room_id: str | None, **fields: object) -> None:
        """Say hello, with a good token unless another is given."""
        token = MemberTokens(MEMBER_KEY).sign(self.name, self.name.title())
        self.send("hello", {"proto": 1, "token": token, "room": room_id, **fields})

    def enter(self, room_id: str) -> dict[str, Any]:
        """Say hello to a room and return its state."""
        self.hello(room_id)
        state: dict[str, Any] = self.wait_for("state")
        return state

    def op(self, kind: str, *, opid: str | None = None, **fields: object) -> str:
        """Send an operation and return its opid."""
        opid = opid or uuid4().hex
        base = {"epoch": self.vec["epoch"], "base_v": self.vec["v"]}
        self.send("op", {"opid": opid, **base, "kind": kind, **fields})
        return opid

    def act(self, kind: str, **fields: object) -> dict[str, Any]:
        """Send an operation and return its answer."""
        opid = self.op(kind, **fields)  # type: ignore[arg-type]
        ack: dict[str, Any] = self.wait_for("ack", lambda message: message["opid"] == opid)
        return ack

    def wait_for(self, event: str, fits: Callable[[Any], bool] = lambda _: True, limit_s: float = 10.0) -> Any:
        """Return the next message of this kind that fits; those of the kind that do not fit are dropped."""
        until_s = time.monotonic() + limit_s
        while True:
            try:
                message = self._got[event].get(timeout=max(0.001, until_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.name} waited {limit_s} s for {event}") from None
            if fits(message):
                return message

    def count(self, event: str) -> int:
        """Return how many messages of a kind have come and were not waited for."""
        return self._got[event].qsize()

    def drop(self, event: str) -> None:
        """Forget the messages of a kind that have come so far."""
        self._got[event] = queue.Queue()

    def leave(self) -> None:
        """Close the connection."""
        self._client.disconnect()
        self._line.close()  # the client leaves it open when the server has closed


def until(holds: Callable[[], bool], limit_s: float = 10.0) -> bool:
    """Wait until something holds and say whether it did in time."""
    until_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True
