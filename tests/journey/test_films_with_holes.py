"""Films of which parts are missing, through the whole house: while they come, on somebody's word, and on the shelf."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.journey.test_watch_at_once import MOVING, held_but, press_watch, wish_of
from tests.support import media, origin
from tests.support.journey import ask_api
from tests.support.real_house import real_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.browser import Tab
    from tests.support.house_of_stand_ins import House
    from tests.support.origin import Answer, Origin

pytestmark = [pytest.mark.house, pytest.mark.browser, pytest.mark.timeout(300)]

LOST = 5  # the segment that no source has: 10 s to 12 s


@pytest.fixture(scope="module")
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


@pytest.fixture(scope="module")
def house(host: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with real_house(folder / "data", KINODOM_ALLOW_LAN=f"127.0.0.1:{host.port}") as running:
        yield running


def send(tab: Tab, path: str, body: str = "{}") -> dict[str, Any]:
    """Post to the house's API as a page of it does."""
    csrf = "document.querySelector('meta[name=csrf]').content"
    headers = f"{{'X-CSRF-Token': {csrf}, 'Content-Type': 'application/json'}}"
    asked = f"fetch('{path}', {{method: 'POST', headers: {headers}, body: '{body}'}})"
    found: dict[str, Any] = tab.page.evaluate(f"{asked}.then((one) => one.json())")
    return found


def until_state(tab: Tab, wish_id: str, *states: str) -> None:
    asked = f"fetch('/api/v1/wishes/{wish_id}').then((one) => one.json())"
    tab.until(f"{asked}.then((one) => {list(states)}.includes(one.state))", limit_s=60)


def wanted(tab: Tab, house: House, host: Origin, name: str) -> str:
    """Ask for a film of which one segment cannot be had, and return its wish when the house has named that."""
    host.put(media.long_hls_ts(), f"/{name}")
    host.faults[f"/{name}/seg{LOST}.ts"] = origin.status(404)
    tab.page.goto(f"http://127.0.0.1:{house.port}/downloads")
    made = send(tab, "/api/v1/downloads", f'{{"address": "{host.address}/{name}/index.m3u8"}}')
    wish_id = str(made["wishes"][0]["wish_id"])
    until_state(tab, wish_id, "waiting", "refused")
    return wish_id


def test_a_film_with_a_gap_plays_over_it_while_it_comes(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/gap")
    rows = host.files["/gap/index.m3u8"].decode()
    host.files["/gap/index.m3u8"] = re.sub(rf"(#EXTINF:[^\n]*\nseg{LOST}\.ts)", r"#EXT-X-GAP\n\1", rows).encode()
    host.faults["*"] = held_but(host, *range(LOST + 4))
    host.gate.clear()
    tab = open_tab()

    wish_id = press_watch(tab, house, f"{host.address}/gap/index.m3u8")

    tab.until(MOVING, limit_s=30)
    tab.page.evaluate("document.querySelector('video').currentTime = 8.5")
    tab.until("kinodom.player.position() > 12.5 && !kinodom.player.paused()", limit_s=20)
    assert tab.page.inner_text("[data-part=holes-told]") == "Missing: 0:10–0:12."
    assert wish_of(tab, wish_id)["state"] == "running"
    assert host.asked.get(f"/gap/seg{LOST}.ts") is None
    host.gate.set()
    until_state(tab, wish_id, "ready")
    (hole,) = ask_api(tab, f"/api/v1/videos/{wish_id}")["holes"]
    assert (hole["from_s"], hole["to_s"]) == pytest.approx((10.0, 12.0), abs=0.1)
    assert tab.complaints == []


def test_one_press_keeps_a_film_with_its_hole_and_it_plays_over_it(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    wish_id = wanted(tab, house, host, "lost")
    tab.page.reload()

    row = tab.page.inner_text(f"[data-wish='{wish_id}']")
    tab.page.click(f"[data-wish='{wish_id}'] button:has-text('Keep it with the hole')")

    assert "Missing: 00:10–00:12." in row
    until_state(tab, wish_id, "ready")
    tab.page.goto(f"http://127.0.0.1:{house.port}/watch/{wish_id}?t=9")
    tab.until("globalThis.kinodom?.player.position() > 12.5 && !kinodom.player.paused()", limit_s=20)
    assert round(tab.page.evaluate("kinodom.player.duration()")) == media.LONG_S
    assert tab.page.locator(".seek__hole").count() == 1
    assert tab.complaints == []


def test_a_viewer_who_waits_for_what_is_given_up_goes_on_behind_it(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    wish_id = wanted(tab, house, host, "late")
    host.gate.clear()

    def late(answer: Answer, number: int) -> bool:
        host.gate.wait(60)
        return origin.status(404)(answer, number)

    host.faults[f"/late/seg{LOST}.ts"] = late
    send(tab, f"/api/v1/wishes/{wish_id}/holes")
    tab.page.goto(f"http://127.0.0.1:{house.port}/watch/{wish_id}?t=8")
    tab.until("globalThis.kinodom?.player.position() > 9 && !kinodom.player.paused()", limit_s=30)

    host.gate.set()

    tab.until("kinodom.player.position() > 12.5 && !kinodom.player.paused()", limit_s=40)
    assert tab.page.locator("[data-part=trouble]").is_hidden()
    assert tab.page.inner_text("[data-part=holes-told]").startswith("Missing: 0:10–0:12")
