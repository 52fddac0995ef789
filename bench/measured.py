"""How long a program takes, how much of the processors, and how much memory at most (PSS, of it and its children)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run took."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    status: int = 0


def run(words: Sequence[str], *, cwd: Path) -> Cost:
    """Run a program to its end."""
    began_s = time.monotonic()
    process = subprocess.Popen(words, cwd=cwd, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch = _Memory(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(
        wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=watch.peak_mb(), status=process.returncode
    )


def run_ready(words: Sequence[str], *, cwd: Path) -> tuple[Cost, float]:
    """Run a program that says `ready`, waits for a line and ends with the seconds of processor time it took.

    Returns:
        The cost from the line on, and the seconds until it was ready.
    """
    began_s = time.monotonic()
    process = subprocess.Popen(words, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdout.readline()
        start_s = time.monotonic() - began_s
        watch = _Memory(process.pid)
        began_s = time.monotonic()
        process.stdin.write("go\n")
        process.stdin.flush()
        told = process.stdout.readline()
        wall_s = time.monotonic() - began_s
        peak_mb = watch.peak_mb()
        status = process.wait()
    return Cost(wall_s=wall_s, cpu_s=float(told or "nan"), peak_mb=peak_mb, status=status), start_s


def idle_mb(module: str) -> float:
    """Return the memory (PSS) of a process that has imported a module and does nothing."""
    words = [sys.executable, "-c", f"import {module}; print(); input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = _pss_kb(process.pid) / 1000
        process.communicate("\n")
    return found


class _Memory:
    """Looks at the memory of a process tree from a thread until it is asked for the peak."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_kb = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def peak_mb(self) -> float:
        """Stop, and return the most that was seen."""
        self._ended.set()
        self._thread.join()
        return self._peak_kb / 1000

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self._peak_kb = max(self._peak_kb, sum(_pss_kb(pid) for pid in _tree(self._pid)))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _pss_kb(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0
