"""What the house says of a video once it is packaged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import VideoIn

if TYPE_CHECKING:
    from kinodom_common.contracts.offers import Skip
    from kinodom_common.contracts.videos import Hole, TrackInfo
    from kinodom_common.contracts.wishes import WishRequest


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
