"""Finished pieces read against each other: those that do not follow their neighbours are thrown away and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_downloader.domain import gate
from kinodom_downloader.domain.clocks import CLOCK_HZ
from kinodom_downloader.domain.continuity import Placed, clock_of, in_seconds, timescales_of, wrong_pieces
from kinodom_downloader.domain.live import Spot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.continuity import Clock


def thrown_away(
    folder: WorkFolder,
    clocks: Mapping[tuple[int, int], Clock],
    *,
    left_out: AbstractSet[int],
    missing: AbstractSet[Spot],
) -> dict[Spot, str]:
    """Throw away pieces that do not fit, and return them with what they were instead.

    Args:
        folder: all its pieces are there but those that are missing.
        clocks: of pieces that were fetched just now; the others are read.
        left_out: tracks that could not be had.
    """
    found: dict[Spot, str] = {}
    for number, track in enumerate(folder.plan.tracks):
        if track.shape == "segments" and track.role != "subtitles" and number not in left_out:
            odd = wrong_pieces(_placed(folder, number, clocks, missing))
            found |= {Spot(number, index): instead for index, instead in odd.items()}
    found = {spot: instead for spot, instead in found.items() if spot not in missing}
    for spot in found:
        folder.forget(spot.track, spot.index)
    return found


def _placed(
    folder: WorkFolder, number: int, clocks: Mapping[tuple[int, int], Clock], missing: AbstractSet[Spot]
) -> list[Placed]:
    pieces: list[Placed] = []
    scales: dict[int, int] = {}
    for index, segment in enumerate(folder.plan.tracks[number].segments):
        if segment.is_init:
            scales = timescales_of(folder.read(number, index))
            pieces.append(Placed(index=index, stated_s=0.0, times={}))
            continue
        if Spot(number, index) in missing:  # the clock goes on over it, so what follows is held against what was before
            before = pieces[-1].times if pieces else {}
            times = {one: (first_s + length_s, segment.duration_s) for one, (first_s, length_s) in before.items()}
            pieces.append(Placed(index=index, stated_s=segment.duration_s, times=times, breaks=segment.breaks))
            continue
        clock = clocks.get((number, index))
        if clock is None:
            checked = gate.check_piece(folder.read(number, index))
            clock = clock_of(checked.payload, checked.kind)
        times = in_seconds(clock, scales or dict.fromkeys(clock, CLOCK_HZ))
        pieces.append(Placed(index=index, stated_s=segment.duration_s, times=times, breaks=segment.breaks))
    return pieces
