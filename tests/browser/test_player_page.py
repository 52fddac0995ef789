"""The page that plays one film: in Chromium, through the real Nginx, under the real policy for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browser import PHONE, TELL_REFUSALS, chromium, tab
from tests.support.cinema import FIRST, OTHER_DUB, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

PLAYS = "kinodom.player.position() > 0.4 && !kinodom.player.paused()"
POSITION = "kinodom.player.position()"


@pytest.fixture
def watching(open_tab: Callable[..., Tab], house: Cinema) -> Tab:
    """A tab in which the first film plays."""
    opened = open_tab()
    opened.page.goto(house.watch_url())
    opened.until(PLAYS)
    return opened


def test_a_film_plays_and_nothing_breaks_the_policy_for_scripts(watching: Tab) -> None:
    sprite = "document.querySelector('[data-part=play] use').getBoundingClientRect().width"

    drawn_px = watching.page.evaluate(sprite)

    assert drawn_px > 5
    assert watching.complaints == []


def test_the_seek_bar_moves_the_film_and_says_where_it_is(watching: Tab) -> None:
    bar = watching.page.locator(".seek input")
    box = bar.bounding_box()
    assert box is not None

    watching.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)

    watching.until(f"{POSITION} > 28 && {POSITION} < 36 && !kinodom.player.paused()")
    assert bar.get_attribute("aria-valuetext") in {f"0:{second} of 1:00" for second in range(28, 36)}
    assert watching.complaints == []


def test_keys_work_by_their_place_on_the_keyboard(watching: Tab) -> None:
    press = watching.page.keyboard.press

    press("KeyK")
    watching.until("kinodom.player.paused()")
    press("Digit5")
    watching.until(f"Math.abs({POSITION} - 30) < 0.2")
    press("KeyJ")
    watching.until(f"Math.abs({POSITION} - 20) < 0.2")
    press("ArrowRight")
    watching.until(f"Math.abs({POSITION} - 25) < 0.2")
    press("Period")
    watching.until(f"Math.abs({POSITION} - 25.04) < 0.02")
    press("KeyM")
    press("Space")

    watching.until("!kinodom.player.paused() && document.querySelector('video').muted")


def test_an_arrow_on_the_seek_bar_is_five_seconds_too(watching: Tab) -> None:
    watching.page.keyboard.press("KeyK")
    watching.page.keyboard.press("Digit1")
    watching.page.focus(".seek input")

    watching.page.keyboard.press("ArrowRight")

    watching.until(f"Math.abs({POSITION} - 11) < 0.2")


def test_every_control_has_a_name(watching: Tab) -> None:
    nameless = """[...document.querySelectorAll('.player button, .player a, .player input')]
      .filter((one) => one.checkVisibility() && !(one.ariaLabel || one.textContent.trim()))
      .map((one) => one.outerHTML)"""

    assert watching.page.evaluate(nameless) == []


def test_the_panel_shows_dubs_subtitles_and_quality_and_escape_closes_it(watching: Tab) -> None:
    page = watching.page

    page.keyboard.press("KeyD")

    assert page.locator("#settings [role=menu]").count() == 3
    assert page.locator("#settings [aria-checked=true]").first.inner_text().split() == ["Prichal", "voice"]
    other = page.locator("#settings a[role=menuitemradio]")
    assert f"/watch/{OTHER_DUB}?t=" in (other.get_attribute("href") or "")
    assert "now 360p" in page.locator("#settings").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#settings").is_visible()
    assert page.evaluate("document.activeElement.dataset.part") == "settings-button"


def test_the_deck_goes_after_three_seconds_but_not_while_paused(watching: Tab) -> None:
    watching.page.mouse.move(400, 300)
    hidden = "'idle' in document.querySelector('.player').dataset"

    watching.until(hidden, limit_s=6)
    watching.page.mouse.move(420, 310)
    watching.until(f"!({hidden})")
    watching.page.keyboard.press("KeyK")
    watching.page.wait_for_timeout(3600)

    assert not watching.page.evaluate(hidden)


def test_speed_is_chosen_from_a_menu(watching: Tab) -> None:
    watching.page.click("[data-part=speed-button]")

    watching.page.click("#speed >> text=1.5×")

    assert watching.page.evaluate("document.querySelector('video').playbackRate") == 1.5
    watching.until("document.querySelector('[data-part=speed-button]').textContent === '1.5×'")


def test_the_next_episode_is_one_key_away(watching: Tab, house: Cinema) -> None:
    watching.page.keyboard.press("KeyN")

    watching.page.wait_for_url(house.watch_url(SECOND))
    watching.until(PLAYS)


def test_a_link_with_a_time_begins_there_and_a_place_is_kept(watching: Tab, house: Cinema) -> None:
    watching.page.goto(house.watch_url() + "?t=20")
    watching.until(f"{POSITION} > 20.4 && {POSITION} < 25")
    watching.page.keyboard.press("KeyK")
    watching.until("kinodom.player.paused()")

    watching.page.goto(house.watch_url())

    watching.until(f"{POSITION} > 20 && !kinodom.player.paused()")
    watching.page.click("text=From the start")
    watching.until(f"{POSITION} < 5")


def test_a_link_that_lapses_is_renewed_without_a_stop(open_tab: Callable[..., Tab], house: Cinema) -> None:
    opened = open_tab()
    house.clock.ahead_s = 3 - 6 * 3600  # signed long ago: three seconds are left
    opened.page.goto(house.watch_url())
    opened.until(PLAYS)
    house.clock.ahead_s = 0.0
    opened.page.wait_for_timeout(3500)

    opened.page.keyboard.press("Digit9")

    opened.until(f"{POSITION} > 54.3 && !kinodom.player.paused()")
    assert not opened.page.locator("[data-part=trouble]").is_visible()


def test_a_film_that_is_gone_is_said_in_words_with_a_way_on(open_tab: Callable[..., Tab], house: Cinema) -> None:
    opened = open_tab()
    opened.page.route("**/manifest.mpd", lambda route: route.fulfill(status=404))
    opened.page.goto(house.watch_url())
    trouble = opened.page.locator("[data-part=trouble]")

    trouble.wait_for()
    words = trouble.inner_text()
    opened.page.unroute("**/manifest.mpd")
    opened.page.click("[data-part=retry]")

    assert "not on the disk any more" in words
    opened.until("kinodom.player.duration() > 50")
    assert not trouble.is_visible()


def test_without_a_gesture_the_film_waits_for_the_button(
    browser: Browser, request: pytest.FixtureRequest, house: Cinema
) -> None:
    with chromium(browser.browser_type, autoplay=False) as strict, tab(strict, request, traced=False) as opened:
        opened.page.add_init_script(TELL_REFUSALS)
        with opened.page.expect_console_message(lambda message: message.text == "play: NotAllowedError"):
            opened.page.goto(house.watch_url())

        opened.page.click("[data-part=play]")

        opened.until(PLAYS)
        assert opened.complaints == []


def test_a_phone_has_the_controls_under_the_picture(open_tab: Callable[..., Tab], house: Cinema) -> None:
    opened = open_tab(viewport=PHONE, has_touch=True, is_mobile=True)
    opened.page.goto(house.watch_url(FIRST))
    opened.until(PLAYS)

    picture = opened.page.locator(".player__picture").bounding_box()
    seek = opened.page.locator(".seek").bounding_box()
    width_px = opened.page.evaluate("document.documentElement.scrollWidth")

    assert picture is not None
    assert seek is not None
    assert seek["y"] >= picture["y"] + picture["height"]
    assert width_px == PHONE["width"]


def test_the_seek_bar_shows_the_moment_under_the_pointer(watching: Tab) -> None:
    box = watching.page.locator(".seek input").bounding_box()
    assert box is not None

    def point(share: float) -> None:
        watching.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)

    point(0.3)
    watching.until("performance.getEntriesByType('resource').some((one) => one.name.endsWith('/sprites.vtt'))")
    point(0.75)

    watching.until("document.querySelector('[data-part=peek-picture]').getAttribute('viewBox') === '240 136 240 136'")
    watching.until(
        "performance.getEntriesByType('resource').some((one) => one.name.endsWith('/sprite-0.jpg') && one.responseEnd)"
    )
    seen = watching.page.locator("[data-part=peek-picture]").bounding_box()
    assert seen is not None
    assert seen["width"] > 100
    assert watching.page.locator("[data-part=peek-time]").inner_text() == "0:45"
    assert watching.complaints == []


def test_an_opening_is_passed_over_by_the_slot_or_its_key(watching: Tab, house: Cinema) -> None:
    watching.page.goto(house.watch_url(SECOND))
    watching.until(PLAYS)
    watching.page.evaluate("document.querySelector('video').currentTime = 22")
    offer = watching.page.get_by_role("button", name="Skip the opening")
    offer.wait_for()

    watching.page.keyboard.press("KeyS")

    watching.until(f"{POSITION} >= 40")
    offer.wait_for(state="hidden")
    assert watching.page.locator("[data-part=chapters] rect").count() == 2
