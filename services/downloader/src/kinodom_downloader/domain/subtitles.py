"""Subtitles: SRT, WebVTT and TTML in, plain or in MP4; one clean WebVTT out. Foreign text stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kinodom_common.errors import UpstreamFailed
from kinodom_downloader.domain.boxed_text import BoxedText
from kinodom_downloader.domain.boxes import BrokenBoxes
from kinodom_downloader.domain.cues import Cue, clean
from kinodom_downloader.domain.gate import is_boxes
from kinodom_downloader.domain.timed_text import NotTimedText, cues_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BLANKS = b"\xef\xbb\xbf \t\r\n"
MAX_BYTES = 16 * 1024 * 1024
_TIMING = re.compile(
    r"^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})(.*)$"
)
_MAP = re.compile(r"^X-TIMESTAMP-MAP=(?=.*MPEGTS:(\d{1,12}))(?=.*LOCAL:(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})\.(\d{3}))")


class NoCues(UpstreamFailed):
    """The file is not subtitles, or has none."""

    code = "no_cues"
    title = "No subtitles in the file"


def web_vtt(
    parts: Iterable[bytes],
    *,
    shift_s: float = 0.0,
    clock_start_s: float | None = None,
    shifts_s: Sequence[float] = (),
) -> str:
    """Return one WebVTT file for the subtitle files given, in order; a cue told twice is kept once.

    Args:
        parts: SRT, WebVTT, TTML, or fragmented MP4 that holds them. A segmented track repeats a cue in each segment
            that shows it.
        shift_s: added to every time.
        clock_start_s: time of the media clock (seconds) at which the video starts; with it a part's X-TIMESTAMP-MAP
            is obeyed. None: there is no such clock, times count from the start of the video.
        shifts_s: one per part, added to its times as well; with them no clock is asked.

    Raises:
        NoCues: not one cue in all of them.
    """
    cues: dict[Cue, None] = {}
    boxed = BoxedText()
    of_clock_s = shift_s if clock_start_s is None else -clock_start_s
    for number, part in enumerate(parts):
        own_s = shifts_s[number] if shifts_s else 0.0
        try:
            if is_boxes(part):
                found = _moved(boxed.cues(part), own_s if shifts_s else of_clock_s)
            elif part.lstrip(_BLANKS).startswith(b"<"):
                found = _moved(cues_of(_decoded(part[:MAX_BYTES])), own_s + shift_s)
            else:
                found = _cues(_decoded(part[:MAX_BYTES]), own_s + shift_s, None if shifts_s else clock_start_s)
        except (BrokenBoxes, NotTimedText) as exc:
            raise NoCues(f"The subtitles at the source cannot be read: {exc}") from exc
        cues |= dict.fromkeys(found)
    if not cues:
        raise NoCues("The subtitles at the source hold no text. The video is kept without them.")
    blocks = [f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{cue.text}" for cue in _one_each(cues)]
    return "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"


def _one_each(cues: Iterable[Cue]) -> list[Cue]:
    """Return cues in their order; one that goes on where its like ends, in the next segment, is one with it."""
    found: list[Cue] = []
    last: dict[str, int] = {}
    for cue in sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms)):
        at = last.get(cue.text)
        if at is not None and abs(found[at].end_ms - cue.start_ms) <= 1:
            found[at] = Cue(found[at].start_ms, cue.end_ms, cue.text)
        else:
            last[cue.text] = len(found)
            found.append(cue)
    return found


def _moved(cues: Iterable[Cue], shift_s: float) -> list[Cue]:
    """Return cues at another time; what ends before the video begins is left out."""
    shift_ms = round(shift_s * 1000)
    moved = (Cue(max(0, cue.start_ms + shift_ms), cue.end_ms + shift_ms, cue.text) for cue in cues)
    return [cue for cue in moved if cue.end_ms > cue.start_ms]


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
        body = "\n".join(filter(None, map(clean, shown)))
        if body and end_ms > max(0, start_ms):
            found.append(Cue(max(0, start_ms), end_ms, body))
    return found


def _ms(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{ms:03d}"
