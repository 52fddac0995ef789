"""Subtitles in pieces (WebVTT in HLS, RFC 8216, 3.5) put together into one file."""

from __future__ import annotations

import re
from typing import Final

_CLOCK_HZ: Final = 90_000
_WRAP_S: Final = 2**33 / _CLOCK_HZ
_MAP: Final = re.compile(r"^X-TIMESTAMP-MAP\s*=\s*(.*)$", re.MULTILINE)
_TIME: Final = r"(?:(\d{1,4}):)?(\d\d):(\d\d)[.,](\d{3})"
_CUE: Final = re.compile(rf"^{_TIME}([ \t]+-->[ \t]+){_TIME}(.*)$")


def joined_cues(pieces: list[bytes], *, first_pts_s: float | None) -> bytes | None:
    """Return one WebVTT file; None when the pieces are none.

    Args:
        pieces: the segments in order.
        first_pts_s: first time stamp of the film's MPEG-TS, which the pieces' X-TIMESTAMP-MAP counts from;
            None: the film's clock starts at 0.
    """
    blocks: dict[str, None] = {}  # in order, each cue once: segments repeat cues that reach over their border
    for piece in pieces:
        text = re.sub(r"\r\n?", "\n", piece.decode("utf-8", "replace")).lstrip("\ufeff")
        if not text.startswith("WEBVTT"):
            return None
        header, _, body = text.partition("\n\n")
        shift_s = _shift_s(header, first_pts_s)
        for block in re.split(r"\n{2,}", body.strip("\n")):
            if block.strip():
                blocks.setdefault(_shifted(block, shift_s))
    return ("WEBVTT\n\n" + "".join(f"{block}\n\n" for block in blocks)).encode()


def _shift_s(header: str, first_pts_s: float | None) -> float:
    found = _MAP.search(header)
    if found is None:
        return 0.0
    pairs = dict(item.strip().split(":", 1) for item in found[1].split(",") if ":" in item)
    local = re.fullmatch(_TIME, pairs.get("LOCAL", "").strip())
    ticks = pairs.get("MPEGTS", "").strip()
    if local is None or not re.fullmatch(r"[0-9]{1,12}", ticks) or first_pts_s is None:
        return 0.0
    shift_s = int(ticks) / _CLOCK_HZ - first_pts_s
    if shift_s < -_WRAP_S / 2:
        shift_s += _WRAP_S
    return shift_s - _seconds(local.groups())


def _shifted(block: str, shift_s: float) -> str:
    lines = block.split("\n")
    for index, line in enumerate(lines[:2]):  # the times stand first, or second after the cue's name
        if match := _CUE.match(line):
            groups = match.groups()
            start, end = (_clock(_seconds(groups[at : at + 4]) + shift_s) for at in (0, 5))
            lines[index] = f"{start}{groups[4]}{end}{groups[9]}"
            break
    return "\n".join(lines)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _clock(at_s: float) -> str:
    total = max(0, round(at_s * 1000))
    seconds, thousandths = divmod(total, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"
