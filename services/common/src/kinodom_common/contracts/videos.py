"""Videos on the disk, and the titles of the catalogue that hold them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kinodom_common.contracts import Reply, Request
from kinodom_common.contracts.offers import Skip
from kinodom_common.contracts.titles import ExternalId, TitleCard, TranslationKind

TitleOrder = Literal["added", "name", "year", "size"]
"""`added`: the newest first. `year`, `size`: the latest, the largest first."""

VideoId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class TrackInfo(Reply):
    """One track file of a published video."""

    kind: Literal["video", "audio", "subtitles"]
    file: str  # name inside the folder, such as `v.mp4`
    codec: str | None = None  # RFC 6381
    language: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    bandwidth_bit_s: int | None = None  # average
    size_bytes: int = 0
    sha256: str = ""
    loudness_lufs: float | None = None  # of a sound, integrated (EBU R 128); None: not known
    dub: str | None = None  # of a sound that belongs to another dub of the same picture; None: the video's own


class Hole(Reply):
    """A stretch of a video that no source had."""

    from_s: Annotated[float, Field(ge=0)]
    to_s: Annotated[float, Field(ge=0)]
    lacks: Literal["all", "picture", "sound"] = "all"  # of one alone the other goes on; a sound may be one of several


class VideoIn(Request):
    """What the downloader tells the catalogue about a published folder. Sent again, it changes nothing."""

    title: TitleCard
    external_id: ExternalId
    season: Annotated[int, Field(ge=0)] | None = None
    episode: Annotated[int, Field(ge=0)] | None = None
    episode_name: str | None = None
    translation_id: str = "original"
    translation_name: str = "Original"
    translation_kind: TranslationKind = "original"
    language: str | None = None
    height_px: int | None = None  # of the picture that is there
    duration_s: float
    size_bytes: int
    sprites: bool = False  # small pictures for the seek bar: `sprites.vtt` in the folder
    skips: Annotated[tuple[Skip, ...], Field(strict=False)] = ()  # in the order of their starts, none over another
    holes: Annotated[tuple[Hole, ...], Field(strict=False)] = ()  # as above; none: all of it is there
    tracks: Annotated[tuple[TrackInfo, ...], Field(strict=False)] = ()
    published_at: Annotated[datetime, Field(strict=False)]


class Video(Reply):
    """A video on the disk, as the catalogue knows it."""

    video_id: VideoId
    title_id: str
    external_id: str
    season: int | None = None
    episode: int | None = None
    episode_name: str | None = None
    translation_id: str = "original"
    translation_name: str = "Original"
    translation_kind: TranslationKind = "original"
    language: str | None = None
    height_px: int | None = None
    duration_s: float = 0.0
    size_bytes: int = 0
    sprites: bool = False  # small pictures for the seek bar: `sprites.vtt` in the folder
    skips: tuple[Skip, ...] = ()  # in the order of their starts, none over another
    holes: tuple[Hole, ...] = ()  # as above; none: all of it is there
    tracks: tuple[TrackInfo, ...] = ()
    published_at: datetime


class RenditionJob(Reply):
    """Further renditions of a film that are to be made, or are being made."""

    video_id: VideoId
    name: str  # of the film
    state: Literal["wanted", "waiting", "running", "refused"]
    heights_px: tuple[int, ...] = ()  # what is made
    fraction: float = 0.0  # of it that is done
    reason_code: str | None = None  # when `waiting` or `refused`
    reason: str | None = None  # the same in words, with what to do


class RenditionList(Reply):
    """Them in the order in which they come."""

    renditions: tuple[RenditionJob, ...] = ()


class RemovedVideo(Reply):
    """A video that was taken off the disk."""

    video_id: VideoId
    restorable_until: datetime | None = None  # UTC; None: it was not there, or is gone for good


class RestoredVideo(Reply):
    """A video that is back on the shelf, or will be as soon as the catalogue answers."""

    video_id: VideoId


class Title(Reply):
    """A title of the house."""

    title_id: str
    name: str
    original_name: str | None = None
    year: int | None = None
    kind: Literal["film", "series", "unknown"] = "unknown"
    description: str | None = None
    genres: tuple[str, ...] = ()
    score: float | None = None  # 0 to 10
    score_by: str | None = None  # who gave it: `Shikimori`, `IMDb`
    imdb_id: str | None = None
    shikimori_id: int | None = None
    external_ids: tuple[str, ...] = ()
    cover: str | None = None  # file name below /covers/; None: no picture
    licence: str | None = None
    enriched_by: str | None = None  # provider whose facts these are; None: as the source said
    enrich_state: Literal["waiting", "done", "nothing", "failed", "off"] = "waiting"
    videos_count: int = 0
    episodes_count: int = 0  # different episodes on the disk, in whatever dub or height
    size_bytes: int = 0
    added_at: datetime


class TitlePage(Reply):
    """A title with all its videos, by season, episode, dub."""

    title: Title
    videos: tuple[Video, ...] = ()


class TitleIn(Request):
    """What a source says of a title that is to stand on the shelf, with or without a video."""

    card: TitleCard


class TitleReply(Reply):
    """A title, and whether this request put it on the shelf."""

    title: Title
    created: bool


class VideoList(Reply):
    """Videos on the disk, the newest first."""

    videos: tuple[Video, ...] = ()
    total: int = 0


class TitleList(Reply):
    """Titles, the newest first or the best match first."""

    titles: tuple[Title, ...] = ()
    total: int = 0
