"""One piece over several connections at once: what a viewer waits for, from hosts that give each connection little."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.bodies import MemoryBody, Piece, Taken
from kinodom_downloader.domain.faults import Stopped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_downloader.adapters.segments import Line

log = get_log(__name__)

LANES: Final = 3  # beside the one of the worker
LEAST_BYTES: Final = 524_288  # less is quick enough in one go


@dataclass(slots=True)
class Lanes:
    """Spare connections of a download, for one piece at a time."""

    lines: Sequence[Line]
    _busy: threading.Lock = field(default_factory=threading.Lock)
    _useless: bool = False  # the host does not answer ranges

    def take(self, own: Line, piece: Piece, taken: Taken, *, guess_bytes: int) -> bool:
        """Fetch a whole piece into `taken` over all lanes; false when it has to be fetched in one go.

        Args:
            own: the line of the worker, which takes the first part.
            piece: what is wanted.
            taken: empty.
            guess_bytes: how long it probably is, when its length is not known.

        Raises:
            Stopped: nobody wants it any more.
        """
        whole = piece.length or guess_bytes
        if self._useless or whole < LEAST_BYTES or not self._busy.acquire(blocking=False):
            return False
        try:
            parts = _parts(piece, whole, 1 + len(self.lines))
            took = [Taken(body=MemoryBody()) for _ in parts]
            threads = [
                threading.Thread(target=_quietly, args=(line, part, mine))
                for line, part, mine in zip(self.lines, parts[1:], took[1:], strict=True)
            ]
            for line in self.lines:
                line.urgency = own.urgency
            for thread in threads:
                thread.start()
            stopped = _quietly(own, parts[0], took[0])
            for thread in threads:
                thread.join()
            if stopped is not None:
                raise stopped
            self._useless = not took[0].ranges
            return _joined(piece, parts, took, taken)
        finally:
            self._busy.release()

    def close(self) -> None:
        """Close all connections."""
        for line in self.lines:
            line.close()


def _parts(piece: Piece, whole: int, count: int) -> list[Piece]:
    """Return the ranges; the last one goes to the end, however far that is."""
    start, step = piece.start or 0, -(-whole // count)
    parts = [Piece(url=piece.url, start=start + number * step, length=step) for number in range(count - 1)]
    at = start + (count - 1) * step
    return [*parts, Piece(url=piece.url, start=at, length=start + piece.length - at if piece.length else None)]


def _quietly(line: Line, part: Piece, taken: Taken) -> Stopped | None:
    """Fetch a part. What goes wrong shows in what came; only a stop is told."""
    try:
        # `at_most` beside a length: an answer that ends earlier is no error here, the piece may be shorter.
        line.take(part, taken, at_most=part.length)
    except Stopped as exc:
        return exc
    except KinodomError as exc:
        log.debug("lane_failed", code=exc.code)
    return None


def _joined(piece: Piece, parts: Sequence[Piece], took: Sequence[Taken], taken: Taken) -> bool:
    """Put the parts together; false unless they are one piece without a gap."""
    first = took[0]
    if not first.ranges or first.total is None or first.encoding not in ("", "identity"):
        return False
    end = min(first.total, (piece.start or 0) + piece.length) if piece.length else first.total
    for part, one in zip(parts, took, strict=True):
        assert isinstance(one.body, MemoryBody)
        begin = part.start or 0
        wanted = max(0, end - begin) if part.length is None else max(0, min(part.length, end - begin))
        if len(one.body) != wanted or (wanted and (one.total, one.body.version) != (first.total, first.body.version)):
            return False
    for one in took:
        assert isinstance(one.body, MemoryBody)
        taken.body.add(memoryview(one.body.held))
    taken.body.version = first.body.version
    taken.encoding, taken.declared, taken.ranges = first.encoding, True, True
    taken.total, taken.url = first.total, first.url
    return True
