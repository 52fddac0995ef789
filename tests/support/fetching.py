"""Calls of the fetch engine against the origin of the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from kinodom_common.contracts.offers import Delivery, Offer, SubtitleOffer
from kinodom_common.egress import EgressRules
from kinodom_downloader.adapters.engine import Transport, fetch
from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.adapters.worker_thread import Retry
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack, Headway
from kinodom_downloader.domain.holes import Leave
from tests.support.origin import Origin

QUICK = Retry(first_s=0.01, longest_s=0.05, longest_asked_s=0.3)


def transport_for(*origins: Origin, limits: Limits | None = None) -> Transport:
    """Return a transport that may reach these hosts and retries at once."""
    allowed = frozenset(("127.0.0.1", server.port) for server in origins)
    return Transport(
        rules=EgressRules(allow_lan=allowed),
        user_agent="Kinodom test",
        limits=limits or Limits(first_byte_s=1.0, stall_s=1.0, slow_after_s=1.0, still_s=0.0),
        retry=QUICK,
    )


def fetch_from(
    server: Origin,
    entry: str,
    work_dir: Path,
    *,
    delivery: Delivery = "hls",
    workers: int = 4,
    height_px: int | None = None,
    headers: dict[str, str] | None = None,
    subtitles: tuple[SubtitleOffer, ...] = (),
    transport: Transport | None = None,
    on_progress: Callable[[Headway], None] = lambda _progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    leave: Leave = "nothing",
) -> Fetched:
    """Fetch what an entry of the origin leads to."""
    return fetch(
        Offer(
            source="test",
            url=f"{server.address}{entry}",
            delivery=delivery,
            headers=headers or {},
            subtitles=subtitles,
        ),
        work_dir,
        transport=transport or transport_for(server),
        workers=workers,
        on_progress=on_progress,
        should_stop=should_stop,
        wanted_height_px=height_px,
        leave=leave,
    )


def bytes_of(track: FetchedTrack) -> bytes:
    """Return a track's parts joined."""
    return b"".join(part.read_bytes() for part in track.parts)


def sum_of(fetched: Fetched) -> str:
    """Return one hash over all tracks."""
    return hashlib.sha256(b"".join(bytes_of(track) for track in fetched.tracks)).hexdigest()
