"""The header of a track file, made of the init section of a source. ISO/IEC 14496-12; ADR 13."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import Box, BrokenBoxes, boxes_in, read_box
from kinodom_downloader.domain.headers import Track, read_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator

_COPIED: Final = frozenset({"avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", "fLaC"})
_KEPT: Final = {"moov": {"mvhd", "trak", "mvex"}, "trak": {"tkhd", "mdia"}, "mvex": {"trex"}}
_DURATION_AT: Final = {"mvhd": (16, 24), "tkhd": (20, 28), "mdhd": (16, 24)}  # by version
_FRONT: Final = struct.pack(">I4s4sI16s", 32, b"ftyp", b"iso6", 512, b"iso6cmfcmp41dash")


class NotPlain(Exception):
    """These pieces make no track file as they are; the text says why. The film is packaged in the usual way then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an init section becomes."""

    front: bytes  # `ftyp` and `moov`
    track: Track
    usual: tuple[int, int, int]  # duration, size and flags of samples that do not say theirs


def head_of(init: bytes) -> Head:
    """Return the head of a track file.

    Raises:
        NotPlain: it holds anything but one track of a kind that is copied.
    """
    try:
        moov = next((init[box.start : box.end] for box in _level(init) if box.kind == "moov"), b"")
        tracks = read_tracks(moov) if moov else []
        if len(tracks) != 1:
            raise NotPlain(f"{len(tracks)} tracks in one stream")
        (track,) = tracks
        if track.kind == "other" or track.encrypted or track.codec is None or track.entry not in _COPIED:
            raise NotPlain(f"a track of {track.entry}")
        if track.entry == "mp4a" and not track.codec.startswith("mp4a.40."):
            raise NotPlain(f"a track of {track.codec}")
        _check_tables(moov)
        return Head(front=_FRONT + _cleaned(moov, Box("moov", 0, len(moov), 8)), track=track, usual=_usual(moov, track))
    except (BrokenBoxes, struct.error, IndexError) as exc:
        raise NotPlain("a damaged header") from exc


def _level(buffer: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes of one level."""
    at, limit = start, len(buffer) if end is None else end
    while at < limit:
        yield (box := read_box(buffer, at, at, limit))
        at = box.end


def _cleaned(moov: bytes, box: Box) -> bytes:
    """Return a box of the header without what belongs to the source: edits, tags, lengths that are not known yet."""
    body = moov[box.start + box.header : box.end]
    if box.kind in _KEPT or box.kind == "mdia":
        kept = _KEPT.get(box.kind)
        inner = _level(moov, box.start + box.header, box.end)
        body = b"".join(_cleaned(moov, one) for one in inner if kept is None or one.kind in kept)
    elif box.kind in _DURATION_AT:
        at, width = _DURATION_AT[box.kind][body[0] == 1], 8 if body[0] == 1 else 4
        body = body[:at] + bytes(width) + body[at + width :]
    return struct.pack(">I4s", 8 + len(body), box.kind.encode("latin-1")) + body


def _check_tables(moov: bytes) -> None:
    """Pass when the samples are all in fragments, of one description."""
    for box in boxes_in(moov):
        at = box.start + box.header
        if box.kind in ("stsz", "stz2") and struct.unpack_from(">I", moov, at + 8)[0]:
            raise NotPlain("samples outside fragments")
        if box.kind == "stsd" and struct.unpack_from(">I", moov, at + 4)[0] != 1:
            raise NotPlain("several descriptions of samples")


def _usual(moov: bytes, track: Track) -> tuple[int, int, int]:
    rows = [struct.unpack_from(">5I", moov, box.start + box.header + 4) for box in boxes_in(moov) if box.kind == "trex"]
    for track_id, description, duration, size, flags in rows:
        if track_id == track.track_id and description == 1 and len(rows) == 1:
            return duration, size, flags
    raise NotPlain("a header that does not announce fragments")
