"""What the processes say: kept in one file each, small; only what somebody should look at goes to the terminal."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_LIMIT_BYTES = 2 * 1024 * 1024  # the file before it is kept as name.log.1, so a process has 4 MB at most
LAST_LINES = 15
_LOUD = re.compile(r"\[(?:WARNING|ERROR|CRITICAL|warn|error|crit|alert|emerg)\]|^Traceback |\bWARNING\b|\bCRITICAL\b")
_LOUD_LEVELS = frozenset({"warning", "error", "critical"})


def is_loud(line: str) -> bool:
    """Return whether a line is a warning or worse, in our JSON or in the words of Nginx, Redis and gunicorn."""
    if line.startswith("{"):
        try:
            level = json.loads(line).get("level", "")
        except ValueError:
            return False
        return level in _LOUD_LEVELS
    return bool(_LOUD.search(line))


def in_short(line: str) -> str:
    """Return a line as a person wants to see it; of a JSON event its level, its name and the cause."""
    try:
        event = json.loads(line) if line.startswith("{") else None
    except ValueError:
        event = None
    if not isinstance(event, dict):
        return line
    cause = str(event.get("exception") or event.get("error") or "").strip().rpartition("\n")[2]
    words = f"{event.get('level', '')}: {event.get('event', '')}"
    return f"{words}: {cause}" if cause else words


class ProcessLog:
    """The log of one process: a rotated file, its last lines in memory, and the loud ones on the terminal."""

    def __init__(
        self, name: str, folder: Path, terminal: TextIO, *, verbose: bool = False, ignore: Sequence[str] = ()
    ) -> None:
        self._name = name
        self._path = folder / f"{name}.log"
        self._terminal = terminal
        self._verbose = verbose
        self._ignore = tuple(ignore)
        self._lock = threading.Lock()
        self._file = self._path.open("ab")
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)

    def write(self, raw: bytes) -> None:
        """Keep one line and pass it on when somebody should see it."""
        line = raw.decode("utf-8", "replace").rstrip()
        with self._lock:
            if self._file.closed:
                return
            self._file.write(raw if raw.endswith(b"\n") else raw + b"\n")
            self._file.flush()
            if self._file.tell() > FILE_LIMIT_BYTES:
                self._rotate()
            self.last_lines.append(line)
        if self._verbose or (is_loud(line) and not any(word in line for word in self._ignore)):
            self._terminal.write(f"{self._name:>18} | {line if self._verbose else in_short(line)}\n")
            self._terminal.flush()

    def close(self) -> None:
        """Close the file; lines that come later are dropped."""
        with self._lock:
            self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(".log.1"))
        self._file = self._path.open("ab")
