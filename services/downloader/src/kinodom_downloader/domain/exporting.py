"""A film as one file for a device: its name, and what it says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_common.errors import Conflict, NotFound
from kinodom_downloader.domain.chapters import chapters_of
from kinodom_downloader.domain.progressive import Tags
from kinodom_downloader.domain.texts import one_line

if TYPE_CHECKING:
    from io import RawIOBase

    from kinodom_common.contracts.videos import VideoIn

NAME_MOST = 128  # characters, with the end `.mp4`
NAME_MOST_BYTES = 250  # what file systems take, less a bit
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for itself


class NoSuchFilm(NotFound):
    """The disk has no such video."""

    code = "no_such_video"


class ExportBusy(Conflict):
    """As many films as may leave at once are leaving already."""

    code = "export_busy"
    title = "Others are leaving right now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A film that is ready to leave. Close the stream in any case: as long as it is open, others may have to wait."""

    name: str
    size_bytes: int
    etag: str
    stream: RawIOBase


class Exports(Protocol):
    """The published films, as files."""

    def open(self, video_id: str) -> Export:
        """Return a film as one file; raises NoSuchFilm or ExportBusy."""


def file_name(video: VideoIn) -> str:
    """Return a name that every file system takes: title, year, episode, dub, and the end `.mp4`."""
    title = f"{video.title.name} ({video.title.year})" if video.title.year else video.title.name
    place = _place(video)
    dub = "" if video.translation_name == "Original" else video.translation_name
    tail = "".join(f", {_clean(part)}" for part in (place, dub) if part)[: NAME_MOST // 2]
    stem = _clean(title)
    while stem and (len(stem + tail) + 4 > NAME_MOST or len((stem + tail).encode()) + 4 > NAME_MOST_BYTES):
        stem = stem[:-1]
    while len(tail.encode()) + 4 > NAME_MOST_BYTES:
        tail = tail[:-1]
    name = (stem.rstrip(" .,") + tail).strip(" .,") or "film"
    return f"_{name}.mp4" if _RESERVED.fullmatch(name) else f"{name}.mp4"


def tags_of(video: VideoIn) -> Tags:
    """Return what the file says of itself."""
    series = video.episode is not None
    name = video.episode_name or (f"{video.title.name}, {_place(video)}" if series else video.title.name)
    return Tags(
        title=one_line(name),
        show=one_line(video.title.name) if series else None,
        season=video.season,
        episode=video.episode,
        year=video.title.year,
        dub=one_line(video.translation_name),
        chapters=tuple((one.start_s, one.name) for one in chapters_of(video.skips, video.duration_s)),
    )


def _place(video: VideoIn) -> str:
    if video.episode is None:
        return ""
    number = f"{video.episode:02d}"
    return number if video.season is None else f"S{video.season:02d}E{number}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub(" ", one_line(text)).strip(" .")
