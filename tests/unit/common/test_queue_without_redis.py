"""A worker whose Redis goes away: the job comes to its end, and the same worker goes on when Redis is back."""

from __future__ import annotations

import os
import subprocess  # tests start real processes
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kinodom_common.queueing import MONITORING_S, connect, hint, make_queue
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield made
    made.stop()


@pytest.fixture
def worker(server: RedisServer, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "tests.support.queue_worker", server.url, str(tmp_path / "swept"), "stay"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    with (tmp_path / "worker.log").open("wb") as log, subprocess.Popen(words, env=environ, stderr=log) as process:
        yield process
        process.terminate()


def until(holds: Callable[[], bool], limit_s: float = 20.0) -> bool:
    until_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.02)
    return True


def ask(server: RedisServer, function: str, path: Path, job_id: str) -> bool:
    return hint(make_queue("hints", connect(server.url)), function, str(path), job_id=job_id, timeout_s=100)


def told_of_redis(log: Path, step: str) -> Callable[[], bool]:
    return lambda: f'"step": "{step}"' in log.read_text()


def test_a_job_outlives_its_redis_and_the_worker_takes_the_next_one(
    server: RedisServer, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    held, trace = tmp_path / "held", tmp_path / "trace"
    ask(server, "hold", held, "a-1")
    assert until(held.exists)

    server.stop()
    assert until(told_of_redis(tmp_path / "worker.log", "heartbeat"), limit_s=4 * MONITORING_S)
    (tmp_path / "held.go").touch()
    done_without_redis = until((tmp_path / "held.done").exists)
    assert until(told_of_redis(tmp_path / "worker.log", "state"))
    server.start()
    ask(server, "write_down", trace, "b-1")

    assert done_without_redis
    assert until(trace.exists)
    assert worker.poll() is None


def test_an_idle_worker_waits_for_its_redis(
    server: RedisServer, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    assert until((tmp_path / "swept").exists)

    server.stop()
    assert until(lambda: "could not connect to Redis" in (tmp_path / "worker.log").read_text())
    server.start()
    ask(server, "write_down", trace, "b-1")

    assert until(trace.exists)
    assert worker.poll() is None
