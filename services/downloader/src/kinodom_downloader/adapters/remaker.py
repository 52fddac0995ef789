"""Further renditions of published films: encoded beside the library, shown by one exchange of folders."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import TrackInfo
from kinodom_common.errors import KinodomError
from kinodom_common.ids import folder_of
from kinodom_common.media_tools import MediaInput, Rendition, TrackOutput
from kinodom_common.media_tools import package as package_command
from kinodom_common.processes import Limits, ProgramStopped, checked
from kinodom_common.processes import run as run_program
from kinodom_downloader.adapters.adopting import recut
from kinodom_downloader.adapters.encoders import working_encoder
from kinodom_downloader.adapters.manifest_files import is_manifest, told_by_manifest, write_manifests
from kinodom_downloader.adapters.publish import GONE, VIDEO_ID, drop, find_published
from kinodom_downloader.adapters.swap import FOLDER, is_still, mend, swap
from kinodom_downloader.adapters.track_files import file_sum, finish_track, read_track
from kinodom_downloader.domain.checks import check_aligned
from kinodom_downloader.domain.manifests import MediaTrack, TextTrack, TrackSet, average_bit_s
from kinodom_downloader.domain.publishing import METADATA
from kinodom_downloader.domain.remakes import FilmChanged
from kinodom_downloader.domain.room import Disk
from kinodom_downloader.domain.wishes import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kinodom_common.contracts.videos import VideoIn
    from kinodom_common.media_tools import Encoder
    from kinodom_downloader.adapters.manifest_files import Told
    from kinodom_downloader.adapters.sources import Runner
    from kinodom_downloader.domain.ladder import Rung
    from kinodom_downloader.domain.publishing import Metadata

_SLOWEST = 60.0  # a transcode that gets only what others leave may take this many times the length of the film
_LEAST_S = 900.0


class MediaRemaker:
    """The port `Maker` on a disk."""

    def __init__(self, media_root: Path, *, encoder: Encoder = "libx264", run: Runner | None = None) -> None:
        """Take the media folder, the encoder that is wanted and what runs programs."""
        self._root, self._library, self._home = media_root, media_root / "library", media_root / FOLDER
        self._encoder = encoder
        self._run: Runner = run or partial(run_program, limits=Limits(background=True))

    def every(self) -> list[str]:
        """Return the ids of all films that have a folder."""
        found = (entry.name for entry in self._library.glob("??/*")) if self._library.is_dir() else iter(())
        return sorted(name for name in found if VIDEO_ID.fullmatch(name))

    def published(self, video_id: str) -> VideoIn | None:
        """Return what the folder of a film holds when it is there and whole."""
        metadata = find_published(self._library, video_id)
        return metadata.video if metadata else None

    def shown(self, video_id: str) -> bool:
        """Tell whether the folder of a film is there."""
        return (self._library / folder_of(video_id)).is_dir()

    def disk(self) -> Disk:
        """Return how full the disk is."""
        usage = shutil.disk_usage(self._root)
        return Disk(free_bytes=usage.free, total_bytes=usage.total)

    def make(
        self,
        video_id: str,
        rungs: Sequence[Rung],
        *,
        attempt: int,
        fence: Callable[[], None],
        progress: Callable[[float], None],
        stopped: Callable[[], bool],
    ) -> VideoIn:
        """Add these renditions to a published film, and return what it holds then.

        Raises:
            FilmChanged: it was deleted or fetched anew meanwhile.
            PackagingFailed: what came out is not what was wanted.
            LeaseLost: `stopped` said yes.
        """
        home = self._home / video_id
        folder, seen, before = self._before(video_id)
        staging = home / f"stage-{attempt}"
        for left in home.glob("stage-*"):
            shutil.rmtree(left, ignore_errors=True)
        staging.mkdir(parents=True)
        try:
            made = self._encoded(folder, staging, before, rungs, progress, stopped)
            video = _linked(folder, staging, before, made)
            swap(staging, self._library, before, video, seen=seen, fence=fence)
        except ProgramStopped as exc:
            raise LeaseLost("There is something better to do.") from exc
        except (KinodomError, OSError) as exc:
            if is_still(folder, seen):
                raise
            raise FilmChanged("The film was deleted or fetched anew meanwhile.") from exc
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return video

    def clear(self, is_current: Callable[[str], bool]) -> None:
        """Delete what nobody works on, and mend what was cut off in the middle of a swap."""
        for home in sorted(self._home.iterdir()) if self._home.is_dir() else ():
            if home.name.startswith(GONE):
                shutil.rmtree(home, ignore_errors=True)
            elif not is_current(home.name):
                mend(home, self._library, home.name)
                drop(home, self._home)

    def _before(self, video_id: str) -> tuple[Path, bytes, Metadata]:
        folder = self._library / folder_of(video_id)
        mend(self._home / video_id, self._library, video_id)
        try:
            seen = (folder / METADATA).read_bytes()
        except OSError as exc:
            raise FilmChanged("The film was deleted meanwhile.") from exc
        before = find_published(self._library, video_id)
        if before is None:
            raise FilmChanged("The folder of this film is damaged.")
        return folder, seen, before

    def _encoded(
        self,
        folder: Path,
        staging: Path,
        before: Metadata,
        rungs: Sequence[Rung],
        progress: Callable[[float], None],
        stopped: Callable[[], bool],
    ) -> list[MediaTrack]:
        """Write the renditions in one pass over the picture, put each in its place and check it."""
        own = next(track for track in before.video.tracks if track.kind == "video")
        source, length_s = read_track(folder / own.file), before.video.duration_s
        encoder = working_encoder(self._encoder, run=self._run)
        outputs = [
            TrackOutput(
                path=staging / rung.file,
                kind="video",
                stream=0,
                treatment="h264",
                encoder=encoder,
                rendition=Rendition(height_px=rung.height_px, most_bit_s=rung.bit_s, timescale=source.index.timescale),
            )
            for rung in rungs
        ]

        def on_line(line: str) -> None:
            key, _, value = line.partition("=")
            if key == "out_time_us" and value.isdigit():
                progress(min(1.0, int(value) / 1e6 / length_s))

        command = package_command(MediaInput(path=folder / own.file, demuxer="mov"), outputs)
        limit_s = max(_LEAST_S, length_s * _SLOWEST)
        checked(self._run(command, timeout_s=limit_s, on_line=on_line, stopped=stopped), "ffmpeg")
        return [_rendition(staging / rung.file, source.index.start_s, source.path) for rung in rungs]


def _rendition(path: Path, start_s: float, source: Path) -> MediaTrack:
    finish_track(path, start_s=start_s)
    like = read_track(source).index
    made = recut(path, like)
    check_aligned(path.name, made.index, like)
    return MediaTrack(
        file=path.name,
        index=made.index,
        codec=made.codec,
        size_bytes=made.size_bytes,
        width_px=made.track.width_px,
        height_px=made.track.height_px,
    )


def _linked(folder: Path, staging: Path, before: Metadata, made: Sequence[MediaTrack]) -> VideoIn:
    """Bring all files of a published folder but its manifests into the staging folder, and write those anew."""
    for name in before.files:
        if not is_manifest(name):
            os.link(folder / name, staging / name)
    video = before.video
    new = [
        TrackInfo(
            kind="video",
            file=track.file,
            codec=track.codec,
            width_px=track.width_px,
            height_px=track.height_px,
            bandwidth_bit_s=average_bit_s(track),
            size_bytes=track.size_bytes,
            sha256=file_sum(staging / track.file),
        )
        for track in made
    ]
    pictures = [track for track in video.tracks if track.kind == "video"]
    others = [track for track in video.tracks if track.kind != "video"]
    write_manifests(_track_set(folder, video, made), staging)
    return video.model_copy(
        update={
            "tracks": (pictures[0], *sorted([*pictures[1:], *new], key=lambda one: -(one.height_px or 0)), *others),
            "size_bytes": video.size_bytes + sum(track.size_bytes for track in new),
        }
    )


def _track_set(folder: Path, video: VideoIn, made: Sequence[MediaTrack]) -> TrackSet:
    told = told_by_manifest(folder)
    read = {track.file: _read(folder, track, told) for track in video.tracks if track.kind != "subtitles"}
    pictures = [read[track.file] for track in video.tracks if track.kind == "video"]
    return TrackSet(
        video=pictures[0],
        renditions=tuple(sorted([*pictures[1:], *made], key=lambda one: -(one.height_px or 0))),
        audio=tuple(read[track.file] for track in video.tracks if track.kind == "audio"),
        text=tuple(
            TextTrack(
                file=track.file,
                language=told[track.file].language,
                label=told[track.file].label,
                size_bytes=track.size_bytes,
            )
            for track in video.tracks
            if track.kind == "subtitles"
        ),
    )


def _read(folder: Path, track: TrackInfo, told: dict[str, Told]) -> MediaTrack:
    found = read_track(folder / track.file)
    return MediaTrack(
        file=track.file,
        index=found.index,
        codec=found.codec,
        size_bytes=found.size_bytes,
        language=told[track.file].language,
        label=told[track.file].label,
        width_px=found.track.width_px,
        height_px=found.track.height_px,
        sample_rate_hz=found.track.sample_rate_hz,
    )
