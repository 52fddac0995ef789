"""One clock for a track whose parts have several, or of which parts are missing.

A source may begin its clock anew at each marked discontinuity, and a piece that is missing takes its time with it.
From the times inside the parts it follows what must be added to each clock so that every part lies where it belongs,
and where the holes are. Pure: times go in, and the bytes of one part at a time.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import BrokenBoxes, boxes_in, fragments
from kinodom_downloader.domain.clocks import CLOCK_HZ, PACKET, WRAP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kinodom_downloader.domain.continuity import Times

WRAP_S: Final = WRAP / CLOCK_HZ
_BEGINS: Final = re.compile(rb"[\x40-\x7f\xc0-\xff]")
_BACK_S, _AHEAD_S = 0.5, 10.0  # a clock that jumps further without a mark begins anew all the same
_SAME_S = 0.02  # a clock that goes on within this over a marked discontinuity has not begun anew
_NEAR_S, _NEAR_SHARE = 1.0, 0.25  # a hole is as long as the clock says when that is near to what the source says


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPart:
    """One part of a track. `times` is empty for an init section and whatever else tells no time."""

    times: Times
    picture: int | None = None  # the stream that is the picture; None: there is none
    breaks: bool = False
    missing_s: float = 0.0  # of the film before it, as the source states it


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a track lie; seconds from its first sample, except for the first field."""

    shifts_s: tuple[float, ...]  # to be added to the clock of each part
    runs_s: tuple[float, ...]  # the same of each stretch between marked discontinuities
    holes_s: tuple[tuple[float, float], ...]  # the first may begin before 0
    lead_s: float  # missing before the first part
    tail_s: float  # missing after the last one

    @property
    def inside_s(self) -> float:
        """How long the holes between the first and the last part are together."""
        return sum(to_s - from_s for from_s, to_s in self.holes_s) - self.lead_s - self.tail_s


def lay_out(
    parts: Sequence[TimedPart],
    *,
    tail_s: float = 0.0,
    wrap_s: float | None = None,
    runs_s: Sequence[float] | None = None,
) -> Layout:
    """Return where parts lie that follow each other.

    Args:
        parts: in their order.
        tail_s: missing after the last one.
        wrap_s: the clock goes round after so long; None: it does not.
        runs_s: of the picture that has the same clocks, as a layout tells it; None: this track stands for itself.
    """
    shifts: list[float] = []
    runs: list[float] = []
    holes: list[tuple[float, float]] = []
    shift_s, lead_s, missing_s, breaks = 0.0, 0.0, 0.0, False
    origin_s = end_s = 0.0
    begun = False
    for part in parts:
        missing_s += part.missing_s
        breaks |= part.breaks
        if part.times:
            first_s, length_s = part.times.get(part.picture or 0) or min(part.times.values())
            if begun:
                gap_s = _near(first_s + shift_s - origin_s - end_s, wrap_s)
                moved_s = 0.0
                if breaks and runs_s is not None:
                    moved_s = runs_s[len(runs)] - shift_s
                elif (breaks and abs(gap_s - missing_s) > _SAME_S) or _begins_anew(gap_s, missing_s):
                    moved_s = missing_s - gap_s
                shift_s += moved_s
                gap_s = _near(gap_s + moved_s, wrap_s)
                runs += [shift_s] if breaks else []
                holes += [(end_s, end_s + gap_s)] if missing_s else []
                end_s += gap_s
            else:
                origin_s, lead_s, begun = first_s, missing_s, True
                runs.append(0.0)
                holes += [(-missing_s, 0.0)] if missing_s else []
            end_s += length_s
            missing_s, breaks = 0.0, False
        shifts.append(shift_s)
    holes += [(end_s, end_s + tail_s)] if tail_s else []
    return Layout(shifts_s=tuple(shifts), runs_s=tuple(runs), holes_s=tuple(holes), lead_s=lead_s, tail_s=tail_s)


def _begins_anew(gap_s: float, missing_s: float) -> bool:
    if missing_s:
        return abs(gap_s - missing_s) > max(_NEAR_S, _NEAR_SHARE * missing_s)
    return not -_BACK_S <= gap_s <= _AHEAD_S


def _near(apart_s: float, wrap_s: float | None) -> float:
    return apart_s if wrap_s is None else (apart_s + wrap_s / 2) % wrap_s - wrap_s / 2


def picture_of_ts(payload: bytes) -> int | None:
    """Return the PID of the picture in an MPEG-TS segment; None: there is none."""
    for position, start in _frames(payload):
        if 0xE0 <= payload[start + 3] <= 0xEF:
            return (payload[position + 1] & 0x1F) << 8 | payload[position + 2]
    return None


def shifted_ts(payload: bytes, shift_s: float) -> bytes:
    """Return an MPEG-TS segment with so much added to the times of its frames."""
    ticks = round(shift_s * CLOCK_HZ)
    out = bytearray(payload)
    for position, start in _frames(payload):
        flags, end = payload[start + 7], position + PACKET
        for bit, at in ((0x80, start + 9), (0x40, start + 14)):
            if flags & bit and at + 5 <= end:
                _add(out, at, ticks)
    return bytes(out)


def shifted_fmp4(payload: bytes, shift_s: float, timescales: Mapping[int, int]) -> bytes:
    """Return a segment of fragmented MP4 with so much added to the times of its fragments; its own index goes.

    Raises:
        BrokenBoxes: it is cut, or a time does not fit into its place any more.
    """
    out = bytearray(payload)
    for box in boxes_in(payload):
        if box.kind == "sidx":  # ffmpeg believes it rather than the fragments
            out[box.start + 4 : box.start + 8] = b"free"
        elif box.kind == "moof":
            for part in fragments(payload[box.start : box.end], box.start):
                time = part.decode_time + round(shift_s * timescales.get(part.track_id, CLOCK_HZ))
                try:
                    struct.pack_into(">q" if part.decode_time_bytes == 8 else ">I", out, part.decode_time_at, time)
                except struct.error as exc:
                    raise BrokenBoxes("The times of the fragments do not fit behind each other.") from exc
    return bytes(out)


def _frames(payload: bytes) -> Iterator[tuple[int, int]]:
    """Yield the position of each packet that begins a frame with a time, and where the frame's header is."""
    for match in _BEGINS.finditer(payload[1::PACKET]):
        position = match.start() * PACKET
        start = position + (5 + payload[position + 4] if payload[position + 3] & 0x20 else 4)
        head = payload[start : start + 14]
        in_packet = start + 14 <= position + PACKET and head[:3] == b"\0\0\1"
        if in_packet and head[7] & 0x80 and head[3] not in (0xBC, 0xBE, 0xBF):
            yield position, start


def _add(out: bytearray, at: int, ticks: int) -> None:
    """Add to a 33-bit time (ISO 13818-1, 2.4.3.7); its mark and marker bits stay."""
    time = (out[at] & 0x0E) << 29 | out[at + 1] << 22 | (out[at + 2] & 0xFE) << 14 | out[at + 3] << 7 | out[at + 4] >> 1
    time = (time + ticks) % WRAP
    out[at] = out[at] & 0xF1 | time >> 29 & 0x0E
    out[at + 1] = time >> 22 & 0xFF
    out[at + 2] = out[at + 2] & 0x01 | time >> 14 & 0xFE
    out[at + 3] = time >> 7 & 0xFF
    out[at + 4] = out[at + 4] & 0x01 | time << 1 & 0xFE
