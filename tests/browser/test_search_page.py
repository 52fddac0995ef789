"""The search page fills itself in while the sources answer, and nothing that is shown moves."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import SourceCard, TitleHit
from tests.support.browser import LAPTOP, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema, FakeSources

pytestmark = pytest.mark.browser

LABELS = {"tapes": "House Tapes", "attic": "Attic Archive", "valley": "Valley"}
ROWS = "[...document.querySelectorAll('[data-key]')]"
KEYS = f"{ROWS}.map(row => row.dataset.key).join(' ')"
COUNT = "document.querySelector('[data-count]').textContent"


def hit(source: str, number: int, name: str = "", year: int = 1950) -> TitleHit:
    return TitleHit(
        external_id=f"{source}:{number}",
        source=source,
        name=name or f"Keepers {number} of {source}",
        year=year + number,
        kind="film",
    )


@pytest.fixture
def sources(house: Cinema) -> Iterator[FakeSources]:
    """Three sources, the heaviest first; the lightest answers first, the middle one has nothing to say."""
    found = house.sources
    found.cards = tuple(
        SourceCard(name=name, label=label, weight=90 - number, enabled=True, reads=("words",))
        for number, (name, label) in enumerate(LABELS.items())
    )
    shared = hit("valley", 1, name="Salt and Moon")
    found.hits = {
        "valley": (shared, hit("valley", 2)),
        "tapes": (shared.model_copy(update={"external_id": "tapes:1", "source": "tapes"}), hit("tapes", 2)),
    }
    found.order = ("valley", "attic", "tapes")
    found.may_answer = {name: threading.Event() for name in LABELS}
    yield found
    for one in found.may_answer.values():
        one.set()
    found.cards, found.hits, found.order, found.breaks_off = (), {}, (), False


def begun(opened: Tab, house: Cinema) -> None:
    """Open a search page in a browser whose script is known."""
    opened.page.goto(house.url)
    opened.page.goto(f"{house.url}/search?q=keepers")


@pytest.mark.parametrize("screen", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_rows_of_a_slow_source_come_below_those_of_a_quick_one_and_move_nothing(
    open_tab: Callable[..., Tab], house: Cinema, sources: FakeSources, screen: dict[str, int]
) -> None:
    opened = open_tab(viewport=screen)
    begun(opened, house)
    at_once = opened.page.locator("[data-ghost]").count()

    sources.may_answer["valley"].set()
    opened.until(f"{KEYS} === 'valley:1 valley:2'")
    where = f"JSON.stringify({ROWS}.slice(0, 2).map(row => row.getBoundingClientRect()))"
    before = opened.page.evaluate(where)
    opened.until(f"{COUNT} === '3 films so far. 2 sources are still answering.'")
    sources.may_answer["attic"].set()
    sources.may_answer["tapes"].set()
    opened.until(f"{KEYS} === 'valley:1 valley:2 tapes:2'")

    assert opened.page.evaluate(where) == before
    assert at_once == 3
    opened.until(f"{COUNT} === '4 films'")
    assert opened.page.locator("[data-ghost]").count() == 0
    assert opened.page.locator("[data-key='valley:1'] [data-link]").all_inner_texts() == ["Valley", "House Tapes"]
    assert opened.page.locator("[data-key='valley:1'] a.btn").get_attribute("href") == "/find/tapes:1"
    assert "It did not answer in time." in opened.page.locator("[data-asked=attic]").inner_text()
    assert opened.complaints == []


def test_quick_sources_stand_in_the_order_of_their_weights_whoever_was_first(
    open_tab: Callable[..., Tab], house: Cinema, sources: FakeSources
) -> None:
    for one in sources.may_answer.values():
        one.set()
    opened = open_tab()
    opened.page.clock.install(time=0)
    opened.page.clock.pause_at(1)  # no time passes: nobody's patience ends

    begun(opened, house)

    opened.until(f"{KEYS} === 'valley:1 tapes:2 valley:2'")
    assert opened.complaints == []


def test_a_search_that_breaks_off_is_asked_for_whole(
    open_tab: Callable[..., Tab], house: Cinema, sources: FakeSources
) -> None:
    sources.breaks_off = True
    opened = open_tab()
    begun(opened, house)

    sources.may_answer["valley"].set()

    opened.page.wait_for_url("**/search?q=keepers&whole=1")
    assert opened.page.locator("[data-ghost]").count() == 0
    assert opened.page.locator("[data-key='tapes:1'] [data-link]").count() == 2


def test_without_a_script_the_page_comes_whole(
    open_tab: Callable[..., Tab], house: Cinema, sources: FakeSources
) -> None:
    for one in sources.may_answer.values():
        one.set()
    opened = open_tab(java_script_enabled=False)

    opened.page.goto(f"{house.url}/search?q=keepers")

    assert opened.page.locator("[data-key]").count() == 3
    assert "4 films" in opened.page.locator("[data-count]").inner_text()
