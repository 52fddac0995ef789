"""A worker process of its own for a test: `python -m tests.support.queue_worker URL SWEPT_FILE`; ends when idle."""

from __future__ import annotations

import sys
from pathlib import Path

from kinodom_common.logs import set_up_logs
from kinodom_common.queueing import connect, make_worker


def write_down(path: str, *, request_id: str) -> None:
    """Leave a trace of this run."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{request_id}\n")


def main(url: str, swept: str) -> None:
    """Work off the queue `hints`, with a table of one job."""
    set_up_logs("sample-worker")

    def sweep() -> None:
        with Path(swept).open("a", encoding="utf-8") as file:
            file.write("swept\n")

    make_worker("hints", connect(url), {"write_down": write_down}, sweep=sweep).work(burst=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
