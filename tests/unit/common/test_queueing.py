"""The queue with a real Redis and a real worker process: hints may be lost, foreign functions never run."""

from __future__ import annotations

import json
import os
import subprocess  # tests start real processes
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from kinodom_common.logs import bound_request_id
from kinodom_common.queueing import HouseQueue, QueueDown, connect, hint, make_queue, ping
from tests.support.free_ports import free_port
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield made
    made.stop()


@pytest.fixture
def connection(server: RedisServer) -> Iterator[redis.Redis]:
    made = connect(server.url)
    made.flushdb()
    yield made
    made.close()


@pytest.fixture
def queue(connection: redis.Redis) -> HouseQueue:
    return make_queue("hints", connection)


def work(url: str, swept: Path) -> list[dict[str, object]]:
    """Let a worker work until the queue is empty; return what it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.queue_worker", url, str(swept)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_hint_runs_its_job_with_the_request_id(queue: HouseQueue, server: RedisServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with bound_request_id("page-12345"):
        given = hint(queue, "write_down", str(trace), job_id="a-1", timeout_s=10)

    work(server.url, tmp_path / "swept")

    assert given
    assert trace.read_text() == "page-12345\n"


def test_a_message_naming_another_function_is_refused_and_the_worker_goes_on(
    queue: HouseQueue, server: RedisServer, tmp_path: Path
) -> None:
    stolen, trace = tmp_path / "stolen", tmp_path / "trace"
    hint(queue, "pathlib.Path.touch", str(stolen), job_id="evil-1", timeout_s=10)
    hint(queue, "tests.support.queue_worker.write_down", str(stolen), job_id="evil-2", timeout_s=10)
    hint(queue, "write_down", str(trace), job_id="good-1", timeout_s=10)

    lines = work(server.url, tmp_path / "swept")

    assert trace.exists()
    assert not stolen.exists()
    assert any("UnknownJob" in str(line) for line in lines)


def test_the_same_hint_is_given_once(queue: HouseQueue) -> None:
    first = hint(queue, "write_down", "x", job_id="a-1", timeout_s=10)
    second = hint(queue, "write_down", "x", job_id="a-1", timeout_s=10)
    later = hint(queue, "write_down", "x", job_id="a-2", timeout_s=10)

    assert (first, second, later) == (True, False, True)
    assert queue.job_ids == ["a-1", "a-2"]


def test_messages_are_json(queue: HouseQueue, connection: redis.Redis) -> None:
    hint(queue, "write_down", "x", job_id="a-1", timeout_s=10)

    stored = queue.fetch_job("a-1")

    assert stored is not None
    assert json.loads(stored.data)[0] == "write_down"


def test_an_idle_worker_sweeps(server: RedisServer, connection: redis.Redis, tmp_path: Path) -> None:
    work(server.url, tmp_path / "swept")

    assert (tmp_path / "swept").read_text().startswith("swept\n")


def test_redis_away_loses_the_hint_and_says_so() -> None:
    away = connect(f"redis://127.0.0.1:{free_port()}/0")

    assert hint(make_queue("hints", away), "write_down", "x", job_id="a-1", timeout_s=10) is False
    with pytest.raises(QueueDown, match="go on when it is back"):
        ping(away)


def test_redis_that_answers_passes(connection: redis.Redis) -> None:
    ping(connection)
