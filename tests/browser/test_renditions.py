"""A film with several pictures in the player: it changes by itself and by hand, and takes what the browser plays."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.publish import find_published
from kinodom_downloader.adapters.remaker import MediaRemaker
from kinodom_downloader.domain.ladder import Ladder, missing
from tests.support import clips
from tests.support.cinema import FIRST
from tests.support.seeking import lands
from tests.support.shelved import REQUEST, a_track, put_on_shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_downloader.domain.fetched import FetchedTrack
    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

LADDERED, HEVC = "d5" * 32, "d6" * 32
LONG_S = 60.0  # twice what the player has ahead


def add_renditions(root: Path, video_id: str, ladder: Ladder) -> None:
    """Make what a published film lacks."""
    metadata = find_published(root / "library", video_id)
    assert metadata is not None
    rungs = missing(metadata.video, ladder)
    MediaRemaker(root).make(
        video_id, rungs, attempt=1, fence=lambda: None, progress=lambda _fraction: None, stopped=lambda: False
    )


def with_renditions(root: Path, ladder: Ladder, *tracks: FetchedTrack, episode: int) -> Path:
    """Publish a film, and add what it lacks."""
    video_id = put_on_shelf(root, *tracks, request=REQUEST.model_copy(update={"episode": episode}))
    add_renditions(root, video_id, ladder)
    return root / "library" / folder_of(video_id)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of a film with two heights, and of one in HEVC with a picture in H.264 beside it."""
    root = tmp_path_factory.mktemp("renditions")
    long = root / "long.mkv"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={LONG_S}")
    sound = ("-f", "lavfi", "-i", f"sine=440:d={LONG_S}")
    clips.ffmpeg(*picture, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", long)
    hevc = clips.coded("hevc-long.mkv", "-t", "8", "-c:v", "libx265", "-x265-params", "log-level=none")
    return {
        "source": long,
        LADDERED: with_renditions(root, Ladder.of("144"), a_track("webm", long), episode=1),
        HEVC: with_renditions(root, Ladder.of("", everywhere=True), a_track("webm", hevc), episode=2),
    }


@pytest.fixture
def watch(open_tab: Callable[..., Tab], house: Cinema, films: dict[str, Path]) -> Iterator[Callable[[str], Tab]]:
    """Open the player's page of one of the films."""
    catalogue, kept, page = house.catalogue, house.catalogue.videos, house.catalogue.page

    def opened(video_id: str) -> Tab:
        film = catalogue.video(FIRST).model_copy(update={"video_id": video_id, "episode": 3})
        catalogue.videos, catalogue.page = (*kept, film), page.model_copy(update={"videos": (*kept, film)})
        place = house.nginx.library / folder_of(video_id)
        if not place.exists():
            shutil.copytree(films[video_id], place)
        tab = open_tab()
        tab.page.goto(house.watch_url(video_id))
        tab.until("globalThis.kinodom?.player.position() > 0.4")
        return tab

    yield opened
    catalogue.videos, catalogue.page = kept, page


def test_the_menu_offers_each_height_and_a_press_changes_to_it_while_the_film_goes_on(
    watch: Callable[[str], Tab],
) -> None:
    tab = watch(LADDERED)
    tab.page.keyboard.press("KeyD")
    quality = tab.page.get_by_role("menu", name="Quality")
    offered = quality.get_by_role("menuitemradio").all_inner_texts()

    quality.get_by_role("menuitemradio", name="144p").press("Enter")

    assert [one.split()[0] for one in offered] == ["Automatic", "180p", "144p"]
    tab.until("document.querySelector('video').videoHeight === 144")
    tab.until("kinodom.player.position() > 3 && !kinodom.player.paused()")
    assert tab.complaints == []


def test_the_player_changes_by_itself_to_what_its_limits_allow(watch: Callable[[str], Tab]) -> None:
    tab = watch(LADDERED)
    tab.until("document.querySelector('video').videoHeight === 180")

    tab.page.evaluate("kinodom.player.film.picture.player.configure('abr.restrictions.maxHeight', 150)")
    landed = lands(tab.page, LONG_S - 5.0, near_s=1.5 * clips.FRAME_S)  # not fetched yet

    assert landed
    assert tab.page.evaluate("document.querySelector('video').videoHeight") == 144
    assert tab.complaints == []


def test_a_browser_without_hevc_plays_the_picture_in_h264(watch: Callable[[str], Tab]) -> None:
    tab = watch(HEVC)

    assert not tab.page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')")
    assert tab.page.evaluate("document.querySelector('video').videoWidth") > 0
    assert tab.complaints == []


def test_a_film_that_plays_goes_on_while_its_folder_is_replaced(
    watch: Callable[[str], Tab], house: Cinema, films: dict[str, Path]
) -> None:
    root = house.nginx.library.parent
    long = films["source"]
    video_id = put_on_shelf(root, a_track("webm", long), request=REQUEST.model_copy(update={"episode": 7}))
    tab = watch(video_id)

    add_renditions(root, video_id, Ladder.of("144"))
    landed = lands(tab.page, LONG_S - 5.0, near_s=1.5 * clips.FRAME_S)  # not fetched before

    assert landed
    assert tab.complaints == []
    assert (house.nginx.library / folder_of(video_id) / "v-144.mp4").is_file()
