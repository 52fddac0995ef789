"""The index of a gathered track, in the room that was left for it. ISO/IEC 14496-12 (`sidx`); ADR 13."""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kinodom_downloader.domain.boxes import Box, Index, Reference
from kinodom_downloader.domain.checks import OFFSET_TOLERANCE_S
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
    box = Box("sidx", ends[0] - SIDX_BYTES - 12 * len(references), SIDX_BYTES + 12 * len(references), 8)
    index = Index(box, head.track.timescale, references)
    return index, sidx_of(index, head.track.track_id)


def sidx_of(index: Index, track_id: int) -> bytes:
    """Return an index as a box whose end is the first byte that it names."""
    one, count = index.references[0], len(index.references)
    size = SIDX_BYTES + 12 * count
    front = struct.pack(">I4sIIIQQHH", size, b"sidx", 1 << 24, track_id, index.timescale, one.at, 0, 0, count)
    return front + b"".join(struct.pack(">III", one.size, one.duration, 0x90000000) for one in index.references)


def cut_like(index: Index, like: Index) -> Index:
    """Return an index whose entries are joined so that they begin where those of another one do, as far as they can."""
    wanted_s = [one.at / like.timescale for one in like.references]
    groups: list[list[Reference]] = []
    for one in index.references:
        at_s = one.at / index.timescale
        if not groups or any(abs(at_s - wanted) <= OFFSET_TOLERANCE_S for wanted in _near(wanted_s, at_s)):
            groups.append([])
        groups[-1].append(one)
    return replace(index, references=tuple(_one(group) for group in groups))


def _near(ordered: Sequence[float], value: float) -> Sequence[float]:
    """Return the numbers on both sides of a value."""
    at = bisect_left(ordered, value)
    return ordered[max(0, at - 1) : at + 1]


def _joined(index: Index) -> tuple[Reference, ...]:
    """Return short pieces of a sound joined to some seconds: players then meet fewer borders."""
    return tuple(_one(group) for group in pieces(index))


def _one(group: Sequence[Reference]) -> Reference:
    sizes, durations = (sum(each) for each in zip(*((one.size, one.duration) for one in group), strict=True))
    return Reference(group[0].start, sizes, group[0].at, durations)
