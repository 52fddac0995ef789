"""Time stamps inside MPEG-TS: how much of the film a segment really holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_downloader.domain.gate import Payload

PACKET: Final = 188
CLOCK_HZ: Final = 90_000
WRAP: Final = 2**33


def span_s(segment: Payload) -> float | None:
    """Return the time from the first to about the last frame in an MPEG-TS segment; None: no time stamps."""
    first = next(iter(_stamps(segment, range(0, len(segment) - PACKET + 1, PACKET))), None)
    backwards = _stamps(segment, range(len(segment) - PACKET, -1, -PACKET))
    last = [stamp for stamp, _ in zip(backwards, range(8), strict=False)]
    if first is None or not last:
        return None
    return max((stamp - first) % WRAP if (stamp - first) % WRAP < WRAP // 2 else 0 for stamp in last) / CLOCK_HZ


def is_short(segment: Payload, stated_s: float) -> bool:
    """Return whether a segment holds clearly less than its playlist states: over 1.1 s and a quarter less."""
    held_s = span_s(segment)
    return held_s is not None and stated_s - held_s > max(1.1, stated_s / 4)


def stamps_by_stream(segment: Payload, positions: Iterable[int]) -> dict[int, list[int]]:
    """Return the 33-bit presentation times of an MPEG-TS segment by PID; `positions` are of packets."""
    found: dict[int, list[int]] = {}
    for position in positions:
        for stamp in _stamps(segment, (position,)):
            found.setdefault((segment[position + 1] & 0x1F) << 8 | segment[position + 2], []).append(stamp)
    return found


def _stamps(segment: Payload, positions: Iterable[int]) -> Iterable[int]:
    """Yield the 33-bit presentation times of packets that begin a frame (ISO 13818-1, 2.4.3)."""
    for position in positions:
        if not segment[position + 1] & 0x40:
            continue
        packet = segment[position : position + PACKET]
        start = 5 + packet[4] if packet[3] & 0x20 else 4
        frame = packet[start : start + 14]
        if len(frame) == 14 and frame[:3] == b"\0\0\1" and frame[7] & 0x80 and frame[3] not in (0xBC, 0xBE, 0xBF):
            yield (
                (frame[9] & 0x0E) << 29 | frame[10] << 22 | (frame[11] & 0xFE) << 14 | frame[12] << 7 | frame[13] >> 1
            )
