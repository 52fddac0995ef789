"""What other processes publish in Redis: the news of rooms and of downloads, over a subscription of our own.

Publications are at most once: after every (re)subscription `subscribed` is called, to look for what was missed.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import redis
from pydantic import ValidationError

from kinodom_common.contracts.rooms import Vec
from kinodom_common.contracts.wishes import DOWNLOADS_CHANNEL, QUEUE_CHANNEL, QueueStatus, WishEvent
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_sync.adapters.redis_rooms import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_log(__name__)

ROOM_PATTERN = key_of("*")
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 1.0
LISTEN_S = 1.0  # how long one wait for a message lasts: so soon a wish to subscribe again is seen


class Feed:
    """The subscription loop.

    Args:
        client: with no time limit on replies; used by nobody else.
        on_vec: takes a room id and its new vector.
        on_presence: takes a room id.
        on_download: takes an event.
        on_queue: takes how the queue of the downloads stands.
        on_subscribed: called after every subscription; a KinodomError makes it try again.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        on_vec: Callable[[str, Vec], None],
        on_presence: Callable[[str], None],
        on_download: Callable[[WishEvent], None],
        on_queue: Callable[[QueueStatus], None],
        on_subscribed: Callable[[], object],
    ) -> None:
        self._client = client
        self._on_vec = on_vec
        self._on_presence = on_presence
        self._on_download = on_download
        self._on_queue = on_queue
        self._on_subscribed = on_subscribed
        self._deaf = False

    def subscribe_again(self) -> None:
        """Make the loop drop its subscription for a new one within a second."""
        self._deaf = True

    def run(self) -> None:
        """Listen for ever."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                with closing(self._pubsub()) as subscription:
                    subscription.psubscribe(ROOM_PATTERN)
                    subscription.subscribe(DOWNLOADS_CHANNEL, QUEUE_CHANNEL)
                    self._on_subscribed()
                    log.info("feed_subscribed")
                    retry_s = FIRST_RETRY_S
                    self._listen(subscription)
            except (redis.RedisError, OSError, KinodomError) as exc:
                log.warning("feed_lost", error=str(exc), retry_s=retry_s)
                time.sleep(retry_s)  # gevent's, in the worker
                retry_s = min(LAST_RETRY_S, retry_s * 2)

    def _pubsub(self) -> Any:
        return self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis has no type here

    def _listen(self, subscription: Any) -> None:
        self._deaf = False
        while not self._deaf:
            message = subscription.get_message(timeout=LISTEN_S)
            if message is None:
                continue
            try:
                self._pass_on(message["channel"], message["data"])
            except (ValidationError, ValueError, KeyError) as exc:
                log.warning("feed_message_odd", channel=message["channel"], error=str(exc)[:200])
            except Exception:  # the stream loop: one bad message must not end it
                log.error("feed_message_failed", channel=message["channel"], exc_info=True)

    def _pass_on(self, channel: str, text: str) -> None:
        if channel == DOWNLOADS_CHANNEL:
            self._on_download(WishEvent.model_validate_json(text))
            return
        if channel == QUEUE_CHANNEL:
            self._on_queue(QueueStatus.model_validate_json(text))
            return
        room_id = channel.removeprefix(key_of(""))
        news = json.loads(text)
        if news["t"] == "vec":
            self._on_vec(room_id, Vec.model_validate(news["vec"]))
        elif news["t"] == "presence":
            self._on_presence(room_id)
