"""What the fetch engine leaves in a work folder for the packager. Local files only, whole and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Role = Literal["muxed", "video", "audio", "subtitles"]
Container = Literal["ts", "fmp4", "mp4", "webm", "aac", "vtt", "srt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedTrack:
    """One stream of bytes on the disk, in parts.

    `parts` joined in this order are a valid file of `container`; for fMP4 the init section (EXT-X-MAP) is the first
    part. `breaks` are indices into `parts` before which the source marked a discontinuity.
    """

    role: Role
    container: Container
    parts: tuple[Path, ...]
    durations_s: tuple[float, ...]  # one per part as the playlist states it (0 for the init section); () if unknown
    breaks: tuple[int, ...] = ()
    language: str | None = None  # BCP 47
    name: str | None = None  # as the source calls the track


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """All tracks of one video."""

    tracks: tuple[FetchedTrack, ...]
    duration_s: float | None  # as the source states it; None: unknown until measured
    total_bytes: int
