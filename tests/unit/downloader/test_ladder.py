"""Which renditions a film is to get."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import TrackInfo, VideoIn
from kinodom_downloader.domain.ladder import Ladder, for_devices, missing, needed_bytes, plays_everywhere

AVC, AVC_10_BIT, HEVC = "avc1.640028", "avc1.6e0028", "hvc1.1.6.L93.B0"


def a_film(*pictures: tuple[str, int]) -> VideoIn:
    tracks = [
        TrackInfo(kind="video", file=f"v{number}.mp4", codec=codec, height_px=height_px)
        for number, (codec, height_px) in enumerate(pictures)
    ]
    return VideoIn(
        title=TitleCard(external_id="demo:x", name="x"),
        external_id="demo:x",
        duration_s=100.0,
        size_bytes=1,
        tracks=(*tracks, TrackInfo(kind="audio", file="a.mp4", codec="mp4a.40.2")),
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("pictures", "ladder", "wanted"),
    [
        ([(AVC, 1080)], Ladder.of("480,720"), [720, 480]),
        ([(AVC, 1080), (AVC, 480)], Ladder.of("720,480"), [720]),
        ([(AVC, 800)], Ladder.of("720,480"), [480]),  # 720 is hardly less
        ([(AVC, 576)], Ladder.of("480"), []),
        ([(AVC, 1080)], Ladder.of("", everywhere=True), []),
        ([(HEVC, 1080)], Ladder.of(""), []),
        ([(HEVC, 1080)], Ladder.of("", everywhere=True), [1080]),
        ([(AVC_10_BIT, 1080)], Ladder.of("480", everywhere=True), [1080, 480]),
        ([(HEVC, 803)], Ladder.of("", everywhere=True), [802]),
        ([(HEVC, 803), (AVC, 802)], Ladder.of("", everywhere=True), []),
        ([], Ladder.of("480", everywhere=True), []),
    ],
)
def test_a_film_gets_what_it_lacks(pictures: list[tuple[str, int]], ladder: Ladder, wanted: list[int]) -> None:
    assert [rung.height_px for rung in missing(a_film(*pictures), ladder)] == wanted


@pytest.mark.parametrize("text", ["tall", "100", "9999", "480;720", "-480", "480,240,360,720,1080,1440,2160"])
def test_a_ladder_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="heights"):
        Ladder.of(text)


def test_the_room_that_renditions_take_is_known_before() -> None:
    assert needed_bytes(missing(a_film((AVC, 1080)), Ladder.of("480")), 100.0) == 20_160_000


@pytest.mark.parametrize(
    ("codec", "plays"), [(AVC, True), (AVC_10_BIT, False), (HEVC, False), ("av01.0.04M.08", False)]
)
def test_what_plays_everywhere(codec: str, plays: bool) -> None:
    assert plays_everywhere(codec) is plays


@pytest.mark.parametrize(
    ("pictures", "chosen"),
    [
        ([(AVC, 1080), (AVC, 480)], "v0.mp4"),
        ([(HEVC, 1080), (AVC, 1080)], "v1.mp4"),
        ([(HEVC, 1080), (AVC, 480)], "v0.mp4"),
    ],
)
def test_a_device_gets_what_it_plays_unless_it_is_smaller(pictures: list[tuple[str, int]], chosen: str) -> None:
    picture = for_devices(a_film(*pictures).tracks)

    assert picture is not None
    assert picture.file == chosen


def test_sound_alone_has_no_picture_for_a_device() -> None:
    assert for_devices(a_film().tracks) is None
