"""The downloads page lives by itself: numbers move, and a finished row goes where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.wishes import WishList
from tests.support.cinema import a_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_common.contracts.wishes import WishState
    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser


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
    opened.until("document.querySelector('[data-wish-left]').textContent === '71 %, 1.1 GB of 1.5 GB'")
    width = opened.page.locator("[data-wish-strip]").get_attribute("width")
    right = opened.page.locator("[data-wish-right]").inner_text()
    queue("ready", 1.0)

    opened.until("document.querySelector('section[aria-labelledby=done] [data-wish]')")
    assert width == "71"
    assert right == "fetching, 4.2 MB/s, 2 minutes left"
    opened.page.keyboard.press("Slash")
    assert opened.page.evaluate("document.activeElement.name") == "q"
