"""How far a download is: bytes, pieces, speed, time left."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.fetched import Headway

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan

_WINDOW_S: Final = 8.0
_USUAL_BIT_S: Final = {"muxed": 4_000_000, "video": 4_000_000, "audio": 128_000, "subtitles": 1_000}


class Tally:
    """Counts for one download. Workers count their own bytes, so nothing is locked while they read."""

    def __init__(
        self, plan: Plan, workers: int, *, anew: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._anew = anew
        self._cells = [0] * workers
        self._weights = [[_weight(track, segment) for segment in track.segments] for track in plan.tracks]
        self._whole = sum(map(sum, self._weights))
        self._done_weight = 0.0
        self._done_bytes = 0
        self._found_bytes = 0
        self._done = 0
        self._total = sum(len(track.segments) for track in plan.tracks)
        self._marks: deque[tuple[float, int]] = deque()

    def counter(self, worker: int) -> Callable[[int], None]:
        """Return what a worker calls for bytes that came in."""

        def count(received: int) -> None:
            self._cells[worker] += received

        return count

    def found(self, track: int, index: int, length: int) -> None:
        """Count a piece that lies on the disk from an earlier call."""
        self._found_bytes += length
        self.finished(track, index, length)

    def finished(self, track: int, index: int, length: int) -> None:
        """Count a finished piece; called by one thread at a time."""
        self._done += 1
        self._done_bytes += length
        self._done_weight += self._weights[track][index]

    def progress(self) -> Headway:
        """Return the numbers of this moment."""
        received = sum(self._cells)
        fraction = min(1.0, self._done_weight / self._whole) if self._whole else 0.0
        speed = self._speed(received)
        total = self._total_bytes(fraction)
        left = None if total is None else max(0, total - self._done_bytes)
        return Headway(
            fraction=1.0 if self._done == self._total else fraction,
            fetched_bytes=self._found_bytes + received,
            total_bytes=total,
            segments_done=self._done,
            segments_total=self._total,
            speed_bytes_s=speed,
            left_s=left / speed if speed and left is not None else None,
            duration_s=self._plan.duration_s,
            anew=self._anew,
            endless=self._plan.endless,
        )

    def _total_bytes(self, fraction: float) -> int | None:
        if any(track.shape == "file" for track in self._plan.tracks) and self._plan.total_bytes is not None:
            return self._plan.total_bytes
        return int(self._done_bytes / fraction) if fraction > 0.02 else self._plan.total_bytes

    def _speed(self, received: int) -> float | None:
        now_s = self._clock()
        self._marks.append((now_s, received))
        while len(self._marks) > 2 and now_s - self._marks[0][0] > _WINDOW_S:
            self._marks.popleft()
        first_s, first = self._marks[0]
        return (received - first) / (now_s - first_s) if now_s > first_s else None


def _weight(track: TrackPlan, segment: Segment) -> float:
    """Return about how many bytes a piece has; only the proportions matter."""
    if segment.length is not None:
        return float(segment.length)
    bit_s = track.bandwidth if track.role in ("muxed", "video") and track.bandwidth else _USUAL_BIT_S[track.role]
    return max(1.0, segment.duration_s * bit_s / 8)
