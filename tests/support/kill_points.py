"""Work killed at each of its system calls: strace says which it makes, and kills it as it makes the n-th of a name.

Needs strace (Debian package `strace`) and the right to trace one's own children.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_CALL = re.compile(r"^(?:([0-9]+) +)?([a-z_][a-z0-9_]*)\(")
_NEVER = ("exit_group", "restart_syscall", "rt_sigreturn")  # the end itself, and what the tracer causes


@dataclass(slots=True)
class Kills:
    """What came of work that was killed again and again."""

    calls: Counter[str]  # that it makes when nobody kills it
    points: int = 0  # kills
    faults: list[str] = field(default_factory=list)

    def places(self, every: int) -> list[tuple[str, int]]:
        """Return each so-manieth place to kill at: the call and its number."""
        return [(name, number) for name in sorted(self.calls) for number in range(1, self.calls[name] + 1)][::every]

    def told(self) -> str:
        """Return the outcome as a line."""
        calls = f"{sum(self.calls.values())} calls of {len(self.calls)} kinds"
        return f"killed {self.points} times at {calls}: {len(self.faults)} faults; goal 0"


def calls_of(work: Callable[[], object], log: Path, *, threads: bool = False) -> Counter[str]:
    """Return how often each system call is made by work that runs to its end in a child.

    Args:
        work: what is done.
        log: a file that may be written.
        threads: those of its threads and children count too; then it is the most of any one of them.
    """
    assert not _traced(work, "-o", str(log), *(("-f",) if threads else ()))
    matches = (_CALL.match(line) for line in log.read_text(errors="replace").splitlines())
    each = Counter((match[1], match[2]) for match in matches if match and match[2] not in _NEVER)
    most: Counter[str] = Counter()
    for (_thread, name), count in each.items():
        most[name] = max(most[name], count)
    return most


def killed_at(work: Callable[[], object], name: str, number: int, *, threads: bool = False) -> bool:
    """Run work in a child that dies as it makes its n-th call of this name; return whether it came that far.

    With `threads` it is the n-th of any of its threads or children: each counts for itself.
    """
    inject = f"inject={name}:signal=KILL:when={number}"
    return _traced(work, "-o", "/dev/null", "-e", f"trace={name}", "-e", inject, *(("-f",) if threads else ()))


def _traced(work: Callable[[], object], *words: str) -> bool:
    """Return whether the child was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        finally:
            os._exit(code)
    os.waitpid(child, os.WUNTRACED)
    with subprocess.Popen(["strace", "-qq", "-p", str(child), *words], stderr=subprocess.PIPE, text=True) as tracer:
        while "TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_text():
            if tracer.poll() is not None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise OSError(f"strace could not attach: {tracer.communicate()[1]}")
        os.kill(child, signal.SIGCONT)
        _pid, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise ChildProcessError("the child failed by itself")
    return os.WIFSIGNALED(status)
