"""What the fetch engine is given, tells on its way, and leaves in a work folder for the packager: plain values.

They look like the shapes of the wire and are not made of them: those bring pydantic, which is three times as large as
the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Role = Literal["muxed", "video", "audio", "subtitles"]
Container = Literal["ts", "fmp4", "mp4", "webm", "aac", "vtt", "srt", "ttml"]


class SubtitleSource(Protocol):
    """One subtitle file; an offer's is one."""

    @property
    def url(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...


class FilmSource(Protocol):
    """Where a film is to be had; `kinodom_common.contracts.offers.Offer` is one."""

    @property
    def url(self) -> str: ...
    @property
    def delivery(self) -> str: ...
    @property
    def height_px(self) -> int | None: ...
    @property
    def duration_s(self) -> float | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def subtitles(self) -> Sequence[SubtitleSource]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Headway:
    """How far a fetch is. The fields are those of `kinodom_common.contracts.wishes.Progress`."""

    fraction: float
    fetched_bytes: int
    total_bytes: int | None  # estimate; None: not known yet
    segments_done: int
    segments_total: int
    speed_bytes_s: float | None
    left_s: float | None
    duration_s: float | None  # of the film, as its playlist states it
    anew: bool = False  # it began once more: what had come is not of the film that the source has now
    endless: bool = False  # its list has no end, as of a broadcast: what it held is recorded


@dataclass(frozen=True, slots=True)
class Hole:
    """Something is missing: before this part (one more than there are: at the end), so many seconds as it is stated."""

    before: int
    stated_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedTrack:
    """One stream of bytes on the disk, in parts.

    `parts` joined in this order are a valid file of `container`; for fMP4 the init section (EXT-X-MAP) is the first
    part. `breaks` are indices into `parts` before which the source marked a discontinuity. A track that is gathered is
    one part: a whole file with room for an index, in which nothing is left to be changed but that room.
    """

    role: Role
    container: Container
    parts: tuple[Path, ...]
    durations_s: tuple[float, ...]  # one per part as stated, else as it is (0 for an init section), or per piece of
    # the one part that is gathered; () if unknown
    breaks: tuple[int, ...] = ()
    holes: tuple[Hole, ...] = ()
    silences: tuple[tuple[int, float], ...] = ()  # before this part (one more than there are: at the end), seconds
    shifts_s: tuple[float, ...] = ()  # of subtitles: added to the times in each part; () none
    language: str | None = None  # BCP 47
    name: str | None = None  # as the source calls the track
    gathered: tuple[int, ...] = ()  # where in the one part the first piece begins, then where each ends; (): it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """All tracks of one video."""

    tracks: tuple[FetchedTrack, ...]
    duration_s: float | None  # as the source states it; None: unknown until measured
    total_bytes: int
