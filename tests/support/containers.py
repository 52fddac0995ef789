"""The composition under a name and a port of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROJECT = "kinodom-test"


class Containers:
    """The composition under a name and a port of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._environ = {"PATH": os.defpath, "HOME": "/root", "KINODOM_PORT": str(port)}

    def compose(self, *arguments: str, check: bool = True) -> str:
        command = ["docker", "compose", "-p", PROJECT, *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self._environ, capture_output=True, text=True, timeout=800, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def inside(self, service: str, script: str) -> str:
        return self.compose("exec", "-T", service, "bash", "-c", script, check=False)

    def secrets(self) -> str:
        return self.inside("gateway", "cd /run/kinodom && sha256sum *key redis_password_* users.acl")

    def get(self, path: str, host: str = "localhost") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()


def inspected(name: str) -> str:
    return subprocess.run(["docker", "inspect", name], capture_output=True, text=True, timeout=60, check=True).stdout
