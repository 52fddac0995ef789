"""From Kodik's catalogue to fetched bytes: the resolver's offer is what the downloader's engine can fetch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.egress import EgressRules
from kinodom_common.errors import UpstreamFailed
from kinodom_downloader.adapters.engine import Transport, fetch
from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.domain.fetched import Fetched
from kinodom_resolver.sources.kodik import Kodik
from tests.support import media
from tests.support.fake_kodik import TOKEN, FakeKodik, served_kodik
from tests.support.fetching import QUICK, bytes_of
from tests.support.outside import outside_for


@pytest.fixture
def kodik() -> Iterator[FakeKodik]:
    fake = FakeKodik()
    files = sorted(media.hls_ts().glob("seg*.ts"))
    fake.segments = {f"seg-{number}": path.read_bytes() for number, path in enumerate(files, start=1)}
    fake.segment_s = media.DURATION_S / len(files)
    with served_kodik(fake):
        yield fake


def best_offer(kodik: FakeKodik) -> Offer:
    options = {"kodik_token": TOKEN, "kodik_api_url": kodik.places["api"], "kodik_player_hosts": "127.0.0.1"}
    source = Kodik.build({**options, "shikimori_url": "http://s.test"}, outside_for(*kodik.places.values()))
    assert source is not None
    return source.offers("shikimori:20", 1, 2, "735")[0]


def fetched(kodik: FakeKodik, offer: Offer, folder: Path) -> Fetched:
    allowed = frozenset(("127.0.0.1", int(urlsplit(place).port or 0)) for place in kodik.places.values())
    limits = Limits(first_byte_s=1.0, stall_s=1.0, slow_after_s=1.0)
    transport = Transport(rules=EgressRules(allow_lan=allowed), user_agent="Kinodom test", limits=limits, retry=QUICK)
    return fetch(
        offer, folder, transport=transport, workers=2, on_progress=lambda _: None, should_stop=lambda: False,
        wanted_height_px=720,
    )  # fmt: skip


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_episode_is_fetched_whole_though_its_segments_have_colons_and_one_fails_once(
    kodik: FakeKodik, tmp_path: Path, elsewhere: bool
) -> None:
    kodik.failing_once = {"seg-2"}
    kodik.node = kodik.places["node"] if elsewhere else None

    got = fetched(kodik, best_offer(kodik), tmp_path)

    assert bytes_of(got.tracks[0]) == b"".join(kodik.segments.values())
    assert kodik.media_asked["720.mp4:hls:seg-2-v1-a1.ts"] == 2


def test_a_missing_segment_fails_the_fetch_and_leaves_no_hole(kodik: FakeKodik, tmp_path: Path) -> None:
    kodik.missing = {"seg-3"}
    offer = best_offer(kodik)

    with pytest.raises(UpstreamFailed):
        fetched(kodik, offer, tmp_path)


def test_an_expired_link_fails_and_a_fresh_one_works(kodik: FakeKodik, tmp_path: Path) -> None:
    offer = best_offer(kodik)
    kodik.expired = True
    with pytest.raises(UpstreamFailed):
        fetched(kodik, offer, tmp_path)
    kodik.expired = False

    got = fetched(kodik, best_offer(kodik), tmp_path)

    assert len(bytes_of(got.tracks[0])) == sum(map(len, kodik.segments.values()))


def test_segments_can_be_asked_for_in_ranges(kodik: FakeKodik) -> None:
    offer = best_offer(kodik)
    segment = offer.url.replace("manifest.m3u8", "seg-1-v1-a1.ts")

    page = outside_for(offer.url).get(segment, headers={"Range": "bytes=188-375"})

    assert (page.status, page.body) == (206, kodik.segments["seg-1"][188:376])
