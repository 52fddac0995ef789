"""Parts of a fetched track put on one clock: read once for their times, and once more, changed, by who wants them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kinodom_downloader.domain.boxes import boxes_in
from kinodom_downloader.domain.clocks import CLOCK_HZ
from kinodom_downloader.domain.continuity import clock_of, in_seconds
from kinodom_downloader.domain.headers import read_tracks
from kinodom_downloader.domain.retiming import (
    WRAP_S,
    TimedPart,
    lay_out,
    picture_of_ts,
    shifted_fmp4,
    shifted_ts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from kinodom_downloader.domain.fetched import FetchedTrack
    from kinodom_downloader.domain.headers import Track
    from kinodom_downloader.domain.retiming import Layout


def layouts_of(tracks: Sequence[FetchedTrack]) -> list[Layout | None]:
    """Return where the parts of each track lie; None when they follow each other as they are.

    Tracks with as many discontinuities as the first one have its clocks, and keep their distance to it.
    """
    first = _layout_of(tracks[0], None) if tracks else None
    return [first, *(_layout_of(track, first.runs_s if first else None) for track in tracks[1:])] if tracks else []


def _layout_of(fetched: FetchedTrack, runs_s: Sequence[float] | None) -> Layout | None:
    if not fetched.breaks and not fetched.holes:
        return None
    missing = {hole.before: hole.stated_s for hole in fetched.holes}
    timed = {"ts": _timed_ts, "fmp4": _timed_fmp4}.get(fetched.container, _as_stated)
    parts = [
        TimedPart(times=times, picture=picture, breaks=number in fetched.breaks, missing_s=missing.get(number, 0.0))
        for number, (times, picture) in enumerate(timed(fetched))
    ]
    wrap_s = WRAP_S if fetched.container == "ts" else None
    tail_s = missing.get(len(fetched.parts), 0.0)
    alone = lay_out(parts, tail_s=tail_s, wrap_s=wrap_s)
    if runs_s is None or len(runs_s) != len(alone.runs_s) or len(runs_s) == 1:
        return alone
    return lay_out(parts, tail_s=tail_s, wrap_s=wrap_s, runs_s=runs_s)


def retimed(fetched: FetchedTrack, layout: Layout) -> Iterator[Path | Callable[[], bytes]]:
    """Yield the parts of an MPEG-TS or fMP4 track; those with another clock as what gives their changed bytes."""
    scales: dict[int, int] = {}
    for part, shift_s in zip(fetched.parts, layout.shifts_s, strict=True):
        if fetched.container == "fmp4":
            scales = {track.track_id: track.timescale for track in _tracks(part)} or scales
        yield partial(_changed, part, shift_s, dict(scales)) if shift_s else part


def _changed(part: Path, shift_s: float, scales: dict[int, int]) -> bytes:
    payload = part.read_bytes()
    return shifted_fmp4(payload, shift_s, scales) if scales else shifted_ts(payload, shift_s)


def _timed_ts(fetched: FetchedTrack) -> Iterator[tuple[dict[int, tuple[float, float]], int | None]]:
    for part in fetched.parts:
        payload = part.read_bytes()
        clock = clock_of(payload, "ts")
        yield in_seconds(clock, dict.fromkeys(clock, CLOCK_HZ)), picture_of_ts(payload)


def _timed_fmp4(fetched: FetchedTrack) -> Iterator[tuple[dict[int, tuple[float, float]], int | None]]:
    tracks: list[Track] = []
    for part in fetched.parts:
        tracks = _tracks(part) or tracks
        times = in_seconds(clock_of(part.read_bytes(), "fmp4"), {track.track_id: track.timescale for track in tracks})
        yield times, next((track.track_id for track in tracks if track.kind == "video"), None)


def _as_stated(fetched: FetchedTrack) -> Iterator[tuple[dict[int, tuple[float, float]], int | None]]:
    at_s = 0.0
    missing = {hole.before: hole.stated_s for hole in fetched.holes}
    for number, length_s in enumerate(fetched.durations_s):
        at_s += missing.get(number, 0.0)
        yield {0: (at_s, length_s)}, None
        at_s += length_s


def _tracks(part: Path) -> list[Track]:
    """Return the tracks of a part that begins with an init section; none for a segment."""
    with part.open("rb") as file:
        if file.read(8)[4:] not in (b"ftyp", b"moov"):
            return []
    payload = part.read_bytes()
    return next((read_tracks(payload[box.start : box.end]) for box in boxes_in(payload) if box.kind == "moov"), [])
