"""Watching while a film comes, in a browser: one press, the whole seek bar, and a host that gives a part at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import media, origin
from tests.support.journey import open_search, picture
from tests.support.real_house import real_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.browser import Tab
    from tests.support.house_of_stand_ins import House
    from tests.support.origin import Answer, Origin

pytestmark = [pytest.mark.house, pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


@pytest.fixture(scope="module")
def house(host: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house") / "data"
    with real_house(folder, KINODOM_ALLOW_LAN=f"127.0.0.1:{host.port}") as running:
        yield running


def held(server: Origin, may_go: set[int]) -> Callable[[Answer, int], bool]:
    """Return a fault that keeps every segment back until its number is in the set, or all are let go."""

    def fault(answer: Answer, _number: int) -> bool:
        found = re.search(r"seg(\d+)\.", answer.path)
        while found and int(found[1]) not in may_go and not server.gate.wait(0.02):
            pass
        return False

    return fault


def press_watch(tab: Tab, house: House, address: str) -> None:
    """Search for an address and press Watch beside what was found."""
    open_search(tab, f"http://127.0.0.1:{house.port}", address)
    tab.page.click("button[data-watch]")
    tab.page.wait_for_url("**/watch/*")


def test_a_film_plays_and_is_sought_in_while_most_of_it_has_not_come(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/slow")
    may_go = {0, 1, 20, 21, 22}
    host.faults["*"] = held(host, may_go)
    tab = open_tab()

    press_watch(tab, house, f"{host.address}/slow/index.m3u8")

    tab.until("globalThis.kinodom?.player.position() > 0.5 && !kinodom.player.paused()", limit_s=30)
    assert round(picture(tab)["duration"]) == media.LONG_S
    tab.page.evaluate("document.querySelector('video').currentTime = 41")
    tab.until("kinodom.player.position() > 42 && !kinodom.player.paused()", limit_s=20)
    host.gate.set()
