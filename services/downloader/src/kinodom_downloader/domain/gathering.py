"""Segments of fragmented MP4 put behind each other in one file: what stands before them, and what changes in each.

Everything is changed in place, so that no piece becomes longer or shorter: decode times move to the film's own time,
composition offsets are taken back so that no decode time is negative, and boxes of one segment alone (`styp`, `sidx`)
become `free`. ISO/IEC 14496-12; ADR 13.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import Box, BrokenBoxes, Fragment, boxes_in, fragments, read_box
from kinodom_downloader.domain.timeline import places_s
from kinodom_downloader.domain.track_heads import NotPlain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_downloader.domain.plan import TrackPlan
    from kinodom_downloader.domain.track_heads import Head

    Read = Callable[[int, int], bytes]  # of so many bytes at a position

SIDX_BYTES: Final = 40  # of an index, before its entries
MOST_PIECES: Final = 65_535  # an index counts with 16 bits
_LONGEST_MOOF_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What is added to the decode times of a track, and what is taken off its composition offsets, in its ticks."""

    shift: int
    delta: int = 0
    is_back: bool = False  # to the source's own times, which may be negative

    def back(self) -> Move:
        """Return the move that undoes this one."""
        return Move(shift=-self.shift, delta=-self.delta, is_back=True)


def is_in_pieces(track: TrackPlan) -> bool:
    """Return whether a track may be gathered by what its playlist says."""
    first, *rest = track.segments
    whole = track.shape == "segments" and track.role != "subtitles" and first.is_init and not track.silences
    if not whole or not 0 < len(rest) <= MOST_PIECES:
        return False
    return not any(one.is_init or one.breaks or one.gap or not one.duration_s for one in rest)


def moves(heads: Sequence[Head], firsts: Sequence[Read]) -> list[Move]:
    """Return the moves of all tracks of a film, so that the earliest begins at 0 and all are where they were.

    Args:
        heads: of the tracks, in their order.
        firsts: reads the first piece of each.
    """
    opening = [_first(read, head) for head, read in zip(heads, firsts, strict=True)]
    starts_s = [
        (one.decode_time + one.first_offset) / head.track.timescale + head.track.edit_s
        for head, one in zip(heads, opening, strict=True)
    ]
    found = []
    for head, one, place_s in zip(heads, opening, places_s(starts_s), strict=True):
        place = round(place_s * head.track.timescale)
        if abs(place / head.track.timescale - place_s) > 0.0005:
            raise NotPlain("a clock that is too coarse")
        shift = place - one.decode_time - one.first_offset
        early = one.decode_time + shift < 0
        found.append(Move(shift=shift + one.first_offset, delta=one.first_offset) if early else Move(shift=shift))
    return found


