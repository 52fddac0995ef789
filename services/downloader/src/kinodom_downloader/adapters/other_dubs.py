"""Sounds of other dubs of the same picture, lent by films that are in the library already.

A published folder never changes, so the newest one gets them all: each as a second name of the same file (a hard
link), which takes no room and outlives the folder that it came from.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.ids import folder_of
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.publish import find_published
from kinodom_downloader.adapters.sample_tables import picture_hash
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.languages import UNKNOWN, distinct_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kinodom_common.contracts.videos import TrackInfo
    from kinodom_downloader.domain.manifests import MediaTrack, TrackSet

log = get_log(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A sound of another dub, linked into the staging folder."""

    track: MediaTrack
    told: TrackInfo  # as its own folder tells it, under its name here


def borrow(tracks: TrackSet, out: Path, library: Path, others: Sequence[str]) -> list[Lent]:
    """Link the sounds of other dubs into a staging folder and return them; a film without them is still a film.

    Args:
        tracks: of the film in the staging folder.
        out: the staging folder, in the same file system as the library.
        library: the published films.
        others: ids of films that may have the same picture.
    """
    found: list[Lent] = []
    if tracks.video is None or not others:
        return found
    taken = {track.file.removesuffix(".mp4") for track in tracks.audio}
    try:
        own = picture_hash(out / tracks.video.file)
        for video_id in others:
            found += _sounds_of(video_id, own, tracks.audio[:1], out, library, taken)
    except (KinodomError, OSError) as exc:
        log.warning("other_dubs_left_out", error=str(exc)[:300])
    return found


def _sounds_of(
    video_id: str, own: str, like: Sequence[MediaTrack], out: Path, library: Path, taken: set[str]
) -> Iterator[Lent]:
    metadata = find_published(library, video_id)
    folder = library / folder_of(video_id)
    video = next((track for track in metadata.video.tracks if track.kind == "video"), None) if metadata else None
    if metadata is None or video is None or not like or picture_hash(folder / video.file) != own:
        return
    for told in metadata.video.tracks:
        if told.kind != "audio" or told.dub is not None:
            continue
        language, dub = told.language or UNKNOWN, metadata.video.translation_name
        file = distinct_name("a", language, taken) + ".mp4"
        os.link(folder / told.file, out / file)
        read = read_track(out / file)
        track = replace(
            like[0],
            file=file,
            index=read.index,
            codec=read.codec,
            size_bytes=read.size_bytes,
            language=language,
            label=dub,
            sample_rate_hz=read.track.sample_rate_hz,
        )
        yield Lent(track=track, told=told.model_copy(update={"file": file, "dub": dub}))
