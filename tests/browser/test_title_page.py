"""Deleting a film from its page: asked first, done with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cinema import FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser
BIN = f"form[action='/videos/{FIRST}/delete'] button"


def test_a_film_is_deleted_after_a_yes_and_brought_back_by_undo(open_tab: Callable[..., Tab], house: Cinema) -> None:
    page = open_tab().page
    page.goto(f"{house.url}/titles/t1")
    page.locator(BIN).click()
    asked = page.locator("#ask h2").inner_text()
    page.get_by_role("button", name="Keep").click()
    kept = list(house.downloader.removed)
    page.locator(BIN).click()

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Undo").wait_for()
    gone = list(house.downloader.removed)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"{house.url}/titles/t1")

    assert asked.startswith("Delete “Keepers 1, Prichal”")
    assert (kept, gone, house.downloader.removed) == ([], [FIRST], [])


def test_without_a_script_the_button_deletes_at_once(open_tab: Callable[..., Tab], house: Cinema) -> None:
    page = open_tab(java_script_enabled=False).page
    page.goto(f"{house.url}/titles/t1")

    page.locator(BIN).click()
    page.get_by_role("button", name="Undo").click()

    assert page.url == f"{house.url}/titles/t1"
    assert house.downloader.removed == []
