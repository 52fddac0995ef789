"""ISO base media files: walk their boxes, read the index (`sidx`), fragments and starts (ISO/IEC 14496-12).

Numbers are big-endian. Everything read is bounded: sizes that do not fit are `BrokenBoxes`, never a wrong answer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from kinodom_common.errors import UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

HEADER_BYTES_MAX = 64 * 1024 * 1024  # a moov or moof larger than this is refused
_CONTAINERS = frozenset({"moov", "trak", "mdia", "minf", "stbl", "edts", "mvex", "moof", "traf"})
_NON_SYNC = 0x00010000  # sample_is_non_sync_sample of the sample flags
Usual = tuple[int | None, int | None, int | None]


class BrokenBoxes(UpstreamFailed):
    """The file is not a whole ISO media file."""

    code = "broken_boxes"
    title = "The file is damaged"


@dataclass(frozen=True, slots=True)
class Box:
    """One box: four letters, where it starts, how long it is, how much of that is its header (bytes)."""

    kind: str
    start: int
    size: int
    header: int

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of an index: a fragment."""

    start: int  # first byte in the file
    size: int
    at: int  # presentation time of its first sample, in units of the index
    duration: int


@dataclass(frozen=True, slots=True)
class Index:
    """A `sidx` box: where each fragment of the one track begins in bytes and in time."""

    box: Box
    timescale: int
    references: tuple[Reference, ...]

    @property
    def start_s(self) -> float:
        """Presentation time of the first fragment."""
        return self.references[0].at / self.timescale

    @property
    def end_s(self) -> float:
        """Presentation time at which the last fragment ends."""
        last = self.references[-1]
        return (last.at + last.duration) / self.timescale


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one `moof` says of one track."""

    track_id: int
    decode_time: int  # signed: a first audio frame before 0 is a negative time
    decode_time_at: int  # byte of the number in the file
    decode_time_bytes: int  # 4 or 8
    first_offset: int  # composition offset of the first sample
    duration: int | None  # of all samples; None: the defaults are elsewhere
    starts_with_key: bool | None  # None: it does not say


def top_boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    """Yield the boxes of the outermost level; the file position moves.

    Raises:
        BrokenBoxes: a box does not end inside the file.
    """
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        yield (box := read_box(head, 0, at, size))
        at = box.end


def boxes_in(buffer: bytes | mmap, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes of a buffer, then those inside the known containers, depth first."""
    at, limit = start, len(buffer) if end is None else end
    while at < limit:
        yield (box := read_box(buffer, at, at, limit))
        if box.kind in _CONTAINERS:
            yield from boxes_in(buffer, box.start + box.header, box.end)
        at = box.end


def load(file: BinaryIO, box: Box) -> bytes:
    """Return the whole box with its header."""
    if box.size > HEADER_BYTES_MAX:
        raise BrokenBoxes(f"A {box.kind} box of {box.size} bytes is too large to be true.")
    file.seek(box.start)
    return file.read(box.size)


def read_index(buffer: bytes, box: Box) -> Index:
    """Return the index in a loaded `sidx` box.

    Raises:
        BrokenBoxes: it is empty, cut, or an index of indices.
    """
    try:
        return _read_index(buffer, box)
    except (struct.error, IndexError) as exc:
        raise BrokenBoxes("The index is cut.") from exc


def _read_index(buffer: bytes, box: Box) -> Index:
    at = box.header
    version = buffer[at]
    timescale, first, offset = struct.unpack_from(">8xIII" if version == 0 else ">8xIQQ", buffer, at)
    at += 20 if version == 0 else 28
    (count,) = struct.unpack_from(">2xH", buffer, at)
    position, time, references = box.end + offset, first, []
    for number in range(count):
        word, duration, _sap = struct.unpack_from(">III", buffer, at + 4 + 12 * number)
        if word & 0x80000000:
            raise BrokenBoxes("The index points to further indices.")
        references.append(Reference(position, word, time, duration))
        position, time = position + word, time + duration
    if not references or timescale == 0:
        raise BrokenBoxes("The index is empty.")
    return Index(box, timescale, tuple(references))


def packed_index(index: Index, buffer: bytes) -> bytes:
    """Return the `sidx` box again with the times of `index` and every entry marked as SAP type 1.

    The length stays, so that no byte behind it moves. ffmpeg leaves the SAP type 0.
    """
    out = bytearray(buffer)
    at = index.box.header
    if out[at] == 0:
        struct.pack_into(">I", out, at + 12, index.references[0].at)
    else:
        struct.pack_into(">Q", out, at + 12, index.references[0].at)
    at += 24 if out[at] == 0 else 32
    for number, reference in enumerate(index.references):
        struct.pack_into(">III", out, at + 12 * number, reference.size, reference.duration, 0x90000000)
    return bytes(out)


