"""A server that speaks MongoDB's protocol, as a process, for tests without Docker.

`KINODOM_TEST_MONGOD` names a command that takes a data folder and a port (a script around the real `mongod` will do).
Without it the stand-in in the folder `shared` beside the repository is used (`KINODOM_SHARED` moves that folder).
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymongo
import pytest
from pymongo.errors import PyMongoError

REPO = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0  # the stand-in's first start fetches its libraries


def mongod_command() -> list[str]:
    """Return the command that starts a server, or skip the test; under CI it fails instead."""
    named = os.environ.get("KINODOM_TEST_MONGOD")
    if named:
        return shlex.split(named)
    script = Path(os.environ.get("KINODOM_SHARED", str(REPO.parent / "shared"))) / "docker" / "run-mongod"
    if script.exists():
        return [str(script)]
    reason = "no MongoDB to test with: set KINODOM_TEST_MONGOD to a command that takes a data folder and a port"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_ping(url: str, timeout_s: float) -> None:
    """Return when the server answers; raise TimeoutError when it does not in time."""
    deadline_s = time.monotonic() + timeout_s
    client: pymongo.MongoClient[dict[str, object]]
    with pymongo.MongoClient(url, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
        while True:
            try:
                client.admin.command("ping")
                return
            except PyMongoError as exc:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(url) from exc


@contextmanager
def running_mongod(folder: Path) -> Iterator[str]:
    """Yield the address of a fresh server, `mongodb://127.0.0.1:PORT`."""
    port = free_port()
    log_path = folder / "mongod.log"
    with log_path.open("wb") as log:
        command = [*mongod_command(), str(folder / "mongod"), str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"mongodb://127.0.0.1:{port}"
        try:
            wait_for_ping(url, START_TIMEOUT_S)
        except TimeoutError:
            pytest.fail(f"{command} did not answer in {START_TIMEOUT_S} s: {log_path.read_text()[-2000:]}")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
