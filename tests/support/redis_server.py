"""A real redis-server of its own for a test: free port, password, append-only file, all in a temporary folder."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess  # tests start real processes
import time
from typing import TYPE_CHECKING

import redis

if TYPE_CHECKING:
    from pathlib import Path


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A redis-server that can be killed and started again on the same files and port."""

    def __init__(self, folder: Path, *, config: str = "") -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "redis.conf").write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {folder}\nsave ""\n'
            f"appendonly yes\nappendfsync everysec\nlogfile {folder / 'redis.log'}\n{config}\n"
        )

    @property
    def url(self) -> str:
        """The address with the password, database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def client(self, **options: object) -> redis.Redis:
        """Return a client that decodes replies; close it."""
        return redis.Redis.from_url(self.url, decode_responses=True, **options)

    def start(self) -> RedisServer:
        """Start it and wait until it answers."""
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed"
        self._process = subprocess.Popen([program, str(self.folder / "redis.conf")], stdout=subprocess.DEVNULL)
        until_s = time.monotonic() + 10
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError:  # not listening yet, or still loading its file
                    assert time.monotonic() < until_s, (self.folder / "redis.log").read_text()
                    time.sleep(0.02)
                else:
                    return self

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP and SIGCONT."""
        assert self._process is not None
        self._process.send_signal(number)

    def wipe(self) -> None:
        """Lose all that it has kept; while it is down."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default without a chance to tidy up."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(timeout=10)
            self._process = None
