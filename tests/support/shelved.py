"""A film packaged and published for real, in a media folder of the test's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from kinodom_common.contracts.offers import Skip
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import WishRequest
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.publish import publish
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.fetched import Container, Fetched, FetchedTrack, Role
from kinodom_downloader.domain.shown import video_of
from tests.support import clips

REQUEST = WishRequest(
    external_id="demo:salt",
    season=1,
    episode=2,
    episode_name="Соль и луна",
    translation_name="Prichal",
    language="ru",
    title=TitleCard(external_id="demo:salt", name="The Tin Lighthouse", year=2026, kind="series"),
)


def a_track(container: Container, *parts: Path, role: Role = "muxed", language: str | None = None) -> FetchedTrack:
    """Return fetched parts that say nothing of themselves."""
    return FetchedTrack(
        role=role, container=container, parts=parts, durations_s=(), breaks=(), language=language, name=None
    )


def put_on_shelf(
    root: Path, *tracks: FetchedTrack, request: WishRequest = REQUEST, skips: tuple[Skip, ...] = (), **options: Any
) -> str:
    """Publish a film below `root` and return its id; without tracks it is a short one with irregular key frames."""
    video_id = rules.wish_id_of(request)
    made_of = tracks or (a_track("ts", *clips.film_ts_parts()),)
    staging = root / "work" / video_id / "stage"
    made = package(
        Fetched(tracks=made_of, duration_s=None, total_bytes=0),
        staging,
        language=request.language,
        skips=skips,
        **options,
    )
    video = video_of(
        request,
        tracks=made.tracks,
        duration_s=made.duration_s,
        height_px=made.height_px,
        size_bytes=made.size_bytes,
        now_s=time.time(),
        sprites=made.sprites,
        skips=made.skips,
        holes=made.holes,
    )
    publish(staging, root / "library", video_id, video, source="demo", fence=lambda: None, trash=root / "trash")
    return video_id
