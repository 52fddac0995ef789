"""A fragmented MP4 file with an index in front is as good as a playlist: its init section and segments are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import Box, BrokenBoxes, read_index
from kinodom_downloader.domain.plan import Segment

if TYPE_CHECKING:
    from collections.abc import Callable

_BEFORE_INDEX: Final = frozenset({b"ftyp", b"styp", b"moov", b"free", b"skip", b"uuid", b"meta", b"pdin"})
_MOST_BOXES: Final = 16
_LONGEST_INDEX_BYTES: Final = 1_300_000  # 100 000 entries and a little


def segments_by_index(url: str, read: Callable[[int, int], bytes], total: int) -> tuple[Segment, ...] | None:
    """Return init section and segments as ranges of the file; None: there is no index that can be used.

    Args:
        url: of the file.
        read: gives so many bytes at a position; called for headers and for the index.
        total: length of the file, bytes.
    """
    at, has_moov = 0, False
    for _ in range(_MOST_BOXES):
        if at + 16 > total:
            return None
        head = read(at, 16)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        if kind == b"sidx" and has_moov and 32 <= size <= min(_LONGEST_INDEX_BYTES, total - at):
            return _listed(url, read(at, size), at, total)
        if kind not in _BEFORE_INDEX or size < 8:
            return None
        has_moov = has_moov or kind == b"moov"
        at += size
    return None


def _listed(url: str, sidx: bytes, at: int, total: int) -> tuple[Segment, ...] | None:
    try:
        index = read_index(sidx, Box("sidx", 0, len(sidx), 8))
    except BrokenBoxes:
        return None
    last = index.references[-1]
    if at + last.start + last.size > total or any(not part.size for part in index.references):
        return None
    media = (
        Segment(url=url, offset=at + part.start, length=part.size, duration_s=part.duration / index.timescale)
        for part in index.references
    )
    return (Segment(url=url, offset=0, length=at, is_init=True), *media)
