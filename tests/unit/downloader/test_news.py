"""News of downloads through a real Redis: what is said, how often, and that nobody waits for it."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from kinodom_common.contracts.wishes import DOWNLOADS_CHANNEL, QUEUE_CHANNEL, Progress, QueueStatus, WishEvent
from kinodom_common.queueing import connect
from kinodom_common.store import StoreUnavailable
from kinodom_downloader.adapters.news import REST_S, RedisAnnouncer
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS = QueueStatus(wanted=2, running=1, parallel=2)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


class Radio:
    """A listener to both channels, and an announcer with a clock of its own."""

    def __init__(self, server: RedisServer) -> None:
        self.now_s = 100.0
        self.status: QueueStatus | None = STATUS
        self.announcer = RedisAnnouncer(connect(server.url, reply_s=0.3), self._told, lambda: self.now_s)
        self._client = server.client()
        self._heard = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # untyped there
        self._heard.subscribe(DOWNLOADS_CHANNEL, QUEUE_CHANNEL)
        assert self._heard.get_message(timeout=5) is None  # both subscriptions stand
        assert self._heard.get_message(timeout=5) is None

    def _told(self) -> QueueStatus:
        if self.status is None:
            raise StoreUnavailable("The store does not answer.")
        return self.status

    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was published since the last time."""
        self._client.publish(QUEUE_CHANNEL, '"end"')
        found = []
        while True:
            message = self._heard.get_message(timeout=5)
            assert message is not None
            body = json.loads(message["data"])
            if body == "end":
                return found
            found.append((message["channel"], body))

    def progress(self, fraction: float, stage: str = "fetching", wish_id: str = "w1") -> None:
        """Announce progress."""
        told = Progress.model_validate({"stage": stage, "fraction": fraction})
        self.announcer.announce(WishEvent(type="task_progress", wish_id=wish_id, state="running", progress=told))


@pytest.fixture
def radio(redis_server: RedisServer) -> Radio:
    return Radio(redis_server)


def fractions(radio: Radio) -> list[float]:
    return [body["progress"]["fraction"] for channel, body in radio.heard() if channel == DOWNLOADS_CHANNEL]


def test_progress_of_one_wish_is_told_at_most_four_times_a_second(radio: Radio) -> None:
    for number in range(200):
        radio.progress(number / 200)
        radio.now_s += 0.01

    assert len(fractions(radio)) == 8


def test_each_wish_and_each_new_stage_is_told_at_once(radio: Radio) -> None:
    radio.progress(0.1)
    radio.progress(0.2, wish_id="w2")
    radio.progress(0.3, stage="packaging")
    radio.progress(0.4, stage="packaging")

    assert fractions(radio) == [0.1, 0.2, 0.3]


def test_everything_but_progress_is_told_at_once_with_how_the_queue_stands(radio: Radio) -> None:
    for kind in ("task_started", "task_completed", "task_failed", "queue_status"):
        radio.announcer.announce(WishEvent.model_validate({"type": kind, "wish_id": "w1", "state": "running"}))

    heard = radio.heard()

    assert [channel for channel, _ in heard] == [DOWNLOADS_CHANNEL, QUEUE_CHANNEL] * 4
    assert QueueStatus.model_validate(heard[1][1]) == STATUS


def test_a_store_that_is_away_costs_the_counts_alone(radio: Radio) -> None:
    radio.status = None

    radio.announcer.announce(WishEvent(type="task_started", wish_id="w1", state="running"))

    assert [body["type"] for _, body in radio.heard()] == ["task_started"]


def test_a_redis_that_hangs_holds_nobody_up_and_is_spoken_to_again_later(
    radio: Radio, redis_server: RedisServer
) -> None:
    redis_server.send(signal.SIGSTOP)
    began_s = time.monotonic()

    for number in range(1000):
        radio.progress(number / 1000)
        radio.now_s += REST_S / 2000

    took_s = time.monotonic() - began_s
    redis_server.send(signal.SIGCONT)
    radio.now_s += REST_S
    radio.progress(1.0)
    assert took_s < 5
    assert fractions(radio)[-1] == 1.0
