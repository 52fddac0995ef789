"""Workers of the downloader as processes of their own: `python -m tests.support.worker_nest COUNT`.

The nest imports everything once and forks; whoever dies is replaced at once, as a supervisor does. It ends on SIGTERM,
and its workers die with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from kinodom_downloader import worker


def _hatch(nest: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.getppid() == nest:
        worker.main()
    os._exit(0)


def main(count: int) -> None:
    """Keep so many workers alive."""
    nest = os.getpid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for _ in range(count):
        _hatch(nest)
    while True:
        os.wait()
        _hatch(nest)


if __name__ == "__main__":
    main(int(sys.argv[1]))
