"""The list of a work folder, and the pieces that came and are not on it yet."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet
    from pathlib import Path


@dataclass(slots=True)
class Arrivals:
    """What is to be flushed next. Pieces of tracks that are gathered wait until they are."""

    waits_for: AbstractSet[int] = frozenset()  # tracks that are gathered
    clock: Callable[[], float] = time.monotonic
    _waiting: dict[tuple[int, int], tuple[int, float]] = field(default_factory=dict)  # length, and since when
    _fresh: list[tuple[int, int, int]] = field(default_factory=list)
    _since_s: float = 0.0  # when the first of the fresh ones came
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, track: int, index: int, length: int) -> None:
        """Remember a piece."""
        with self._lock:
            if track in self.waits_for:
                self._waiting[track, index] = (length, self.clock())
            else:
                self._add(track, index, length)

    def is_waiting(self, track: int, index: int) -> bool:
        """Tell whether a piece came that is not gathered yet."""
        return (track, index) in self._waiting

    def gathered(self, track: int, index: int) -> bool:
        """Let a piece be flushed next; false: it had not to wait any more."""
        with self._lock:
            return self._release(track, index)

    def release(self, *, after_s: float = -math.inf) -> None:
        """Let pieces be flushed that have waited for longer than this."""
        with self._lock:
            before_s = self.clock() - after_s
            for track, index in [key for key, (_length, since_s) in self._waiting.items() if since_s <= before_s]:
                self._release(track, index)

    def take(self, after_s: float, at_most: int | None) -> list[tuple[int, int, int]]:
        """Return what is to be flushed (track, index, length) once the first of it has been there for so long."""
        with self._lock:
            if self.clock() - self._since_s < after_s:
                return []
            taken, self._fresh = self._fresh[:at_most], self._fresh[at_most:] if at_most else []
            return taken

    def _release(self, track: int, index: int) -> bool:
        waiting = self._waiting.pop((track, index), None)
        if waiting is not None:
            self._add(track, index, waiting[0])
        return waiting is not None

    def _add(self, track: int, index: int, length: int) -> None:
        self._since_s = self._since_s if self._fresh else self.clock()
        self._fresh.append((track, index, length))


def listed_in(folder: Path) -> list[tuple[int, int, int]]:
    """Return the list (track, index, length); a line that was being written when the end came is left out."""
    try:
        text = (folder / "done.txt").read_text("ascii", "replace")
    except FileNotFoundError:
        return []
    rows = [line.split(" ") for line in text.split("\n")[:-1]]
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows if len(row) == 3 and all(map(str.isdigit, row))]
