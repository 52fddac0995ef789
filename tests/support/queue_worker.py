"""A worker process of its own for a test: `python -m tests.support.queue_worker URL SWEPT_FILE`.

It ends when it is idle; with a third word, when it is told to.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kinodom_common.logs import set_up_logs
from kinodom_common.queueing import connect, make_worker


def write_down(path: str, *, request_id: str) -> None:
    """Leave a trace of this run."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{request_id}\n")


def hold(path: str, *, request_id: str) -> None:  # as every job
    """Say that the job has begun, and end when the file `<path>.go` is there."""
    Path(path).touch()
    until_s = time.monotonic() + 60
    while not Path(f"{path}.go").exists() and time.monotonic() < until_s:
        time.sleep(0.02)
    Path(f"{path}.done").touch()


def main(url: str, swept: str, *stays: str) -> None:
    """Work off the queue `hints`."""
    set_up_logs("sample-worker")

    def sweep() -> None:
        with Path(swept).open("a", encoding="utf-8") as file:
            file.write("swept\n")

    table = {"write_down": write_down, "hold": hold}
    make_worker("hints", connect(url), table, sweep=sweep).work(burst=not stays)


if __name__ == "__main__":
    main(*sys.argv[1:])
