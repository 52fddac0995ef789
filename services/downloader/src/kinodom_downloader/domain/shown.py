"""What the house says of a video once it is packaged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import TrackInfo, VideoIn
from kinodom_downloader.domain.manifests import average_bit_s

if TYPE_CHECKING:
    from kinodom_common.contracts.offers import Skip
    from kinodom_common.contracts.videos import Hole
    from kinodom_common.contracts.wishes import WishRequest
    from kinodom_downloader.domain.manifests import TrackSet


def video_of(
    request: WishRequest,
    *,
    tracks: tuple[TrackInfo, ...],
    duration_s: float,
    height_px: int | None,
    size_bytes: int,
    now_s: float,
    sprites: bool = False,
    skips: tuple[Skip, ...] = (),
    holes: tuple[Hole, ...] = (),
) -> VideoIn:
    """Return what the house says of a packaged video."""
    return VideoIn(
        title=request.title,
        external_id=request.external_id,
        season=request.season,
        episode=request.episode,
        episode_name=request.episode_name,
        translation_id=request.translation_id,
        translation_name=request.translation_name,
        translation_kind=request.translation_kind,
        language=request.language,
        height_px=height_px,
        duration_s=duration_s,
        size_bytes=size_bytes,
        tracks=tracks,
        sprites=sprites,
        skips=skips,
        holes=holes,
        published_at=datetime.fromtimestamp(now_s, UTC),
    )


def told_tracks(tracks: TrackSet, sums: dict[str, str], loud: dict[str, float | None]) -> tuple[TrackInfo, ...]:
    """Return what the house says of packaged tracks, with their sums and how loud they are, by file."""
    media = [
        TrackInfo(
            kind="video" if track is tracks.video else "audio",
            file=track.file,
            codec=track.codec,
            language=None if track.language == "und" else track.language,
            width_px=track.width_px,
            height_px=track.height_px,
            bandwidth_bit_s=average_bit_s(track),
            size_bytes=track.size_bytes,
            sha256=sums[track.file],
            loudness_lufs=loud.get(track.file),
        )
        for track in tracks.media
    ]
    text = [
        TrackInfo(kind="subtitles", file=track.file, language=track.language, size_bytes=track.size_bytes)
        for track in tracks.text
    ]
    return (*media, *text)
