"""Do the pieces of a track follow each other? Found by the clock inside the media, not by what the host says.

A piece can be whole and still be wrong: cut between two packets, in another's place, of another film. Then the time
in it does not fit the time before and after it. A clock that jumps and stays elsewhere is a careless source without
`EXT-X-DISCONTINUITY`, and no fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.boxes import BrokenBoxes, boxes_in, fragments
from kinodom_downloader.domain.clocks import CLOCK_HZ, PACKET, WRAP, stamps_by_stream
from kinodom_downloader.domain.headers import read_tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kinodom_downloader.domain.gate import Kind, Payload

Clock = dict[int, tuple[int, int]]  # by stream: first time and length, in ticks
Times = dict[int, tuple[float, float]]  # by stream: first time and length, in seconds

_JUMP_S: Final = 0.5  # the clock of no stream goes on within this
_MISSING_S: Final = 0.25  # of all streams, between one piece and the next
_NEIGHBOURS: Final = 8  # jumps that are looked at together
_WRAP_S: Final = WRAP / CLOCK_HZ
_BEGINS: Final = re.compile(rb"[\x40-\x7f\xc0-\xff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One piece in its place. `times` is empty when nothing is known."""

    index: int
    stated_s: float
    times: Times
    breaks: bool = False


def clock_of(payload: Payload, kind: Kind) -> Clock:
    """Return the times inside a checked piece; empty when it does not say or is of a kind that is not read."""
    if kind == "ts":
        found = stamps_by_stream(payload, (at.start() * PACKET for at in _BEGINS.finditer(payload[1::PACKET])))
        return {stream: _reach(stamps) for stream, stamps in found.items() if len(stamps) > 1}
    return _fragment_clock(payload) if kind == "fmp4" else {}


def timescales_of(init: bytes) -> dict[int, int]:
    """Return the ticks a second of each track of an init section; empty when it cannot be read."""
    try:
        moov = next((init[box.start : box.end] for box in boxes_in(init) if box.kind == "moov"), b"")
        return {track.track_id: track.timescale for track in read_tracks(moov[8:])} if moov else {}
    except BrokenBoxes:
        return {}


def in_seconds(clock: Clock, timescales: Mapping[int, int]) -> Times:
    """Return a clock in seconds; a stream whose scale is unknown is left out."""
    return {
        stream: (first / timescales[stream], length / timescales[stream])
        for stream, (first, length) in clock.items()
        if stream in timescales
    }


def wrong_pieces(pieces: Sequence[Placed]) -> dict[int, str]:
    """Return the pieces of one track that do not fit, by index, each with what it is instead."""
    found: dict[int, str] = {}
    for run in _runs(pieces):
        short = {at for at, (piece, after) in enumerate(pairwise(run)) if _is_short(piece, after)}
        jumps = [at for at, (piece, after) in enumerate(pairwise(run)) if at not in short and _jumps(piece, after)]
        found |= {run[at].index: "a segment that ends too early" for at in short}
        if jumps:
            odd = _misfits(run, jumps) | _exchanged(run) | _copies_at_the_ends(run, jumps)
            found |= {run[at].index: "a segment of another place or another film" for at in odd}
    return found


def _reach(stamps: list[int]) -> tuple[int, int]:
    apart = [(stamp - stamps[0] + WRAP // 2) % WRAP - WRAP // 2 for stamp in stamps]
    first, last = min(apart), max(apart)
    return stamps[0] + first, (last - first) * len(apart) // (len(apart) - 1)


def _fragment_clock(payload: Payload) -> Clock:
    clock: Clock = {}
    try:
        for box in boxes_in(payload):
            if box.kind != "moof":
                continue
            for part in fragments(payload[box.start : box.end]):
                first, _ = clock.get(part.track_id, (part.decode_time, 0))
                if part.duration is None:
                    return {}
                clock[part.track_id] = (first, part.decode_time + part.duration - first)
    except BrokenBoxes:
        return {}
    return clock


def _runs(pieces: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield stretches without a marked discontinuity in which every piece tells its time."""
    run: list[Placed] = []
    for piece in pieces:
        if piece.breaks or not piece.times:
            yield run
            run = []
        if piece.times:
            run.append(piece)
    yield run


def _gaps(before: Placed, after: Placed) -> list[float]:
    """Return the time between two pieces in each stream that both have; negative: they overlap."""
    gaps = []
    for stream, (first_s, length_s) in before.times.items():
        if stream in after.times:
            apart_s = after.times[stream][0] - first_s - length_s
            gaps.append((apart_s + _WRAP_S / 2) % _WRAP_S - _WRAP_S / 2)
    return gaps


def _jumps(before: Placed, after: Placed) -> bool:
    return all(abs(gap_s) > _JUMP_S for gap_s in _gaps(before, after))


def _is_short(piece: Placed, after: Placed) -> bool:
    """Return whether all streams miss something before the next piece, and the missing would fit the stated time."""
    gaps = _gaps(piece, after)
    if not gaps or min(gaps) < _MISSING_S:
        return False
    held_s = max(length_s for _, length_s in piece.times.values())
    return held_s + min(gaps) < piece.stated_s * 1.25 + _JUMP_S and held_s < piece.stated_s


def _misfits(run: list[Placed], jumps: list[int]) -> set[int]:
    """Return pieces between two jumps when the clock around them leaves exactly their room."""
    odd: set[int] = set()
    for number, start in enumerate(jumps):
        for end in jumps[number + 1 : number + _NEIGHBOURS]:
            inside = range(start + 1, end + 1)
            stated_s = sum(run[at].stated_s for at in inside)
            room = _gaps(run[start], run[end + 1])
            if stated_s > 0 and any(abs(gap_s - stated_s) < min(_JUMP_S, stated_s / 4) for gap_s in room):
                odd |= set(inside)
                break
    return odd


def _exchanged(run: list[Placed]) -> set[int]:
    """Return pieces out of their order, when another order of the same pieces has no jump at all."""
    streams = set.intersection(*(set(piece.times) for piece in run))
    if not streams:
        return set()
    stream = min(streams)
    order = sorted(range(len(run)), key=lambda at: run[at].times[stream][0])
    if any(_jumps(run[before], run[after]) for before, after in pairwise(order)):
        return set()
    return {at for at, place in enumerate(order) if at != place}


def _copies_at_the_ends(run: list[Placed], jumps: list[int]) -> set[int]:
    """Return the first or last piece when it holds the very time of one other piece."""
    ends = {0} & {*jumps} | ({len(run) - 1} if len(run) - 2 in jumps else set())
    return {at for at in ends if sum(piece.times == run[at].times for piece in run) == 2}
