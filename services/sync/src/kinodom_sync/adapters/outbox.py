"""Messages to the connections of this replica, bounded: who does not read is passed over, and later let go.

The queue that engine.io keeps for a connection has no limit of its own. Here nothing is added to one that holds 64
messages; vectors, presence and progress are all of the kind where only the newest matters, and a connection that
reads again gets the whole state.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gevent
from pydantic import BaseModel

from kinodom_common.logs import get_log
from kinodom_sync.domain.live import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask_socketio import SocketIO

log = get_log(__name__)

QUEUE_LIMIT = 64  # messages
READS_AGAIN = 8  # messages left: it has caught up
PATIENCE_S = 5.0  # a queue that stays full this long is nobody's
FAREWELL_S = 0.4  # for the last messages; then the line is cut
LINGER_S = 0.1  # between the last message and the end of the line


class _Enough(BaseException):
    """The time for a farewell is over."""


class SocketOutbox:
    """The connections of this replica, by their Socket.IO ids."""

    def __init__(self, sio: SocketIO, monotonic_s: Callable[[], float]) -> None:
        self._server: Any = sio.server  # type: ignore[attr-defined]  # the stubs lack it
        self._monotonic_s = monotonic_s
        self._behind: dict[str, float] = {}  # connection → since when, s
        self.cut = 0  # connections closed because they did not read

    def enter(self, sid: str, group: str) -> None:
        """Add a connection to a group."""
        with suppress(ValueError, KeyError):  # it has just gone
            self._server.enter_room(sid, group, namespace=NAMESPACE)

    def leave(self, sid: str, group: str) -> None:
        """Take a connection out of a group."""
        with suppress(ValueError, KeyError):
            self._server.leave_room(sid, group, namespace=NAMESPACE)

    def to_group(self, group: str, event: str, message: BaseModel | Mapping[str, object]) -> None:
        """Send to all of a group who keep up."""
        members = list(self._server.manager.get_participants(NAMESPACE, group))
        passed_over = [sid for sid, engine_id in members if self._is_full(sid, engine_id)]
        self._server.emit(event, _plain(message), to=group, skip_sid=passed_over, namespace=NAMESPACE)

    def to_one(self, sid: str, event: str, message: BaseModel | Mapping[str, object]) -> None:
        """Send to one connection, if it keeps up."""
        if not self._is_full(sid, self._server.manager.eio_sid_from_sid(sid, NAMESPACE)):
            self._server.emit(event, _plain(message), to=sid, namespace=NAMESPACE)

    def _queued(self, engine_id: str | None) -> int:
        line = self._server.eio.sockets.get(engine_id)
        return int(line.queue.qsize()) if line is not None else 0

    def _is_full(self, sid: str, engine_id: str | None) -> bool:
        if self._queued(engine_id) < QUEUE_LIMIT:
            return False
        self._behind.setdefault(sid, self._monotonic_s())
        return True

    def caught_up(self, now_s: float) -> list[str]:
        """Return who reads again after messages were left out; cut the line to those who have not for 5 s."""
        again = []
        for sid, since_s in list(self._behind.items()):
            engine_id = self._server.manager.eio_sid_from_sid(sid, NAMESPACE)
            if self._queued(engine_id) <= READS_AGAIN:
                del self._behind[sid]
                again.append(sid)
            elif now_s - since_s > PATIENCE_S:
                del self._behind[sid]
                self.cut += 1
                log.warning("connection_cut", reason="does not read")
                self._cut(self._line(engine_id))
        return again

    def close(self, sid: str) -> None:
        """Close a connection after its last messages. Returns before that is done."""
        engine_id = self._server.manager.eio_sid_from_sid(sid, NAMESPACE)
        if engine_id is not None:
            gevent.spawn(self._close, engine_id)

    def close_all(self) -> None:
        """Close every connection, also those that are in no namespace."""
        for engine_id in list(self._server.eio.sockets):
            gevent.spawn(self._close, engine_id)

    def _close(self, engine_id: str) -> None:
        line = self._line(engine_id)
        with suppress(KeyError, _Enough), gevent.Timeout(FAREWELL_S, _Enough):
            self._server.eio.disconnect(engine_id)  # waits until the writer has taken the last message
        gevent.sleep(LINGER_S)
        self._cut(line)

    def _line(self, engine_id: str | None) -> Any:
        return (self._server.environ.get(engine_id) or {}).get("gunicorn.socket")

    def _cut(self, line: Any) -> None:
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # frees a writer that waits for a reader who never comes


def _plain(message: BaseModel | Mapping[str, object]) -> dict[str, object]:
    return message.model_dump(mode="json") if isinstance(message, BaseModel) else dict(message)