def changes(read: Read, length: int, head: Head, move: Move) -> list[tuple[int, bytes]]:
    """Return what changes in a piece: positions, and the bytes that belong there.

    Raises:
        NotPlain: it cannot be a piece of a track file.
    """
    found: list[tuple[int, bytes]] = []
    try:
        boxes = list(_top(read, length))
        inside = [box for box in boxes if box.kind in ("moof", "mdat")]
        if [box.kind for box in inside] != ["moof", "mdat"] * (len(inside) // 2) or not inside:
            raise NotPlain("fragments that are not each one header and its samples")
        for box, after in pairwise([*inside, inside[-1]]):
            if box.kind == "moof":
                moof = read(box.start, box.size)
                found.append((box.start, _moved(moof, head, move, room=after.end - box.start)))
        found += [(box.start + 4, b"free") for box in boxes if box not in inside]
        if read(boxes[-1].start, 4) == bytes(4):  # to the end of the file: not any more
            found.append((boxes[-1].start, struct.pack(">I", boxes[-1].size)))
        _check_key(read, inside[0], head)
    except (BrokenBoxes, struct.error, IndexError) as exc:
        raise NotPlain("a damaged fragment") from exc
    return found


def times_of(read: Read, length: int, head: Head) -> tuple[Fragment, int | None]:
    """Return the first fragment of a piece, and how long the samples of all are together, in ticks.

    Raises:
        BrokenBoxes: it is damaged.
    """
    moofs = [box for box in _top(read, length) if box.kind == "moof"]
    parts = [fragments(read(box.start, box.size), usual=head.usual)[0] for box in moofs]
    lengths = [part.duration for part in parts]
    known = None if None in lengths else sum(one for one in lengths if one is not None)
    return parts[0], known


def room_for(count: int) -> int:
    """Return how many bytes stand between the head of a track file and its first piece: a `free` box, then an index."""
    return 8 + SIDX_BYTES + 12 * count


def _top(read: Read, length: int) -> Iterator[Box]:
    at = 0
    while at < length:
        yield (box := read_box(read(at, 16), 0, at, length))
        if box.kind == "moof" and box.size > _LONGEST_MOOF_BYTES:
            raise BrokenBoxes("A fragment's header is too large to be true.")
        at = box.end


def _first(read: Read, head: Head) -> Fragment:
    try:
        box = next(box for box in _top(read, 2**62) if box.kind == "moof")
        (found,) = fragments(read(box.start, box.size), usual=head.usual)
    except (BrokenBoxes, struct.error, ValueError, StopIteration) as exc:
        raise NotPlain("a first piece that cannot be read") from exc
    return found


def _check_key(read: Read, moof: Box, head: Head) -> None:
    (first,) = fragments(read(moof.start, moof.size), usual=head.usual)
    if head.track.kind == "video" and not first.starts_with_key:
        raise NotPlain("a piece of the picture that does not begin with a key frame")


def _moved(moof: bytes, head: Head, move: Move, *, room: int) -> bytes:
    """Return a fragment's header after a move. `room`: from its first byte to the end of its samples."""
    (found,) = _only(fragments(moof, usual=head.usual))
    out = bytearray(moof)
    if found.track_id != head.track.track_id:
        raise NotPlain("a fragment of another track")
    time, wide = found.decode_time + move.shift, found.decode_time_bytes == 8
    if not move.is_back and not 0 <= time < (2**63 if wide else 2**32):
        raise NotPlain("times that have no room")
    struct.pack_into(">q" if wide else ">I", out, found.decode_time_at, time)
    size = head.usual[1]
    at = None
    for box in boxes_in(moof):
        if box.kind == "tfhd":
            size = _checked_tfhd(out, box, size)
        elif box.kind == "trun":
            at = _moved_run(out, box, move.delta, size, at)
            if at > room:
                raise NotPlain("a fragment that points to bytes outside it")
    return bytes(out)


def _only(found: list[Fragment]) -> list[Fragment]:
    if len(found) != 1:
        raise NotPlain("a fragment that is not of one track")
    return found


def _checked_tfhd(out: bytearray, box: Box, size: int) -> int:
    """Mark a fragment as counting from its own first byte, and return the usual size of its samples."""
    at = box.start + box.header
    (flags,) = struct.unpack_from(">I", out, at)
    if flags & 0x01:
        raise NotPlain("a fragment that counts from the beginning of a file")
    described, timed, sized = (bool(flags & bit) for bit in (0x02, 0x08, 0x10))
    if described and struct.unpack_from(">I", out, at + 8)[0] != 1:
        raise NotPlain("several descriptions of samples")
    struct.pack_into(">I", out, at, flags | 0x020000)
    if sized:
        size = int(struct.unpack_from(">I", out, at + 8 + 4 * described + 4 * timed)[0])
    return size


def _moved_run(out: bytearray, box: Box, delta: int, usual_size: int, at: int | None) -> int:
    """Take `delta` off the composition offsets of a run, and return where its samples end.

    Args:
        at: where the run before it ends; None: it is the first.
    """
    start = box.start + box.header
    word, count = struct.unpack_from(">II", out, start)
    if word & 0x01:
        at = int(struct.unpack_from(">i", out, start + 8)[0])
    if at is None or at < 0:
        raise NotPlain("a fragment that does not say where its samples are")
    table = start + 8 + 4 * bool(word & 0x01) + 4 * bool(word & 0x04)
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if word & bit]
    step = 4 * len(fields)
    sizes = int(count * usual_size)
    if 0x200 in fields:
        column = table + 4 * fields.index(0x200)
        sizes = sum(int(struct.unpack_from(">I", out, column + step * row)[0]) for row in range(count))
    if delta and 0x800 not in fields:
        raise NotPlain("composition offsets that are not listed")
    if delta:
        column = table + 4 * fields.index(0x800)
        shape = ">i" if word >> 24 else ">I"
        for place in range(column, column + step * count, step):
            struct.pack_into(">i", out, place, struct.unpack_from(shape, out, place)[0] - delta)
        out[start] = 1
    return at + sizes
