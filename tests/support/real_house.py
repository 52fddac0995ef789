"""The whole real house under its own supervisor, in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.free_ports import free_port
from tests.support.house_of_stand_ins import House

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
SOURCES = (*sorted(REPOSITORY.glob("services/*/src")), REPOSITORY / "demo/src", REPOSITORY / "house/src")
STATIC = REPOSITORY / "services/gateway/src/kinodom_gateway/static/dist"


@contextmanager
def real_house(data: Path, *, port: int | None = None, **settings: str) -> Iterator[House]:
    """Run the house for the length of the block, open when the block begins; Ctrl-C ends it."""
    assert (STATIC / "manifest.json").is_file(), "build the front end first: sh house/run.sh dev"
    port = port or free_port()
    environ = {
        "PATH": os.environ["PATH"] + ":/usr/sbin",
        "PYTHONPATH": ":".join(str(folder) for folder in SOURCES),
        "KINODOM_DATA": str(data),
        "KINODOM_PORT": str(port),
        "KINODOM_BIND": "127.0.0.1",
        **settings,
    }
    command = [sys.executable, "-m", "kinodom_house", "run"]
    log = data.parent / f"{data.name}.log"
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, env=environ, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=output, text=True
        ) as process,
    ):
        house = House(process, port, data)
        try:
            house.wait_for_open()
            yield house
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
