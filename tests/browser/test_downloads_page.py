"""The downloads page lives by itself: numbers move, and a finished row goes where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.wishes import WishList
from tests.support.browser import PHONE
from tests.support.cinema import a_queue, a_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_common.contracts.wishes import WishState
    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser


ROWS = "[...document.querySelectorAll('[data-order] > li')].map((row) => row.dataset.wish).join()"


@pytest.fixture
def line(house: Cinema) -> Iterator[list[tuple[str, str | None]]]:
    """Let three films wait for their turn, and return where they were moved to."""
    house.downloader.list = a_queue("alpha", "bravo", "coda")
    yield house.downloader.moved
    house.downloader.list = WishList()
    house.downloader.moved.clear()


@pytest.fixture
def queue(house: Cinema) -> Iterator[Callable[[WishState, float], None]]:
    """Set what the downloader says."""

    def becomes(state: WishState, fraction: float) -> None:
        house.downloader.list = a_wish(state, fraction)

    yield becomes
    house.downloader.list = WishList()


def test_numbers_move_and_a_ready_film_moves_to_the_done(
    open_tab: Callable[..., Tab], house: Cinema, queue: Callable[[WishState, float], None]
) -> None:
    queue("running", 0.2)
    opened = open_tab()
    opened.page.goto(f"{house.url}/downloads")

    queue("running", 0.71)
    opened.until("document.querySelector('[data-wish-left]').textContent === '71\u00a0%, 1.1 GB of 1.5 GB'")
    width = opened.page.locator("[data-wish-strip]").get_attribute("width")
    right = opened.page.locator("[data-wish-right]").inner_text()
    queue("ready", 1.0)

    opened.until("document.querySelector('section[aria-labelledby=done] [data-wish]')")
    assert width == "71"
    assert right == "4.2 MB/s, 2 minutes left"
    opened.page.keyboard.press("Slash")
    assert opened.page.evaluate("document.activeElement.name") == "q"


def test_a_row_is_moved_by_keys_keeps_the_focus_and_says_where_it_is(
    open_tab: Callable[..., Tab], house: Cinema, line: list[tuple[str, str | None]]
) -> None:
    opened = open_tab()
    opened.page.goto(f"{house.url}/downloads")
    opened.page.focus("button[aria-label='Pause: bravo']")

    opened.page.keyboard.press("Alt+ArrowDown")
    opened.until(f"{ROWS} === 'alpha,coda,bravo'")
    said = opened.page.locator("[data-said]").inner_text()
    opened.page.keyboard.press("Alt+ArrowUp")
    opened.page.keyboard.press("Alt+ArrowUp")
    opened.page.keyboard.press("Alt+ArrowUp")

    opened.until(f"{ROWS} === 'bravo,alpha,coda'")
    assert said == "bravo is now number 3 of 3"
    assert opened.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause: bravo"
    opened.until("document.querySelector('[data-wish=bravo] [data-move=up]') === null")  # drawn anew by the house
    assert line == [("bravo", None), ("bravo", "coda"), ("bravo", "alpha")]
    assert opened.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause: bravo"


def test_with_shift_a_row_goes_to_the_very_front_and_behind_all(
    open_tab: Callable[..., Tab], house: Cinema, line: list[tuple[str, str | None]]
) -> None:
    opened = open_tab()
    opened.page.goto(f"{house.url}/downloads")
    opened.page.focus("button[aria-label='Pause: coda']")

    opened.page.keyboard.press("Alt+Shift+ArrowUp")
    opened.until(f"{ROWS} === 'coda,alpha,bravo'")
    opened.until("document.querySelector('[data-wish=coda] [data-move=up]') === null")  # drawn anew by the house
    opened.page.keyboard.press("Alt+Shift+ArrowDown")

    opened.until(f"{ROWS} === 'alpha,bravo,coda'")
    opened.until("document.querySelector('[data-wish=coda] [data-move=down]') === null")
    assert line == [("coda", "alpha"), ("coda", None)]


def test_a_row_is_dragged_to_its_place(
    open_tab: Callable[..., Tab], house: Cinema, line: list[tuple[str, str | None]]
) -> None:
    opened = open_tab()
    opened.page.goto(f"{house.url}/downloads")
    opened.until("!document.querySelector('[data-order-hint]').hidden")

    opened.page.locator("[data-wish=coda]").drag_to(
        opened.page.locator("[data-wish=alpha]"), target_position={"x": 60, "y": 4}
    )

    opened.until(f"{ROWS} === 'coda,alpha,bravo'")
    assert line == [("coda", "alpha")]


@pytest.mark.parametrize("language", ["en-GB", "ru-RU"])
def test_nothing_of_the_page_is_wider_than_a_small_phone(
    open_tab: Callable[..., Tab], house: Cinema, line: list[tuple[str, str | None]], language: str
) -> None:
    opened = open_tab(viewport={**PHONE, "width": 320}, locale=language)
    opened.page.goto(f"{house.url}/downloads")
    opened.page.click("summary.btn--lit")

    assert opened.page.evaluate("document.documentElement.scrollWidth") == 320
    assert opened.page.locator("#address").is_visible()
    assert line == []


def test_the_address_box_is_not_taken_away_while_somebody_types(
    open_tab: Callable[..., Tab], house: Cinema, queue: Callable[[WishState, float], None]
) -> None:
    queue("running", 0.2)
    opened = open_tab()
    opened.page.goto(f"{house.url}/downloads")
    opened.page.click("summary.btn--lit")
    opened.page.fill("#address", "demo:half-typed")

    queue("ready", 1.0)
    opened.until("performance.getEntriesByType('resource').some((entry) => entry.name.includes('/api/v1/wishes'))")
    kept = opened.page.input_value("#address")
    opened.page.keyboard.press("Tab")
    opened.page.click("summary.btn--lit")

    opened.until("document.querySelector('section[aria-labelledby=done] [data-wish]')")
    assert kept == "demo:half-typed"
