"""Films of which parts are missing, in the player: gone over alone, passed in step in a room, and told."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.publish import verify_folder
from kinodom_downloader.domain.fetched import FetchedTrack, Hole
from tests.support import media
from tests.support.cinema import FIRST
from tests.support.shelved import put_on_shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_common.contracts.videos import Video
    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

HOLED = "e5" * 32
PLAYS = "globalThis.kinodom?.player.position() > 0.3 && !kinodom.player.paused()"
# The second of the film whose tone sounds now; null: silence. `tests.support.media.toned_ts` made it.
LISTEN = """(() => {
  const context = new AudioContext();
  const meter = context.createAnalyser();
  meter.fftSize = 8192;
  meter.smoothingTimeConstant = 0;
  context.createMediaElementSource(document.querySelector('video')).connect(meter);
  meter.connect(context.destination);
  const levels = new Float32Array(meter.frequencyBinCount);
  globalThis.toneNow = () => {
    meter.getFloatFrequencyData(levels);
    const top = levels.indexOf(Math.max(...levels));
    return levels[top] < -60 ? null : Math.round(((top * context.sampleRate) / meter.fftSize - 400) / 200);
  };
})()"""


@pytest.fixture(scope="module")
def film(house: Cinema, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Video]:
    """A film of 40 s on the shelf of which the stretch from 6 s to 10 s is missing."""
    root = tmp_path_factory.mktemp("holed")
    folder = media.toned_ts()
    there = [number for number in range(20) if number not in (3, 4)]
    track = FetchedTrack(
        role="muxed", container="ts", parts=tuple(folder / f"seg{number}.ts" for number in there),
        durations_s=(2.0,) * len(there), holes=(Hole(3, 4.0),),
    )  # fmt: skip
    made = put_on_shelf(root, track)
    told = verify_folder(root / "library" / folder_of(made)).video
    catalogue, kept, page = house.catalogue, house.catalogue.videos, house.catalogue.page
    video = catalogue.video(FIRST).model_copy(
        update={"video_id": HOLED, "episode": 4, "holes": told.holes, "duration_s": told.duration_s, "skips": ()}
    )
    catalogue.videos, catalogue.page = (*kept, video), page.model_copy(update={"videos": (*kept, video)})
    shutil.copytree(root / "library" / folder_of(made), house.nginx.library / folder_of(HOLED))
    yield video
    catalogue.videos, catalogue.page = kept, page


@pytest.fixture
def watching(open_tab: Callable[..., Tab], house: Cinema, film: Video) -> Tab:
    tab = open_tab()
    tab.page.goto(house.watch_url(film.video_id))
    tab.until(PLAYS)
    return tab


def test_playing_goes_over_the_hole_and_sound_and_picture_belong_together_behind_it(watching: Tab) -> None:
    watching.page.evaluate(LISTEN)
    watching.page.evaluate("document.querySelector('video').currentTime = 4.5")

    watching.until("kinodom.player.position() > 10.3")
    tone = watching.until("kinodom.player.position() % 1 > 0.4 && kinodom.player.position() % 1 < 0.8 && toneNow()")
    at_s = watching.page.evaluate("kinodom.player.position()")

    assert tone == int(at_s)
    assert watching.page.inner_text("[data-part=state]") == "a part is missing here"
    assert watching.complaints == []


def test_the_hole_is_passed_in_less_time_than_it_is_long(watching: Tab) -> None:
    watching.page.evaluate("document.querySelector('video').currentTime = 5.0")
    began_ms = watching.page.evaluate("performance.now()")

    watching.until("kinodom.player.position() > 10.5")

    assert watching.page.evaluate("performance.now()") - began_ms < 4500


def test_a_seek_into_the_hole_lands_at_its_end(watching: Tab) -> None:
    watching.page.keyboard.press("KeyK")
    watching.until("kinodom.player.paused()")

    watching.page.evaluate(
        "(() => { const bar = document.querySelector('.seek input'); bar.value = '8'; "
        "bar.dispatchEvent(new Event('change')); })()"
    )

    watching.until("!document.querySelector('video').seeking && kinodom.player.position() > 9.9")
    assert watching.page.evaluate("kinodom.player.position()") == pytest.approx(10.0, abs=0.2)


def test_a_link_with_a_time_in_the_hole_begins_behind_it(
    open_tab: Callable[..., Tab], house: Cinema, film: Video
) -> None:
    tab = open_tab()

    tab.page.goto(house.watch_url(film.video_id) + "?t=7")

    tab.until("globalThis.kinodom?.player.position() > 9.9")
    assert tab.complaints == []


def test_the_hole_is_marked_on_the_seek_bar_and_told_in_words(watching: Tab) -> None:
    mark = watching.page.locator(".seek__hole")
    x, width = (float(mark.get_attribute(name) or 0) for name in ("x", "width"))
    bar = watching.page.locator(".seek").bounding_box()
    assert bar is not None

    watching.page.mouse.move(bar["x"] + bar["width"] * 8 / 40, bar["y"] + bar["height"] / 2)

    assert (x, width) == (pytest.approx(150, abs=3), pytest.approx(100, abs=3))
    assert "a part is missing here" in watching.page.inner_text("[data-part=peek-time]")
    assert watching.page.inner_text("[data-part=holes-told]").startswith("Missing: ")
    assert "0:06–0:10" in watching.page.inner_text("[data-part=holes-told]")
