"""The `moov` of an ISO media file: its tracks, their sizes and languages, and codec strings (RFC 6381)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from kinodom_downloader.domain.boxes import Box, BrokenBoxes, boxes_in

_VISUAL_ENTRY_BYTES = 86  # header and fixed fields before the inner boxes (ISO/IEC 14496-12, 12.1.3)
_AUDIO_ENTRY_BYTES = 36
_ENCRYPTED = frozenset({"encv", "enca"})
_SETUPS = ("avcC", "hvcC", "av1C", "vpcC", "dOps", "dfLa", "dac3", "dec3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track as its header describes it."""

    track_id: int
    kind: Literal["video", "audio", "other"]
    timescale: int
    codec: str | None  # RFC 6381; None: the decoder configuration is missing or unknown to us
    entry: str  # the four letters of the sample entry
    encrypted: bool
    width_px: int | None
    height_px: int | None
    sample_rate_hz: int | None
    edit_s: float  # what the edit list adds to a time in the media to give the time at which it is shown
    setup: bytes = b""  # the decoder configuration; two tracks whose is the same can follow each other


def read_tracks(moov: bytes) -> list[Track]:
    """Return the tracks of a loaded `moov` box.

    Raises:
        BrokenBoxes: a track lacks what every track has.
    """
    try:
        boxes = list(boxes_in(moov))
        mvhd = next((_body(moov, box) for box in boxes if box.kind == "mvhd"), b"")
        movie_timescale = struct.unpack_from(">I", mvhd, 12 if mvhd[0] == 0 else 20)[0] or 1
        return [_track(moov, box, movie_timescale) for box in boxes if box.kind == "trak"]
    except (struct.error, IndexError) as exc:
        raise BrokenBoxes("The header of the file is cut.") from exc


def _track(moov: bytes, trak: Box, movie_timescale: int) -> Track:
    named = {box.kind: box for box in boxes_in(moov, trak.start + trak.header, trak.end)}
    if not {"tkhd", "mdhd", "hdlr", "stsd"} <= named.keys():
        raise BrokenBoxes("A track has no description.")
    tkhd, mdhd, hdlr, stsd = (_body(moov, named[kind]) for kind in ("tkhd", "mdhd", "hdlr", "stsd"))
    handler = hdlr[8:12]
    kind: Literal["video", "audio", "other"] = {b"vide": "video", b"soun": "audio"}.get(handler, "other")  # type: ignore[assignment]  # mypy widens the values to str
    (timescale,) = struct.unpack_from(">I", mdhd, 12 if mdhd[0] == 0 else 20)
    if timescale == 0:
        raise BrokenBoxes("A track has no clock.")
    entry = next(boxes_in(stsd, 8), None) if len(stsd) > 8 else None
    inner = stsd[entry.start : entry.end] if entry else b""
    picture = kind == "video" and len(inner) >= _VISUAL_ENTRY_BYTES
    sound = kind == "audio" and len(inner) >= _AUDIO_ENTRY_BYTES
    width, height = struct.unpack_from(">HH", inner, 32) if picture else (None, None)
    return Track(
        track_id=struct.unpack_from(">I", tkhd, 12 if tkhd[0] == 0 else 20)[0],
        kind=kind,
        timescale=timescale,
        codec=_codec(entry.kind, inner, kind) if entry else None,
        entry=entry.kind if entry else "",
        encrypted=entry is not None and entry.kind in _ENCRYPTED,
        width_px=width,
        height_px=height,
        sample_rate_hz=struct.unpack_from(">I", inner, 32)[0] >> 16 if sound else None,
        edit_s=_edit_s(_body(moov, named["elst"]), timescale, movie_timescale) if "elst" in named else 0.0,
        setup=_setup(inner, _VISUAL_ENTRY_BYTES if picture else _AUDIO_ENTRY_BYTES) if picture or sound else b"",
    )


def _body(buffer: bytes, box: Box) -> bytes:
    return buffer[box.start + box.header : box.end]


def _edit_s(elst: bytes, timescale: int, movie_timescale: int) -> float:
    """Return the empty time before the first edit that shows something, less the media time it begins at."""
    row = ">Qq" if elst[0] == 1 else ">Ii"
    (count,) = struct.unpack_from(">I", elst, 4)
    empty = 0
    for number in range(count):
        length, begins = struct.unpack_from(row, elst, 8 + (struct.calcsize(row) + 4) * number)
        if begins >= 0:
            return float(empty / movie_timescale - begins / timescale)
        empty += length
    return 0.0