def fragments(moof: bytes, moof_start: int = 0, *, usual: Usual = (None, None, None)) -> list[Fragment]:
    """Return what a `moof` says of each of its tracks.

    Args:
        usual: duration, size and flags of a sample where neither the run nor the fragment says them.

    Raises:
        BrokenBoxes: it is cut.
    """
    try:
        return _fragments(moof, moof_start, usual)
    except (struct.error, IndexError) as exc:
        raise BrokenBoxes("A fragment is cut.") from exc


def _fragments(moof: bytes, moof_start: int, usual: Usual) -> list[Fragment]:
    found = []
    for traf in (box for box in boxes_in(moof) if box.kind == "traf"):
        inner = list(boxes_in(moof, traf.start + traf.header, traf.end))
        named = {box.kind: box for box in reversed(inner)}  # the first of each kind
        if not {"tfhd", "tfdt", "trun"} <= named.keys():
            continue
        track_id, usual_duration, usual_flags = _tfhd(moof, named["tfhd"], usual)
        tfdt = named["tfdt"]
        wide = moof[tfdt.start + tfdt.header] == 1
        time_at = tfdt.start + tfdt.header + 4
        (time,) = struct.unpack_from(">q" if wide else ">I", moof, time_at)
        runs = [_trun(moof, box, usual_duration) for box in inner if box.kind == "trun"]
        durations = [run[0] for run in runs]
        flags = runs[0][2] if runs[0][2] is not None else usual_flags
        found.append(
            Fragment(
                track_id=track_id,
                decode_time=time,
                decode_time_at=moof_start + time_at,
                decode_time_bytes=8 if wide else 4,
                first_offset=runs[0][1],
                duration=None if None in durations else sum(part for part in durations if part is not None),
                starts_with_key=None if flags is None else not flags & _NON_SYNC,
            )
        )
    return found


def read_box(buffer: bytes | mmap, at: int, start: int, limit: int) -> Box:
    """Return the box whose first bytes stand at `at` of a buffer, and at `start` of what ends at `limit`.

    Raises:
        BrokenBoxes: it does not end there.
    """
    if at + 8 > len(buffer) or start + 8 > limit:
        raise BrokenBoxes("The file ends in the middle of a box.")
    size, kind = struct.unpack_from(">I4s", buffer, at)
    header = 8
    if size == 1:
        if at + 16 > len(buffer):
            raise BrokenBoxes("The file ends in the middle of a box.")
        (size,) = struct.unpack_from(">Q", buffer, at + 8)
        header = 16
    elif size == 0:  # to the end of the file
        size = limit - start
    if size < header or start + size > limit:
        raise BrokenBoxes(f"A box of {size} bytes does not fit into its surroundings.")
    return Box(kind.decode("latin-1"), start, size, header)


def _tfhd(moof: bytes, box: Box, usual: Usual) -> tuple[int, int | None, int | None]:
    """Return the track, the usual sample duration and the usual sample flags."""
    flags, track_id = struct.unpack_from(">II", moof, box.start + box.header)
    at = box.start + box.header + 8
    at += 8 * bool(flags & 0x01) + 4 * bool(flags & 0x02)
    duration = struct.unpack_from(">I", moof, at)[0] if flags & 0x08 else usual[0]
    at += 4 * bool(flags & 0x08) + 4 * bool(flags & 0x10)
    return track_id, duration, struct.unpack_from(">I", moof, at)[0] if flags & 0x20 else usual[2]


def _trun(moof: bytes, box: Box, usual_duration: int | None) -> tuple[int | None, int, int | None]:
    """Return the run's duration, the composition offset of its first sample, and that sample's flags."""
    version_flags, count = struct.unpack_from(">II", moof, box.start + box.header)
    at = box.start + box.header + 8 + 4 * bool(version_flags & 0x01)
    first_flags = struct.unpack_from(">I", moof, at)[0] if version_flags & 0x04 else None
    at += 4 * bool(version_flags & 0x04)
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if version_flags & bit]
    width = 4 * len(fields)
    if at + count * width > box.end:
        raise BrokenBoxes("A fragment lists more samples than it holds.")
    duration = None if usual_duration is None else usual_duration * count
    if 0x100 in fields:
        column = 4 * fields.index(0x100)
        duration = sum(struct.unpack_from(">I", moof, at + column + width * row)[0] for row in range(count))
    if first_flags is None and 0x400 in fields and count:
        (first_flags,) = struct.unpack_from(">I", moof, at + 4 * fields.index(0x400))
    offset = 0
    if 0x800 in fields and count:
        shape = ">i" if version_flags >> 24 else ">I"
        (offset,) = struct.unpack_from(shape, moof, at + 4 * fields.index(0x800))
    return duration, offset, first_flags
