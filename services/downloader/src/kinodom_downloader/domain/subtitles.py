"""Subtitles: SRT and WebVTT in, one clean WebVTT out. Foreign text stays text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 16 * 1024 * 1024
_TIMING = re.compile(
    r"^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})(.*)$"
)
_MAP = re.compile(r"^X-TIMESTAMP-MAP=(?=.*MPEGTS:(\d{1,12}))(?=.*LOCAL:(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})\.(\d{3}))")
_TAG = re.compile(r"<(/?)([a-zA-Z]{1,10})[^<>]{0,200}>")
_BRACES = re.compile(r"\{\\[^{}]{0,200}\}")  # ASS commands that SRT files carry
_KEPT_TAGS = frozenset({"i", "b", "u"})
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": "\N{NO-BREAK SPACE}", "&quot;": '"'}
_ENTITY = re.compile("|".join(_ENTITIES))


class NoCues(UpstreamFailed):
    """The file is not subtitles, or has none."""

    code = "no_cues"
    title = "No subtitles in the file"


@dataclass(frozen=True, slots=True)
class Cue:
    """One shown text, as clean WebVTT."""

    start_ms: int
    end_ms: int
    text: str


def web_vtt(parts: Iterable[bytes], *, shift_s: float = 0.0, clock_start_s: float | None = None) -> str:
    """Return one WebVTT file for the subtitle files given, in order; a cue told twice is kept once.

    Args:
        parts: whole files, SRT or WebVTT. A segmented track repeats a cue in each segment that shows it.
        shift_s: added to every time.
        clock_start_s: time of the media clock (MPEG-TS, seconds) at which the video starts; with it a part's
            X-TIMESTAMP-MAP is obeyed. None: there is no such clock, times count from the start of the video.

    Raises:
        NoCues: not one cue in all of them.
    """
    cues: dict[Cue, None] = {}
    for part in parts:
        cues |= dict.fromkeys(_cues(_decoded(part[:MAX_BYTES]), shift_s, clock_start_s))
    if not cues:
        raise NoCues("The subtitles at the source hold no text. The video is kept without them.")
    blocks = [
        f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{cue.text}"
        for cue in sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    ]
    return "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"


def _decoded(part: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16") if part[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1251"):
        try:
            return part.decode(encoding)
        except UnicodeDecodeError:
            continue
    return part.decode("latin-1")


def _cues(text: str, shift_s: float, clock_start_s: float | None) -> list[Cue]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: list[Cue] = []
    shift_ms = round(shift_s * 1000)
    at = 0
    while at < len(lines):
        line, at = lines[at], at + 1
        if clock_start_s is not None and (seen := _MAP.match(line)):
            mapped_s = int(seen[1]) / 90_000 - _ms(seen[2], seen[3], seen[4], seen[5]) / 1000
            shift_ms = round((mapped_s - clock_start_s + shift_s) * 1000)
        if not (timing := _TIMING.match(line)):
            continue
        start_ms = _ms(timing[1], timing[2], timing[3], timing[4]) + shift_ms
        end_ms = _ms(timing[5], timing[6], timing[7], timing[8]) + shift_ms
        shown = []
        while at < len(lines) and lines[at].strip():
            shown.append(lines[at])
            at += 1
        body = "\n".join(filter(None, (_clean(row) for row in shown)))
        if body and end_ms > max(0, start_ms):
            found.append(Cue(max(0, start_ms), end_ms, body))
    return found


def _clean(row: str) -> str:
    """Return one row with nothing but text and paired-looking i, b, u tags; the rest is escaped or dropped."""
    row = _BRACES.sub("", "".join(sign for sign in row if sign.isprintable() or sign == "\t"))
    out, last = [], 0
    for tag in _TAG.finditer(row):
        out.append(_escaped(row[last : tag.start()]))
        if tag[2].lower() in _KEPT_TAGS:
            out.append(f"<{tag[1]}{tag[2].lower()}>")
        last = tag.end()
    out.append(_escaped(row[last:]))
    return "".join(out).strip()


def _escaped(text: str) -> str:
    plain = _ENTITY.sub(lambda seen: _ENTITIES[seen[0]], text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ms(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{ms:03d}"
