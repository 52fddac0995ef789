"""A whole house whose services are stand-ins: real supervisor, Redis and Nginx, tiny WSGI apps for the rest."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
WEB = ("catalogue", "resolver", "downloader", "sync", "gateway", "demo")

_WSGI = """
import json, os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"service": __name__, "environ": dict(os.environ)}).encode()]
"""
_WORKER = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\nwhile True: time.sleep(60)\n"


@dataclass
class House:
    """A running house and how to ask it."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    def wait_for_open(self) -> str:
        """Return the line that says where the house is open."""
        assert self.process.stderr is not None
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if line.startswith("Kinodom is open"):
                return line
        raise AssertionError("the house did not open:\n" + "".join(lines))

    def get(self, path: str, *, port: int | None = None) -> tuple[int, dict[str, object]]:
        """Return status and JSON of a path; through Nginx unless a port is given."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def noted(self) -> dict[str, dict[str, int]]:
        """Return what the house left for tools."""
        found: dict[str, dict[str, int]] = json.loads((self.folder / "run/ports.json").read_text())
        return found


def write_stand_ins(folder: Path) -> Path:
    """Write packages with the names of ours, each an app that tells its environment; return their folder."""
    for name in WEB:
        package = folder / f"kinodom_{name}"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "wsgi.py").write_text(_WSGI)
        (package / "worker.py").write_text(_WORKER)
        (package / "gconf.py").write_text("")
    return folder


def house_command(folder: Path, stand_ins: Path, port: int, **settings: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs a house over stand-ins, and its environment."""
    environ = {
        "PATH": f"{os.defpath}:/usr/sbin",
        "PYTHONPATH": f"{stand_ins}:{REPOSITORY / 'house/src'}",
        "KINODOM_DATA": str(folder),
        "KINODOM_PORT": str(port),
        "KINODOM_BIND": "127.0.0.1",
        "HTTP_PROXY": "http://not-for-the-children:1",
        **settings,
    }
    return [sys.executable, "-m", "kinodom_house", "run"], environ


@contextmanager
def house_of_stand_ins(folder: Path, **settings: str) -> Iterator[House]:
    """Run the house for the length of the block; the caller waits until it is open."""
    stand_ins = write_stand_ins(folder / "stand_ins")
    port = free_port()
    command, environ = house_command(folder / "data", stand_ins, port, **settings)
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield House(process, port, folder / "data")
        finally:
            process.terminate()
            process.communicate(timeout=30)
