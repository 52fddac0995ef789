"""The player and the pages in Russian: words of the server and of the scripts, and the switch between languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.wishes import WishList
from tests.support.browser import PHONE
from tests.support.cinema import a_wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

LANGUAGE = "document.documentElement.lang"


def label(part: str) -> str:
    return f"document.querySelector('[data-part={part}]').getAttribute('aria-label')"


def test_the_player_speaks_russian_and_nothing_complains(open_tab: Callable[..., Tab], house: Cinema) -> None:
    watching = open_tab(locale="ru-RU")

    watching.page.goto(house.watch_url())
    watching.until("kinodom.player.position() > 0.4 && !kinodom.player.paused()")

    assert watching.page.evaluate(LANGUAGE) == "ru"
    assert watching.until(f"{label('play')} === 'Пауза' && {label('sound')}") == "Звук, 100\N{NO-BREAK SPACE}%"
    assert watching.page.evaluate(label("full")) == "Во весь экран"
    assert " из 1:00" in watching.page.locator(".seek input").get_attribute("aria-valuetext")  # type: ignore[operator]  # set by now
    watching.page.locator("[data-part=settings-button]").click()
    shown = watching.page.locator("[data-part=settings]").inner_text()
    assert {"Озвучка", "Субтитры", "Качество", "Оригинал", "Автоматически"} <= set(shown.replace(",", "\n").split("\n"))
    assert watching.complaints == []


def test_downloads_are_told_in_russian_by_the_script_too(open_tab: Callable[..., Tab], house: Cinema) -> None:
    house.downloader.list = a_wish("running", 0.4)
    opened = open_tab(locale="ru-RU")

    opened.page.goto(f"{house.url}/downloads")

    left = "document.querySelector('[data-wish-left]').textContent"
    right = "document.querySelector('[data-wish-right]').textContent"
    told = "40 %, 600 МБ из 1,5 ГБ", "4,2 МБ/с, осталось 2 минуты"
    assert opened.until(f"{left}.includes('из') && {left}").replace("\N{NO-BREAK SPACE}", " ") == told[0]
    assert opened.page.evaluate(right).replace("\N{NO-BREAK SPACE}", " ") == told[1]
    house.downloader.list = WishList()


def test_a_press_changes_the_language_and_stays_on_the_page(open_tab: Callable[..., Tab], house: Cinema) -> None:
    opened = open_tab()
    opened.page.goto(f"{house.url}/rooms")

    opened.page.get_by_role("button", name="Русский").click()

    opened.until(f"{LANGUAGE} === 'ru'")
    assert opened.page.url == f"{house.url}/rooms"
    assert opened.page.get_by_role("heading", level=1).inner_text() == "Вместе"
    opened.page.get_by_role("button", name="English").click()
    opened.until(f"{LANGUAGE} === 'en'")
    assert opened.complaints == []


@pytest.mark.parametrize("path", ["/", "/rooms", "/downloads", "/nowhere", "/watch"])
def test_russian_words_fit_on_a_phone(open_tab: Callable[..., Tab], house: Cinema, path: str) -> None:
    opened = open_tab(locale="ru-RU", viewport={**PHONE, "width": 360})

    opened.page.goto(house.watch_url() if path == "/watch" else f"{house.url}{path}")

    assert opened.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