def _codec(entry: str, inner: bytes, kind: str) -> str | None:
    """Return the codec string of a sample entry, None when the configuration that belongs to it is missing."""
    fixed = _VISUAL_ENTRY_BYTES if kind == "video" else _AUDIO_ENTRY_BYTES
    if kind == "other" or len(inner) < fixed:
        return None
    named = {box.kind: _body(inner, box) for box in _inner_boxes(inner, fixed)}
    match entry:
        case "avc1" | "avc3" if len(named.get("avcC", b"")) >= 7:
            return f"{entry}.{named['avcC'][1:4].hex()}"
        case "hvc1" | "hev1" if len(named.get("hvcC", b"")) >= 23:
            return f"{entry}.{_hevc(named['hvcC'])}"
        case "av01" if len(named.get("av1C", b"")) >= 4:
            return _av1(named["av1C"])
        case "vp09" if len(named.get("vpcC", b"")) >= 8:
            profile, level, depth = named["vpcC"][4], named["vpcC"][5], named["vpcC"][6] >> 4
            return f"vp09.{profile:02d}.{level:02d}.{depth:02d}"
        case "mp4a":
            return _mpeg4_audio(named.get("esds", b""))
        case "Opus" if "dOps" in named:
            return "opus"
        case "fLaC" if "dfLa" in named:
            return "flac"
        case "ac-3" if "dac3" in named:
            return "ac-3"
        case "ec-3" if "dec3" in named:
            return "ec-3"
    return None


def _setup(inner: bytes, fixed: int) -> bytes:
    """Return the decoder configuration, without what only describes: rates, colours, shape of the pixels."""
    named = {box.kind: _body(inner, box) for box in _inner_boxes(inner, fixed)}
    if "esds" in named:
        return _sound_config(named["esds"])
    return next((named[kind] for kind in _SETUPS if kind in named), b"")


def _inner_boxes(inner: bytes, fixed: int) -> list[Box]:
    """Return the boxes after the fixed fields; padding at the end of an entry is no fault."""
    found = []
    try:
        for box in boxes_in(inner, fixed):
            found.append(box)  # noqa: PERF402 - what came before a fault is kept
    except BrokenBoxes:
        pass
    return found


def _hevc(hvcc: bytes) -> str:
    """Return profile, compatibility, tier and level of an hvcC (ISO/IEC 14496-15, annex E)."""
    space = ("", "A", "B", "C")[hvcc[1] >> 6]
    tier = "H" if hvcc[1] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(hvcc[2:6], 'big'):032b}"[::-1], 2)
    constraints = hvcc[6:12].rstrip(b"\0")
    tail = "".join(f".{byte:X}" for byte in constraints)
    return f"{space}{hvcc[1] & 0x1F}.{compatible:X}.{tier}{hvcc[12]}{tail}"


def _av1(av1c: bytes) -> str:
    """Return `av01.P.LLT.DD` (AV1 in ISOBMFF, section 5)."""
    profile, level = av1c[1] >> 5, av1c[1] & 0x1F
    tier = "H" if av1c[2] & 0x80 else "M"
    high, twelve = av1c[2] & 0x40, av1c[2] & 0x20
    depth = 12 if high and twelve else 10 if high else 8
    return f"av01.{profile}.{level:02d}{tier}.{depth:02d}"


def _mpeg4_audio(esds: bytes) -> str | None:
    """Return `mp4a.OTI[.AOT]`; None when an AAC track has no AudioSpecificConfig."""
    object_type, config = _descriptors(esds)
    if len(config) >= 2 and object_type == 0x40:
        first = config[0] >> 3
        kind = 32 + ((config[0] & 7) << 3 | config[1] >> 5) if first == 31 else first
        return f"mp4a.40.{kind}" if kind else None
    return f"mp4a.{object_type:02x}" if object_type not in (None, 0x40) else None


def _sound_config(esds: bytes) -> bytes:
    object_type, config = _descriptors(esds)
    return bytes([object_type or 0]) + config


def _descriptors(esds: bytes) -> tuple[int | None, bytes]:
    """Return the object type and the decoder's own configuration of an `esds` box (ISO/IEC 14496-1, 7.2.6)."""
    at, end = 4, len(esds)
    object_type = None
    while at + 2 <= end:
        tag, at = esds[at], at + 1
        size = 0
        for _ in range(4):
            byte, at = esds[at], at + 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 0x03:  # ES descriptor: id, flags and optional fields, then the decoder's descriptor
            flags = esds[at + 2]
            at += 3 + 2 * bool(flags & 0x80) + (1 + esds[at + 3] if flags & 0x40 else 0) + 2 * bool(flags & 0x20)
        elif tag == 0x04:
            object_type, at = esds[at], at + 13
        elif tag == 0x05:
            return object_type, esds[at : at + size]
        else:
            at += size
    return object_type, b""
