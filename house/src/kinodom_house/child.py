"""One process of the house: what it is, and how it is started, watched and stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess  # noqa: TID251 - the supervisor owns its processes for their whole life; the runner is for short ones
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kinodom_house.log_files import ProcessLog
    from kinodom_house.probes import Probe

GRACE_S = 4.0
LINE_LIMIT_BYTES = 64 * 1024
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process as the plan names it."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)  # all of it: nothing of the supervisor's own goes along
    probe: Probe | None = None  # None: ready when it runs
    grace_s: float = GRACE_S  # between the polite signal and the last one
    ignore: tuple[str, ...] = ()  # words of warnings that need nobody's attention


class Child:
    """A started process and the thread that reads what it says."""

    def __init__(self, process: Process, log: ProcessLog, folder: Path) -> None:
        self.process = process
        self._log = log
        parent = os.getpid()
        # Its own session, so that Ctrl-C in the terminal reaches the supervisor alone, and so that the whole group
        # can be ended. Started from the main thread: the death signal belongs to the thread that forks.
        self._popen = subprocess.Popen(
            process.command,
            env=dict(process.environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _end_with(parent),  # two system calls; no lock is taken
        )
        self._reader = threading.Thread(target=self._pump, name=f"log {process.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The leader's process id, which is its group's id too."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs.

        The leader is not reaped here: as long as it is not, its number cannot belong to somebody else's group.
        """
        if self._popen.returncode is not None:
            return self._popen.returncode
        seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if seen is None:
            return None
        return seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status

    def ask_to_stop(self) -> None:
        """Send the polite signal to the leader, who tells its own."""
        if self._popen.returncode is None:
            os.kill(self.pid, signal.SIGTERM)

    def sweep(self) -> None:
        """End whatever is left of the group, then reap the leader."""
        if self._popen.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(timeout=1.0)

    def _pump(self) -> None:
        pipe = self._popen.stdout
        if pipe is None:
            return
        with pipe:
            for line in iter(lambda: pipe.readline(LINE_LIMIT_BYTES), b""):
                self._log.write(line)


def _end_with(parent: int) -> None:
    """Have the kernel end this process when the supervisor dies, also by `kill -9`."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # the supervisor died between the fork and the call above
        os._exit(1)
