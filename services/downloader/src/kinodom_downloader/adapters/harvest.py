"""What the packager gets: the finished pieces of a work folder as tracks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kinodom_downloader.domain import gate
from kinodom_downloader.domain.clocks import CLOCK_HZ
from kinodom_downloader.domain.continuity import clock_of, in_seconds, timescales_of
from kinodom_downloader.domain.faults import NotMedia, SegmentBad
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack, Hole
from kinodom_downloader.domain.live import Spot

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.fetched import Container
    from kinodom_downloader.domain.plan import TrackPlan


def fetched_of(folder: WorkFolder, *, left_out: AbstractSet[int], missing: AbstractSet[Spot] = frozenset()) -> Fetched:
    """Return all tracks of a folder whose pieces are there but those that are missing.

    Raises:
        NotMedia, SegmentBad: a single file turns out to be no film, or not whole.
    """
    tracks = [
        _track(folder, number, plan, missing)
        for number, plan in enumerate(folder.plan.tracks)
        if number not in left_out
    ]
    total = sum(part.stat().st_size for track in tracks for part in track.parts)
    return Fetched(tracks=tuple(tracks), duration_s=folder.plan.duration_s, total_bytes=total)


def _track(folder: WorkFolder, number: int, plan: TrackPlan, missing: AbstractSet[Spot]) -> FetchedTrack:
    if plan.shape == "file":
        return _single(folder.file(number), plan)
    if (gathered := folder.gathered.get(number)) is not None:
        return FetchedTrack(
            role=plan.role,
            container="fmp4",
            parts=(gathered.path,),
            durations_s=tuple(segment.duration_s for segment in plan.segments),
            gathered=tuple(gathered.ends),
            language=plan.language,
            name=plan.name,
        )
    return _in_pieces(folder, number, plan, missing)


def _in_pieces(folder: WorkFolder, number: int, plan: TrackPlan, missing: AbstractSet[Spot]) -> FetchedTrack:
    """Return a track of which each piece is a part, with its marks before the parts that follow what is missing."""
    parts: list[Path] = []
    durations_s, breaks, holes = [], [], []
    hole_s, breaks_before = 0.0, False
    silent, silences = dict(plan.silences), []
    init: Path | None = None
    for index, segment in enumerate(plan.segments):
        breaks_before |= segment.breaks
        silences += [(len(parts), silent[index])] if index in silent else []
        if Spot(number, index) in missing:
            hole_s += segment.duration_s
            continue
        breaks += [len(parts)] if breaks_before else []
        if not segment.is_init:  # what is missing before an init section is missing before what it is for
            holes += [Hole(len(parts), hole_s)] if hole_s else []
            hole_s = 0.0
        breaks_before = False
        parts.append(folder.piece(number, index))
        init = parts[-1] if segment.is_init else init
        told = segment.duration_s or segment.is_init or plan.role == "subtitles"
        durations_s.append(segment.duration_s if told else _held_s(parts[-1], init))
    return FetchedTrack(
        role=plan.role,
        container=_container(tuple(parts), plan),
        parts=tuple(parts),
        durations_s=tuple(durations_s),
        breaks=tuple(breaks),
        silences=(*silences, (len(parts), silent[len(plan.segments)]))
        if len(plan.segments) in silent
        else tuple(silences),
        shifts_s=plan.shifts_s(),
        holes=(*holes, Hole(len(parts), hole_s)) if hole_s else tuple(holes),
        language=plan.language,
        name=plan.name,
    )


def _held_s(part: Path, init: Path | None) -> float:
    """Return how much of the film a segment holds whose playlist does not say; 0: it does not tell either."""
    payload = part.read_bytes()
    clock = clock_of(payload, gate.check_piece(payload).kind)
    scales = timescales_of(init.read_bytes()) if init else dict.fromkeys(clock, CLOCK_HZ)
    return max((length_s for _first_s, length_s in in_seconds(clock, scales).values()), default=0.0)


def _container(parts: tuple[Path, ...], plan: TrackPlan) -> Container:
    body = parts[0].read_bytes()
    return gate.check_subtitles(body).kind if plan.role == "subtitles" else gate.check_piece(body).kind


def _single(path: Path, plan: TrackPlan) -> FetchedTrack:
    handle = os.open(path, os.O_RDONLY)
    try:
        length = os.fstat(handle).st_size
        container = gate.container_of_file(lambda position, count: os.pread(handle, count, position), length)
    except gate.NotThatMedia as exc:
        path.unlink()  # the list of pieces names it as good; without it the next call starts over
        raise (SegmentBad if "not whole" in str(exc) else NotMedia)(
            f"Instead of a film the source sent {exc}."
        ) from exc
    finally:
        os.close(handle)
    duration_s = plan.duration_s()
    return FetchedTrack(
        role=plan.role,
        container=container,
        parts=(path,),
        durations_s=(duration_s,) if duration_s else (),
        language=plan.language,
        name=plan.name,
    )
