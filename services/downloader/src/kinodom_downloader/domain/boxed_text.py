"""Subtitles in fragmented MP4 (ISO/IEC 14496-30): WebVTT in boxes (`wvtt`) and TTML documents (`stpp`)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import Box, BrokenBoxes, boxes_in
from kinodom_downloader.domain.cues import Cue, clean_rows
from kinodom_downloader.domain.headers import read_tracks
from kinodom_downloader.domain.timed_text import NotTimedText, cues_within

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_SAMPLES: Final = 100_000  # of one piece


@dataclass(slots=True)
class BoxedText:
    """Reads the parts of one track in their order: what an init section says holds for those after it."""

    _entry: str = ""
    _timescale: int = 0
    _usual: tuple[int, int] = (0, 0)  # duration and size of a sample

    def cues(self, part: bytes) -> list[Cue]:
        """Return what a part shows, on the clock of its track; nothing for an init section.

        Raises:
            BrokenBoxes, NotTimedText: it cannot be read.
        """
        found: list[Cue] = []
        moof: Box | None = None
        try:
            for box in boxes_in(part):
                if box.kind == "moov":
                    self._begin(part[box.start : box.end])
                elif box.kind == "moof":
                    moof = box
                elif box.kind == "mdat" and moof is not None:
                    for start, end, sample in self._samples(part, moof):
                        found += self._read(self._ms(start), self._ms(end), sample)
                    moof = None
        except (struct.error, IndexError) as exc:
            raise BrokenBoxes("A piece of subtitles is cut.") from exc
        return found

    def _begin(self, moov: bytes) -> None:
        tracks = read_tracks(moov)
        if not tracks:
            raise BrokenBoxes("The subtitles have no track.")
        track = tracks[0]
        self._entry, self._timescale = track.entry, track.timescale
        for box in boxes_in(moov):
            if box.kind == "trex":
                self._usual = struct.unpack_from(">II", moov, box.start + 20)

    def _ms(self, ticks: int) -> int:
        return round(ticks * 1000 / self._timescale)

    def _samples(self, part: bytes, moof: Box) -> Iterator[tuple[int, int, bytes]]:
        """Yield start, end (in ticks) and bytes of each sample of a fragment."""
        if not self._timescale:
            raise BrokenBoxes("The subtitles have no init section.")
        time, at, usual = 0, moof.end, self._usual
        for box in boxes_in(part, moof.start + moof.header, moof.end):
            body = box.start + box.header
            if box.kind == "tfhd":
                usual = _defaults(part, body, usual)
            elif box.kind == "tfdt":
                (time,) = struct.unpack_from(">Q" if part[body] == 1 else ">I", part, body + 4)
            elif box.kind == "trun":
                for length, size, start in _run(part, body, usual, moof.start, at):
                    yield time, time + length, part[start : start + size]
                    time, at = time + length, start + size

    def _read(self, from_ms: int, to_ms: int, sample: bytes) -> Iterator[Cue]:
        if self._entry == "stpp":
            yield from cues_within(sample.decode("utf-8", "replace"), from_ms, to_ms) if sample.strip() else ()
        elif self._entry == "wvtt":
            yield from (Cue(from_ms, to_ms, text) for text in _boxed(sample))
        else:
            raise NotTimedText(f"Subtitles of an unknown kind ({self._entry[:4]!r}).")


def _defaults(part: bytes, body: int, usual: tuple[int, int]) -> tuple[int, int]:
    (flags,) = struct.unpack_from(">I", part, body)
    at = body + 8 + 8 * bool(flags & 0x01) + 4 * bool(flags & 0x02)
    length = struct.unpack_from(">I", part, at)[0] if flags & 0x08 else usual[0]
    at += 4 * bool(flags & 0x08)
    return length, struct.unpack_from(">I", part, at)[0] if flags & 0x10 else usual[1]


def _run(part: bytes, body: int, usual: tuple[int, int], moof_start: int, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield duration, size and place of each sample of a `trun`."""
    flags, count = struct.unpack_from(">II", part, body)
    if count > _MOST_SAMPLES:
        raise BrokenBoxes("A piece of subtitles lists too many samples.")
    row = body + 8
    if flags & 0x01:
        at = moof_start + struct.unpack_from(">i", part, row)[0]
    row += 4 * bool(flags & 0x01) + 4 * bool(flags & 0x04)
    for _ in range(count):
        length = struct.unpack_from(">I", part, row)[0] if flags & 0x100 else usual[0]
        row += 4 * bool(flags & 0x100)
        size = struct.unpack_from(">I", part, row)[0] if flags & 0x200 else usual[1]
        row += 4 * bool(flags & 0x200) + 4 * bool(flags & 0x400) + 4 * bool(flags & 0x800)
        yield length, size, at
        at += size


def _boxed(sample: bytes) -> Iterator[str]:
    """Yield the texts of the cues of one sample."""
    for box in boxes_in(sample):
        if box.kind == "vttc":
            inner = sample[box.start + box.header : box.end]
            for one in boxes_in(inner):
                if one.kind == "payl":
                    text = clean_rows(inner[one.start + one.header : one.end].decode("utf-8", "replace"))
                    if text:
                        yield text
