"""The index of a gathered track, in the room that was left for it. ISO/IEC 14496-12 (`sidx`); ADR 13."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from kinodom_downloader.domain.boxes import Box, Index, Reference
from kinodom_downloader.domain.gathering import SIDX_BYTES
from kinodom_downloader.domain.manifests import pieces
from kinodom_downloader.domain.track_heads import NotPlain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_downloader.domain.track_heads import Head


def index_of(head: Head, ends: Sequence[int], starts: Sequence[int], last: int) -> tuple[Index, bytes]:
    """Return the index of a track file, and its `sidx` box.

    Args:
        head: of the file.
        ends: where each piece ends, bytes; the first number is where the first one begins.
        starts: when each is shown first, in ticks.
        last: how long the last one is.

    Raises:
        NotPlain: they do not follow each other.
    """
    lengths = [after - before for before, after in pairwise([*starts, starts[-1] + last])]
    if min(lengths) < 0 or starts[0] < 0:
        raise NotPlain("pieces whose times do not follow each other")
    rows = zip(pairwise(ends), starts, lengths, strict=True)
    references = tuple(Reference(at, end - at, start, length) for (at, end), start, length in rows)
    if head.track.kind == "audio":
        references = _joined(Index(Box("sidx", 0, 0, 8), head.track.timescale, references))
    if max(one.size for one in references) >= 2**31 or max(one.duration for one in references) >= 2**32:
        raise NotPlain("pieces that are too long for an index")
    size = SIDX_BYTES + 12 * len(references)
    times = (head.track.timescale, starts[0], 0)
    box = Box("sidx", ends[0] - size, size, 8)
    front = struct.pack(">I4sIIIQQHH", size, b"sidx", 1 << 24, head.track.track_id, *times, 0, len(references))
    packed = b"".join(struct.pack(">III", one.size, one.duration, 0x90000000) for one in references)
    return Index(box, head.track.timescale, references), front + packed


def _joined(index: Index) -> tuple[Reference, ...]:
    """Return short pieces of a sound joined to some seconds: players then meet fewer borders."""
    return tuple(
        Reference(group[0].start, sum(one.size for one in group), group[0].at, sum(one.duration for one in group))
        for group in pieces(index)
    )
