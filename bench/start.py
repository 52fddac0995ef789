"""How long the house takes to open, and what it holds at rest: `make bench-start`.

The Python environment and the front end are there already (a first start prepares them); the data folder is new for
the first figure and found again for the others. Memory is the proportional set size of all processes of the house.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.support.real_house import real_house

STARTS = 3
REST_S = 10
MIB = 1024


def processes_below(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, open_ends = [], [pid]
    while open_ends:
        one = open_ends.pop()
        found.append(one)
        open_ends += children.get(one, [])
    return found


def memory_mib(pid: int) -> float:
    """Return the memory of a process and its descendants; shared pages are shared out."""
    total = 0
    for one in processes_below(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / MIB


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as name:
        data = Path(name) / "data"
        seconds, memory = [], 0.0
        for number in range(1 + STARTS):
            began_s = time.monotonic()
            with real_house(data) as house:
                seconds.append(time.monotonic() - began_s)
                if number == STARTS:
                    time.sleep(REST_S)
                    memory = memory_mib(house.process.pid)
    print(f"first start, new data folder: {seconds[0]:.1f} s to healthy")
    print(f"next starts (median of {STARTS}):  {statistics.median(seconds[1:]):.1f} s to healthy")
    print(f"memory at rest, all processes: {memory:.0f} MiB (PSS)")


if __name__ == "__main__":
    main()
