"""What the packager gets: the finished pieces of a work folder as tracks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kinodom_downloader.domain import gate
from kinodom_downloader.domain.faults import NotMedia, SegmentBad
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.fetched import Container
    from kinodom_downloader.domain.plan import TrackPlan


def fetched_of(folder: WorkFolder, *, left_out: AbstractSet[int]) -> Fetched:
    """Return all tracks of a folder whose pieces are there.

    Raises:
        NotMedia, SegmentBad: a single file turns out to be no film, or not whole.
    """
    tracks = [_track(folder, number, plan) for number, plan in enumerate(folder.plan.tracks) if number not in left_out]
    total = sum(part.stat().st_size for track in tracks for part in track.parts)
    return Fetched(tracks=tuple(tracks), duration_s=folder.plan.duration_s, total_bytes=total)


def _track(folder: WorkFolder, number: int, plan: TrackPlan) -> FetchedTrack:
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
    parts = tuple(folder.piece(number, index) for index in range(len(plan.segments)))
    return FetchedTrack(
        role=plan.role,
        container=_container(parts, plan),
        parts=parts,
        durations_s=tuple(segment.duration_s for segment in plan.segments),
        breaks=tuple(index for index, segment in enumerate(plan.segments) if segment.breaks),
        silences=plan.silences,
        shifts_s=plan.shifts_s(),
        language=plan.language,
        name=plan.name,
    )


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
