"""Questions to a process: can you work? One short try each; the supervisor repeats them."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Protocol

TRY_S = 2.0


class Probe(Protocol):
    """Something that can be asked whether a process is ready."""

    def is_ready(self) -> bool:
        """Return True when the process can work now."""
        ...

    def complaint(self) -> str:
        """Return in words what the process says it misses; empty when it says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Ready when a path answers 200."""

    port: int
    path: str = "/readyz"
    host: str = "127.0.0.1"
    timeout_s: float = TRY_S

    def is_ready(self) -> bool:
        """Ask once."""
        return self._ask()[0] == http.HTTPStatus.OK

    def complaint(self) -> str:
        """Return what the answer names as missing, as our services write it."""
        try:
            missing = json.loads(self._ask()[1])["missing"]
            return " ".join(f"{part}: {why}" for part, why in missing.items())
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""

    def _ask(self) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        try:
            connection.request("GET", self.path)
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class RedisProbe:
    """Ready when Redis has read its files and answers a ping of the user that may say nothing else."""

    port: int

    def is_ready(self) -> bool:
        """Ask once."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=TRY_S) as connection:
                connection.sendall(b"AUTH health x\r\nPING\r\n")
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    answer += part
                return answer.endswith(b"+PONG\r\n")
        except OSError:
            return False

    def complaint(self) -> str:
        """Redis says why in its log alone."""
        return ""
