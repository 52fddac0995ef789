"""Joins the rules to Redis and to the socket."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from flask_socketio import SocketIO
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry

from kinodom_common.hosts import HostGuard, house_rule
from kinodom_common.members import MemberTokens
from kinodom_sync.adapters.feed import Feed
from kinodom_sync.adapters.figures import Figures
from kinodom_sync.adapters.outbox import SocketOutbox
from kinodom_sync.adapters.redis_rooms import RedisRooms
from kinodom_sync.adapters.room_clock import RoomClock
from kinodom_sync.adapters.rounds import go_round
from kinodom_sync.adapters.websocket import MESSAGE_LIMIT_BYTES, BoundedWebSocket, SocketJson
from kinodom_sync.domain.live import DOWNLOADS, Live
from kinodom_sync.domain.rooms import Hall
from kinodom_sync.events import Events

if TYPE_CHECKING:
    from flask import Flask

    from kinodom_sync.settings import Settings

PING_INTERVAL_S, PING_TIMEOUT_S = 25, 20
REPLY_S = 2.0  # time limit of one call to Redis
BACK_WITHIN_MS = 2000  # connections of a closing replica come back spread over this


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What routes and sockets work with."""

    rooms: RedisRooms
    clock: RoomClock
    tokens: MemberTokens
    listener: redis.Redis  # for the subscription alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """The running socket side."""

    sio: SocketIO
    live: Live
    outbox: SocketOutbox
    feed: Feed
    clock: RoomClock

    def start(self) -> None:
        """Start the subscription and the rounds. Call once per process, in the worker."""
        live = self.live
        self.sio.start_background_task(self.feed.run)
        for name, period_s, act in (
            ("clock", 10.0, self.clock.refresh),
            ("presence", 0.1, lambda: live.tell_members(time.monotonic())),
            ("leases", 5.0, lambda: live.renew_leases(time.monotonic())),
            ("gaps", 5.0, self.look_for_gaps),
            ("beat", 10.0, live.beat),
        ):
            self.sio.start_background_task(go_round, name, period_s, act)

    def look_for_gaps(self) -> None:
        """Catch up with what the subscription missed; a deaf one is made anew."""
        if self.live.look_for_gaps(time.monotonic()):
            self.feed.subscribe_again()

    def close(self) -> None:
        """Send everybody away, to come back to another replica or to the next process."""
        self.live.say_bye(lambda: random.randint(0, BACK_WITHIN_MS))  # noqa: S311  # jitter
        self.outbox.close_all()


def build(settings: Settings) -> Deps:
    """Return what the service works with; nothing is connected yet."""
    url = settings.redis_url.get_secret_value()
    # A lost connection is worth another try, a silent Redis is not. When many come back at once they queue here.
    retry: Retry = Retry(ConstantBackoff(0.05), 2, supported_errors=(redis.ConnectionError,))
    pool = redis.BlockingConnectionPool.from_url(
        url, decode_responses=True, socket_timeout=REPLY_S, socket_connect_timeout=1.0, retry=retry,
        max_connections=32, timeout=5,
    )  # fmt: skip
    client = redis.Redis(connection_pool=pool)
    listener = redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=None, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )
    rooms = RedisRooms(client, remove_ms=round(settings.room_remove_time_min * 60_000))
    tokens = MemberTokens(settings.member_key.get_secret_value())
    return Deps(rooms=rooms, clock=RoomClock(rooms.time_ms), tokens=tokens, listener=listener)


def open_socket(app: Flask, settings: Settings, deps: Deps) -> Socket:
    """Put the socket in front of the app, and the host guard in front of both."""
    rule = house_rule(settings.allowed_hosts)
    quiet = logging.getLogger("kinodom_sync.engineio")
    quiet.setLevel(logging.CRITICAL)  # it logs a traceback for every malformed packet somebody sends
    options: dict[str, Any] = {
        "async_mode": "gevent",
        "async_handlers": False,  # one member's messages take effect in the order they were sent
        "transports": ["websocket"],
        "manage_session": False,
        "cors_allowed_origins": lambda origin, environ: rule.same_origin(origin, environ.get("HTTP_HOST", "")),
        "max_http_buffer_size": MESSAGE_LIMIT_BYTES,
        "ping_interval": PING_INTERVAL_S,
        "ping_timeout": PING_TIMEOUT_S,
        "json": SocketJson,
        "logger": quiet,
        "engineio_logger": quiet,
    }
    sio = SocketIO(app, **options)
    engine: Any = sio.server.eio  # type: ignore[attr-defined]  # the stubs lack it
    engine._async = {**engine._async, "websocket": BoundedWebSocket}
    app.wsgi_app = HostGuard(app.wsgi_app, rule)  # type: ignore[method-assign]  # Flask's own way
    hall, outbox = Hall(), SocketOutbox(sio, time.monotonic)
    live = Live(store=deps.rooms, outbox=outbox, hall=hall, room_ms=deps.clock.now_ms)
    figures = Figures(app.extensions["kinodom_metrics"])
    figures.watch(hall, outbox, deps.clock)
    Events(live=live, outbox=outbox, tokens=deps.tokens, figures=figures, room_ms=deps.clock.now_ms).bind(sio)
    feed = Feed(
        deps.listener,
        on_vec=live.heard,
        on_presence=lambda room_id: live.members_changed(room_id, time.monotonic()),
        on_download=lambda event: outbox.to_group(DOWNLOADS, "download", event),
        on_queue=live.queue_heard,
        on_subscribed=lambda: live.look_for_gaps(time.monotonic()),
    )
    return Socket(sio=sio, live=live, outbox=outbox, feed=feed, clock=deps.clock)
