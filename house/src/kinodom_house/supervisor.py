"""Starts groups of processes in order, keeps them alive, and stops them in reverse order.

It runs in the main thread and looks around ten times a second; nothing here blocks for longer than a probe.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, TextIO

from kinodom_house.child import Child, Process
from kinodom_house.log_files import ProcessLog
from kinodom_house.refusals import HouseRefusedError
from kinodom_house.restarts import DEATHS_TO_GIVE_UP, restart_delay_s

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import FrameType

START_LIMIT_S = 120.0  # for all groups together; a cold start on two busy cores took 9 s
LOOK_S = 0.1
PROBE_EVERY_S = 0.15


class HouseBrokeError(HouseRefusedError):
    """A process could not be started or kept alive; everything was stopped."""


class _StopAskedError(Exception):
    """Somebody asked the house to stop."""


class _Watched:
    """One process of the plan, with its present child and its history."""

    def __init__(self, process: Process, log: ProcessLog) -> None:
        self.process = process
        self.log = log
        self.child: Child | None = None
        self.deaths_s: list[float] = []
        self.start_again_s: float | None = None
        self.last_exit_code = 0


class Supervisor:
    """Runs a plan until it is told to stop.

    Args:
        groups: processes that may start together; a group starts when all of the group before are ready.
        folder: working folder of all processes.
        logs: folder of their log files.
        terminal: where warnings and what the supervisor does are told.
        verbose: pass on every line.
        start_limit_s: time in which all groups must be ready.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[Process]],
        *,
        folder: Path,
        logs: Path,
        terminal: TextIO = sys.stderr,
        verbose: bool = False,
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._groups = [
            [_Watched(p, ProcessLog(p.name, logs, terminal, verbose=verbose, ignore=p.ignore)) for p in group]
            for group in groups
        ]
        self._folder = folder
        self._logs = logs
        self._terminal = terminal
        self._start_limit_s = start_limit_s
        self._signals = 0
        self._signal = ""

    def run(self, opened: Callable[[], None]) -> None:
        """Start everything, call `opened` once all are ready, and return when a signal asked for the end.

        Raises:
            HouseBrokeError: a process died too often or was not ready in time; all others are stopped by then.
        """
        before = {
            number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            self._start()
            opened()
            while True:
                self._look()
        except _StopAskedError:
            self._say(f"stopping ({self._signal})")
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def pids(self) -> dict[str, int]:
        """Return the process id of each leader that was started last."""
        return {w.process.name: w.child.pid for group in self._groups for w in group if w.child is not None}

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._signal = signal.Signals(number).name

    def _start(self) -> None:
        until_s = time.monotonic() + self._start_limit_s
        for group in self._groups:
            for watched in group:
                self._spawn(watched)
            waiting = list(group)
            while waiting:
                self._look(PROBE_EVERY_S)
                waiting = [watched for watched in waiting if not self._is_ready(watched)]
                if waiting and time.monotonic() > until_s:
                    names = ", ".join(watched.process.name for watched in waiting)
                    probe = waiting[0].process.probe
                    why = f"{complaint} " if probe and (complaint := probe.complaint()) else ""
                    words = self._last_words(waiting[0])
                    raise HouseBrokeError(f"Not ready after {self._start_limit_s:g} s: {names}. {why}{words}")

    def _spawn(self, watched: _Watched) -> None:
        try:
            watched.child = Child(watched.process, watched.log, self._folder)
        except OSError as exc:
            raise HouseBrokeError(
                f"{watched.process.name} could not be started: {watched.process.command[0]}: {exc.strerror}."
            ) from exc
        watched.start_again_s = None

    def _is_ready(self, watched: _Watched) -> bool:
        if watched.child is None or watched.child.exit_code() is not None:
            return False
        return watched.process.probe is None or watched.process.probe.is_ready()

    def _look(self, pause_s: float = LOOK_S) -> None:
        """Wait a moment, then notice signals and deaths and start again what is due."""
        time.sleep(pause_s)
        if self._signals:
            raise _StopAskedError
        for group in self._groups:
            for watched in group:
                self._tend(watched)

    def _tend(self, watched: _Watched) -> None:
        now_s = time.monotonic()
        if watched.start_again_s is not None:
            if now_s >= watched.start_again_s:
                self._spawn(watched)
            return
        exit_code = watched.child.exit_code() if watched.child else None
        if watched.child is None or exit_code is None:
            return
        watched.child.sweep()
        watched.last_exit_code = exit_code
        watched.deaths_s.append(now_s)
        delay_s = restart_delay_s(watched.deaths_s, now_s)
        if delay_s is None:
            raise HouseBrokeError(
                f"{watched.process.name} ended {DEATHS_TO_GIVE_UP} times within a minute ({_ending(exit_code)}), "
                f"so the house was closed. {self._last_words(watched)}"
            )
        self._say(f"{watched.process.name} ended ({_ending(exit_code)}); it is started again in {delay_s:g} s")
        watched.start_again_s = now_s + delay_s

    def _stop(self) -> None:
        """Stop the groups in reverse order; a second signal takes the patience away."""
        asked_before = self._signals
        for group in reversed(self._groups):
            children = [(w.child, w.process.grace_s) for w in group if w.child is not None]
            for child, _ in children:
                child.ask_to_stop()
            began_s = time.monotonic()
            while self._signals <= max(asked_before, 1) and any(
                child.exit_code() is None and time.monotonic() - began_s < grace_s for child, grace_s in children
            ):
                time.sleep(0.02)
            for child, _ in children:
                child.sweep()
        for group in self._groups:
            for watched in group:
                watched.log.close()

    def _last_words(self, watched: _Watched) -> str:
        lines = "".join(f"\n  {line}" for line in watched.log.last_lines)
        return f"Its log is {self._logs / watched.process.name}.log" + (f", and ends:{lines}" if lines else ".")

    def _say(self, text: str) -> None:
        self._terminal.write(f"kinodom: {text}\n")
        self._terminal.flush()


def _ending(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
