"""Subtitles in fragmented MP4, box by box: no ffmpeg of Debian writes them."""

from __future__ import annotations

import struct

TIMESCALE = 1000


def box(kind: bytes, *inner: bytes) -> bytes:
    """Return a box."""
    body = b"".join(inner)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def init_section(entry: bytes) -> bytes:
    """Return an init section with one track of `wvtt` or `stpp`."""
    zeros = bytes(24)
    described = b"http://www.w3.org/ns/ttml\0\0\0" if entry == b"stpp" else box(b"vttC", b"WEBVTT")
    sample_entry = box(entry, bytes(6), struct.pack(">H", 1), described)
    table = box(b"stbl", box(b"stsd", bytes(4), struct.pack(">I", 1), sample_entry))
    head = box(b"mdhd", bytes(12), struct.pack(">II", TIMESCALE, 0), bytes(4))
    media = box(b"mdia", head, box(b"hdlr", bytes(8), b"text", zeros), box(b"minf", table))
    track = box(b"trak", box(b"tkhd", bytes(12), struct.pack(">I", 1), bytes(68)), media)
    movie = box(b"mvhd", bytes(12), struct.pack(">II", TIMESCALE, 0), bytes(80))
    usual = box(b"mvex", box(b"trex", bytes(4), struct.pack(">5I", 1, 1, 0, 0, 0)))
    return box(b"ftyp", b"iso6", bytes(4)) + box(b"moov", movie, track, usual)


def segment(at_ms: int, *samples: tuple[int, bytes]) -> bytes:
    """Return one segment; each sample is its length in milliseconds and its bytes."""
    rows = b"".join(struct.pack(">II", length_ms, len(sample)) for length_ms, sample in samples)

    def moof(data_at: int) -> bytes:
        run = box(b"trun", struct.pack(">IIi", 0x301, len(samples), data_at), rows)
        begins = box(b"tfdt", struct.pack(">IQ", 0x01000000, at_ms))
        return box(
            b"moof", box(b"mfhd", bytes(8)), box(b"traf", box(b"tfhd", struct.pack(">II", 0x20000, 1)), begins, run)
        )

    head = moof(len(moof(0)) + 8)
    return head + box(b"mdat", *(sample for _length_ms, sample in samples))


def shown(*texts: str) -> bytes:
    """Return a sample of `wvtt` that shows these texts; none: nothing."""
    cues = b"".join(box(b"vttc", box(b"sttg", b"line:80%"), box(b"payl", text.encode())) for text in texts)
    return cues or box(b"vtte")


def document(*cues: tuple[str, str, str], extra: str = "") -> bytes:
    """Return a TTML document of cues: begin, end, what is in the paragraph."""
    rows = "".join(f'<p begin="{begin}" end="{end}">{text}</p>' for begin, end, text in cues)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" '
        f'xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {extra}>'
        '<head><styling><style xml:id="slanted" tts:fontStyle="italic"/></styling></head>'
        f"<body><div>{rows}</div></body></tt>"
    ).encode()
