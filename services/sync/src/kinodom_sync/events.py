"""The Socket.IO events: each is checked against its contract, handed to `Live`, and answered. Nothing is raised."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from kinodom_common.contracts.rooms import Ack, Hello, Op, Ping, QueueAsked, Report
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_sync.domain.live import NAMESPACE

if TYPE_CHECKING:
    from flask_socketio import SocketIO

    from kinodom_common.members import MemberTokens
    from kinodom_sync.domain.live import Live
    from kinodom_sync.domain.ports import Figures, Outbox

log = get_log(__name__)

Message = TypeVar("Message", bound=BaseModel)
OPID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # that an answer may carry back


class Events:
    """Binds the events of the namespace to `Live`."""

    def __init__(
        self, *, live: Live, outbox: Outbox, tokens: MemberTokens, figures: Figures, room_ms: Callable[[], float]
    ) -> None:
        self._live = live
        self._outbox = outbox
        self._tokens = tokens
        self._figures = figures
        self._room_ms = room_ms

    def bind(self, sio: SocketIO) -> None:
        """Register every event."""
        sio.on_event("connect", self._connect, namespace=NAMESPACE)
        sio.on_event("disconnect", self._disconnect, namespace=NAMESPACE)
        for name, handler in (
            ("ping", self._handler("ping", Ping, self._ping)),
            ("hello", self._handler("hello", Hello, self._hello)),
            ("op", self._handler("op", Op, self._op)),
            ("report", self._handler("report", Report, self._report)),
            ("queue", self._handler("queue", QueueAsked, self._queue)),
            ("*", self._unknown),
        ):
            sio.on_event(name, handler, namespace=NAMESPACE)

    def _connect(self, _auth: object = None) -> None:
        self._live.came(_sid(), time.monotonic())

    def _disconnect(self, _reason: object = None) -> None:
        self._live.went(_sid())

    def _handler(
        self, name: str, model: type[Message], act: Callable[[str, Message, float], None]
    ) -> Callable[..., None]:
        def handle(*given: object) -> None:
            sid, received_ms = _sid(), self._room_ms()
            if not self._live.admit(sid, time.monotonic(), event=name):
                return
            try:
                act(sid, model.model_validate(given[0] if len(given) == 1 else None), received_ms)
            except ValidationError as exc:
                self._refuse(sid, name, given, exc)
            except KinodomError as exc:
                self._oops(sid, exc.code, exc.detail)
            except Exception:  # the edge of the socket: the sender is told, the rest goes on
                log.error("event_failed", name=name, exc_info=True)
                self._oops(sid, "internal", "Something in the house broke. Nothing was changed by this message.")

        return handle

    def _ping(self, sid: str, ping: Ping, received_ms: float) -> None:
        self._live.pong(sid, ping, received_ms=received_ms, now_s=time.monotonic())

    def _hello(self, sid: str, hello: Hello, _received_ms: float) -> None:
        member = self._tokens.read(hello.token)
        self._live.greet(sid, hello, member_id=member.member_id, name=member.name, now_s=time.monotonic())

    def _op(self, sid: str, op: Op, _received_ms: float) -> None:
        ack = self._live.act(sid, op, time.monotonic())
        if ack is None:
            self._oops(sid, "no_room", "Say hello to a room first.")
            return
        self._outbox.to_one(sid, "ack", ack)
        self._figures.acted(ack.status)

    def _report(self, sid: str, report: Report, _received_ms: float) -> None:
        self._figures.reported(report)
        self._live.report(sid, report)

    def _queue(self, sid: str, _asked: QueueAsked, _received_ms: float) -> None:
        self._live.show_queue(sid)

    def _unknown(self, name: str, *_given: object) -> None:
        sid = _sid()
        if self._live.admit(sid, time.monotonic(), event="?"):
            self._oops(sid, "unknown_event", f"There is no event {name[:40]!r}.")

    def _refuse(self, sid: str, name: str, given: tuple[object, ...], exc: ValidationError) -> None:
        detail = "; ".join(
            f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in exc.errors(include_input=False)
        )[:300]
        payload = given[0] if given else None
        opid = payload.get("opid") if isinstance(payload, Mapping) else None
        if name == "op" and isinstance(opid, str) and OPID.fullmatch(opid):
            self._outbox.to_one(sid, "ack", Ack(opid=opid, status="invalid", detail=detail))
            self._figures.acted("invalid")
        else:
            self._oops(sid, "invalid", detail)

    def _oops(self, sid: str, code: str, detail: str) -> None:
        self._outbox.to_one(sid, "oops", {"code": code, "detail": detail})


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]  # Flask-SocketIO adds it
