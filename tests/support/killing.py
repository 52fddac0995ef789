"""The engine in a process of its own, killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.origin import Answer, Origin


def fetch_and_kill(host: Origin, entry: str, folder: Path, *, requests: int, later_s: float = 0.0) -> None:
    """Fetch from the origin, and kill the process so long after so many more requests came, or when it has ended."""
    reached = threading.Event()
    until = sum(host.asked.values()) + requests

    def counted(_answer: Answer, _number: int) -> bool:
        if sum(host.asked.values()) >= until:
            reached.set()
        return False

    host.faults["*"] = counted
    words = [sys.executable, "-m", "tests.support.fetch_child", host.address, entry, str(folder)]
    child = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    ended = threading.Thread(target=lambda: (child.wait(), reached.set()))
    ended.start()
    try:
        reached.wait(60)
        threading.Event().wait(later_s)
    finally:
        child.kill()
        ended.join()
        host.faults.clear()
