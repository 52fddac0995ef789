"""One plain MP4 out of the fragmented tracks of a published film: its header is computed, its media are theirs.

Everything that a desktop player wants in front (sample tables, ISO/IEC 14496-12) follows from the fragments' own
headers, so that nothing is copied on the disk and the length of the file is known before its first byte.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from kinodom_downloader.domain.boxes import BrokenBoxes, boxes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kinodom_downloader.domain.boxes import Box

MOVIE_HZ = 1000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_FTYP = struct.pack(">I4s4sI4s4s4s", 28, b"ftyp", b"isom", 512, b"isom", b"iso2", b"mp41")
_NON_SYNC = 0x00010000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes of a track file that go into the new file as they are."""

    start: int  # in the track's file
    size: int
    samples: int
    at_s: float  # decoding time of the first, for the order of the chunks


@dataclass(slots=True, kw_only=True)
class Samples:
    """The sample tables of one track, filled fragment by fragment."""

    track_id: int
    timescale: int
    sizes: array[int] = field(default_factory=lambda: array("I"))
    durations: array[int] = field(default_factory=lambda: array("I"))
    offsets: array[int] = field(default_factory=lambda: array("i"))  # of composition to decoding
    keys: array[int] = field(default_factory=lambda: array("I"))  # numbers of the samples to begin at, from 1
    chunks: list[Chunk] = field(default_factory=list)
    begins: int | None = None  # decoding time of the first sample
    length: int = 0  # duration of all samples, in units of the track

    @property
    def start_s(self) -> float:
        """Presentation time of the first sample."""
        return ((self.begins or 0) + self.offsets[0]) / self.timescale if self.sizes else 0.0

    def add(self, moof: bytes, moof_start: int) -> None:
        """Take the samples of one fragment.

        Raises:
            BrokenBoxes: it is not of the shape that the packager writes.
        """
        try:
            self._add(moof, moof_start)
        except (struct.error, IndexError, KeyError, ValueError, OverflowError) as exc:
            raise BrokenBoxes("A fragment of the film cannot be read.") from exc

    def _add(self, moof: bytes, moof_start: int) -> None:
        named: dict[str, list[Box]] = {}
        for box in boxes_in(moof):
            named.setdefault(box.kind, []).append(box)
        (tfhd,), (tfdt,) = named["tfhd"], named["tfdt"]
        usual = _usual(moof, tfhd)
        (time,) = struct.unpack_from(">q" if moof[tfdt.start + 8] == 1 else ">I", moof, tfdt.start + 12)
        if self.begins is None:
            self.begins = time
        else:  # what lies between two fragments belongs to the last sample of the first one
            last = self.durations[-1]
            self.durations[-1] = max(0, last + time - self.begins - self.length)
            self.length += self.durations[-1] - last
        for trun in named["trun"]:
            self._run(moof, trun, usual, moof_start, time)

    def _run(self, moof: bytes, trun: Box, usual: dict[int, int], moof_start: int, time: int) -> None:
        word, count, data_at = struct.unpack_from(">IIi", moof, trun.start + 8)
        if not word & 0x01:
            raise BrokenBoxes("A fragment does not say where its media are.")
        at = trun.start + 20 + 4 * bool(word & 0x04)
        fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if word & bit]
        table: array[int] = _turned(array("I", moof[at : at + 4 * count * len(fields)]))

        def column(bit: int) -> array[int]:
            if bit in fields:
                return array("I", table[fields.index(bit) :: len(fields)])
            return array("I", [usual[bit] for _ in range(count)])

        sizes, flags, first = column(0x200), column(0x400), len(self.sizes)
        if word & 0x04 and count:
            (flags[0],) = struct.unpack_from(">I", moof, trun.start + 20)
        self.sizes += sizes
        durations = column(0x100)
        self.durations += durations
        self.length += sum(durations)
        self.offsets += array("i", (column(0x800) if 0x800 in fields else array("I", [0]) * count).tobytes())
        self.keys += array("I", (first + n + 1 for n, flag in enumerate(flags) if not flag & _NON_SYNC))
        start = moof_start + data_at
        self.chunks.append(Chunk(start=start, size=sum(sizes), samples=count, at_s=time / self.timescale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One track of the new file."""

    trak: bytes  # the whole box of the track's own file
    samples: Samples
    language: str  # ISO 639-2: three letters
    label: str
    first_of_kind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What the file says of itself; None and empty are left out."""

    title: str
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    year: int | None = None
    dub: str | None = None
    chapters: tuple[tuple[float, str], ...] = ()  # start in seconds, name


def laid_out(parts: Sequence[Part], tags: Tags) -> tuple[bytes, list[tuple[int, Chunk]]]:
    """Return the header of the new file, and the chunks that follow it as pairs of the part's number and the chunk."""
    order = sorted(
        ((number, chunk) for number, part in enumerate(parts) for chunk in part.samples.chunks),
        key=lambda pair: (pair[1].at_s, pair[0]),
    )
    media_bytes = sum(chunk.size for _number, chunk in order)
    # Places are 8 bytes wide whatever they are, so the header is as long with zeros as with the true ones.
    head_bytes = len(_FTYP) + len(_moov(parts, tags, [[0] * len(part.samples.chunks) for part in parts])) + 16
    places: list[list[int]] = [[] for _ in parts]
    at = head_bytes
    for number, chunk in order:
        places[number].append(at)
        at += chunk.size
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + media_bytes)
    return _FTYP + _moov(parts, tags, places) + mdat, order


def _moov(parts: Sequence[Part], tags: Tags, places: Sequence[Sequence[int]]) -> bytes:
    length = max(
        (_movie(part.samples.start_s * part.samples.timescale + part.samples.length, part) for part in parts), default=0
    )
    mvhd = struct.pack(">IQQIQIHH8x", 0x01000000, 0, 0, MOVIE_HZ, length, 0x10000, 0x100, 0)
    mvhd += _MATRIX + bytes(24) + struct.pack(">I", len(parts) + 1)
    traks = (_trak(number, part, where) for number, (part, where) in enumerate(zip(parts, places, strict=True), 1))
    return box("moov", box("mvhd", mvhd), *traks, _udta(tags))


def _trak(number: int, part: Part, places: Sequence[int]) -> bytes:
    own = {box.kind: part.trak[box.start : box.end] for box in reversed(list(boxes_in(part.trak)))}
    if not {"tkhd", "hdlr", "dinf", "stsd"} <= own.keys():
        raise BrokenBoxes("A track has no description.")
    samples = part.samples
    shown = _movie(samples.length, part)
    empty = max(0, _movie(samples.start_s * samples.timescale, part))
    flags = 0x01000007 if part.first_of_kind else 0x01000006
    tkhd = struct.pack(">IQQIIQ", flags, 0, 0, number, 0, empty + shown) + own["tkhd"][-60:]
    shift = max(0, -min(samples.offsets, default=0))
    begins = samples.offsets[0] + shift if samples.offsets else 0
    edits = ([(empty, -1)] if empty else []) + [(shown, begins)]
    elst = struct.pack(">II", 0x01000000, len(edits)) + b"".join(struct.pack(">QqI", *one, 0x10000) for one in edits)
    letters = [ord(letter) - 0x60 for letter in part.language]
    packed = letters[0] << 10 | letters[1] << 5 | letters[2]
    mdhd = struct.pack(">IQQIQHH", 0x01000000, 0, 0, samples.timescale, samples.length, packed, 0)
    header = own.get("vmhd") or own.get("smhd") or own.get("nmhd", b"")
    minf = box("minf", header, own["dinf"], _stbl(own["stsd"], samples, shift, places))
    name = box("hdlr", own["hdlr"][8:32], part.label.encode() + b"\0") if part.label else own["hdlr"]
    mdia = box("mdia", box("mdhd", mdhd), name, minf)
    return box("trak", box("tkhd", tkhd), box("edts", box("elst", elst)), mdia)


def _stbl(stsd: bytes, samples: Samples, shift: int, places: Sequence[int]) -> bytes:
    boxes = [stsd, _runs("stts", samples.durations)]
    if any(samples.offsets):
        boxes.append(_runs("ctts", (offset + shift for offset in samples.offsets)))
    if len(samples.keys) < len(samples.sizes):
        boxes.append(box("stss", struct.pack(">II", 0, len(samples.keys)), _big(samples.keys)))
    counts, first = [], 1
    for many, group in groupby(samples.chunks, key=lambda chunk: chunk.samples):
        counts.append(struct.pack(">III", first, many, 1))
        first += sum(1 for _ in group)
    boxes.append(box("stsc", struct.pack(">II", 0, len(counts)), *counts))
    boxes.append(box("stsz", struct.pack(">III", 0, 0, len(samples.sizes)), _big(samples.sizes)))
    boxes.append(box("co64", struct.pack(">II", 0, len(places)), struct.pack(f">{len(places)}Q", *places)))
    return box("stbl", *boxes)


def _udta(tags: Tags) -> bytes:
    """Return the tags as iTunes wrote them first and everybody reads them, and the chapters as Nero did."""
    texts = {"©nam": tags.title, "tvsh": tags.show, "©day": tags.year, "©alb": tags.show, "©cmt": tags.dub}
    items = [_item(kind, 1, str(value).encode()) for kind, value in texts.items() if value is not None]
    numbers = {"tvsn": tags.season, "tves": tags.episode}
    items += [_item(kind, 21, struct.pack(">I", value)) for kind, value in numbers.items() if value is not None]
    hdlr = box("hdlr", bytes(8), b"mdirappl", bytes(9))
    boxes = [box("meta", bytes(4), hdlr, box("ilst", *items))]
    if tags.chapters:
        rows = []
        for start_s, name in tags.chapters[:255]:
            text = name.encode()[:255].decode(errors="ignore").encode()
            rows.append(struct.pack(">QB", round(start_s * 1e7), len(text)) + text)
        boxes.append(box("chpl", struct.pack(">IIB", 0x01000000, 0, len(rows)), *rows))
    return box("udta", *boxes)


def _item(kind: str, form: int, value: bytes) -> bytes:
    return box(kind, box("data", struct.pack(">II", form, 0), value))


def _usual(moof: bytes, tfhd: Box) -> dict[int, int]:
    """Return the values that samples have unless their run says otherwise, by the bit of the run's field."""
    (word,) = struct.unpack_from(">I", moof, tfhd.start + 8)
    at, usual = tfhd.start + 16 + 8 * bool(word & 0x01) + 4 * bool(word & 0x02), {0x400: 0}
    for bit, field_bit in ((0x08, 0x100), (0x10, 0x200), (0x20, 0x400)):
        if word & bit:
            (usual[field_bit],) = struct.unpack_from(">I", moof, at)
            at += 4
    return usual


def _movie(units: float, part: Part) -> int:
    return round(units * MOVIE_HZ / part.samples.timescale)


def _runs(kind: str, values: Iterable[int]) -> bytes:
    rows = [struct.pack(">II", sum(1 for _ in group), value) for value, group in groupby(values)]
    return box(kind, struct.pack(">II", 0, len(rows)), *rows)


def _big(values: array[int]) -> bytes:
    return _turned(array("I", values)).tobytes()


def _turned(values: array[int]) -> array[int]:
    """Return the numbers in the other order of bytes, if this machine's is not the file's."""
    if sys.byteorder == "little":
        values.byteswap()
    return values


def box(kind: str, *bodies: bytes) -> bytes:
    """Return a box of this kind."""
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind.encode("latin-1")) + body
