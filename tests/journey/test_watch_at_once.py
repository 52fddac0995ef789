"""Watching while a film comes, in a browser: one press, the whole seek bar, and hosts that give a part at a time."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import media, origin
from tests.support.journey import PLAYING, ask_api, enter_room, open_search, picture, until_in_step, wait_until_ready
from tests.support.real_house import real_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.browser import Tab
    from tests.support.house_of_stand_ins import House
    from tests.support.origin import Answer, Origin

pytestmark = [pytest.mark.house, pytest.mark.browser, pytest.mark.timeout(300)]

# A site that names two places for each film.
TWIN_SITE = """
name: twin
label: Twin
weight: 60
home: {home}
search: {{address: "/find?q={{query}}", each: "li", link: "a@href", name: "a"}}
title: {{name: "h1"}}
media:
  links: [{{each: "video source", link: "@src"}}]
  subtitles: [{{each: "video track", link: "@src", language: "@srclang", name: "@label"}}]
"""
MOVING = "globalThis.kinodom?.player.position() > 0.5 && !kinodom.player.paused()"


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Origin]]:
    with origin.origin() as one, origin.origin() as other:
        yield [one, other]


@pytest.fixture
def host(hosts: list[Origin]) -> Iterator[Origin]:
    """Give a host whose faults end with the test."""
    server = hosts[0]
    server.gate.clear()
    try:
        yield server
    finally:
        server.gate.set()
        server.faults.clear()


@pytest.fixture(scope="module")
def house(hosts: list[Origin], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    allow = ",".join(f"127.0.0.1:{server.port}" for server in hosts)
    (folder / "sites").mkdir()
    (folder / "sites/twin.yaml").write_text(TWIN_SITE.format(home=hosts[1].address))
    settings = {"KINODOM_ALLOW_LAN": allow, "KINODOM_SITES_ROOT": str(folder / "sites")}
    with real_house(folder / "data", **settings) as running:
        yield running


def held_but(server: Origin, *may_go: int) -> Callable[[Answer, int], bool]:
    """Return a fault that keeps all segments back but these until the gate opens."""

    def fault(answer: Answer, _number: int) -> bool:
        found = re.search(r"(?:seg|chunk-stream\d-)0*(\d+)\.", answer.path)
        if found and int(found[1]) not in may_go:
            server.gate.wait(60)
        return False

    return fault


def press_watch(tab: Tab, house: House, address: str) -> str:
    """Search for an address, press Watch beside what was found, and return the id of the wish."""
    open_search(tab, f"http://127.0.0.1:{house.port}", address)
    tab.page.click("button[data-watch]")
    tab.page.wait_for_url("**/watch/*")
    return tab.page.url.rpartition("/")[2]


def seek(tab: Tab, at_s: float) -> None:
    tab.page.evaluate(f"document.querySelector('video').currentTime = {at_s}")


def wish_of(tab: Tab, wish_id: str) -> dict[str, Any]:
    return ask_api(tab, f"/api/v1/wishes/{wish_id}")


def test_a_film_plays_and_is_sought_in_while_most_of_it_has_not_come(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/slow")
    host.faults["*"] = held_but(host, 0, 1, 20, 21, 22)
    tab = open_tab()

    wish_id = press_watch(tab, house, f"{host.address}/slow/index.m3u8")

    tab.until(MOVING, limit_s=30)
    assert round(picture(tab)["duration"]) == media.LONG_S
    seek(tab, 41)
    tab.until("kinodom.player.position() > 42 && !kinodom.player.paused()", limit_s=20)
    holes = "document.querySelectorAll('.seek__house rect').length"
    tab.until(f"{holes} === 2", limit_s=10)
    assert "coming" in tab.page.inner_text("[data-part=where]")
    assert wish_of(tab, wish_id)["state"] == "running"
    host.gate.set()
    tab.until("document.querySelector('[data-part=where]').textContent.includes('on disk')", limit_s=60)
    tab.until("kinodom.player.position() > 44 && !kinodom.player.paused()", limit_s=20)
    assert tab.complaints == []


@pytest.mark.parametrize(
    ("make", "entry", "may_go"),
    [
        (media.hls_fmp4, "index.m3u8", (0, 1)),
        (media.hls_aes, "index.m3u8", (0, 1)),
        (media.dash_template, "manifest.mpd", (1, 2)),
    ],
    ids=["fMP4", "AES-128", "DASH"],
)
def test_every_kind_of_list_plays_while_it_comes(
    host: Origin, house: House, open_tab: Callable[..., Tab], make: Callable[[], Path], entry: str, may_go: tuple[int]
) -> None:
    host.put(make(), f"/{make.__name__}")
    host.faults["*"] = held_but(host, *may_go)
    tab = open_tab()

    wish_id = press_watch(tab, house, f"{host.address}/{make.__name__}/{entry}")

    tab.until(MOVING, limit_s=30)
    assert round(picture(tab)["duration"]) == media.DURATION_S
    assert wish_of(tab, wish_id)["state"] == "running"


def test_a_single_file_with_its_index_at_the_end_plays_while_it_comes(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    film = media.long_mp4().read_bytes()
    assert film.index(b"moov") > len(film) // 2
    host.files["/single.mp4"] = film

    def middle_waits(answer: Answer, _number: int) -> bool:
        start = int(answer.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if 3 * 2**20 <= start < (len(film) - 1) // 2**20 * 2**20:
            host.gate.wait(60)
        return False

    host.faults["/single.mp4"] = middle_waits
    tab = open_tab()

    wish_id = press_watch(tab, house, f"{host.address}/single.mp4")

    tab.until(MOVING, limit_s=30)
    assert round(picture(tab)["duration"]) == media.LONG_S
    assert wish_of(tab, wish_id)["state"] == "running"
    host.gate.set()
    seek(tab, 50)
    tab.until("kinodom.player.position() > 51 && !kinodom.player.paused()", limit_s=20)


def test_webm_plays_while_it_comes(host: Origin, house: House, open_tab: Callable[..., Tab]) -> None:
    host.files["/lamp.webm"] = media.long_webm().read_bytes()
    last = (len(host.files["/lamp.webm"]) - 1) // 2**20 * 2**20

    def end_waits(answer: Answer, _number: int) -> bool:
        start = int(answer.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if 2**20 <= start < last:
            host.gate.wait(60)
        return False

    host.faults["/lamp.webm"] = end_waits
    tab = open_tab()

    wish_id = press_watch(tab, house, f"{host.address}/lamp.webm")

    tab.until(MOVING, limit_s=30)
    assert wish_of(tab, wish_id)["state"] == "running"


def test_one_press_keeps_what_was_only_watched(host: Origin, house: House, open_tab: Callable[..., Tab]) -> None:
    host.put(media.hls_ts(), "/keep")
    tab = open_tab()
    wish_id = press_watch(tab, house, f"{host.address}/keep/index.m3u8")
    tab.until(MOVING, limit_s=30)
    before = wish_of(tab, wish_id)["keep"]

    tab.page.click("[data-part=keep] button")

    tab.page.wait_for_url("**/watch/*")
    assert (before, wish_of(tab, wish_id)["keep"]) == (False, True)
    assert tab.page.query_selector("[data-part=keep]") is None


def test_a_killed_fetch_goes_on_and_the_player_with_it(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/killed")
    host.faults["*"] = held_but(host, 0, 1, 2, 3)
    tab = open_tab()
    wish_id = press_watch(tab, house, f"{host.address}/killed/index.m3u8")
    tab.until(MOVING, limit_s=30)
    usher = house.noted()["pids"]["downloader-usher"]

    os.kill(usher, signal.SIGKILL)
    host.gate.set()

    tab.until("kinodom.player.position() > 12 && !kinodom.player.paused()", limit_s=60)
    wait_for = f"fetch('/api/v1/wishes/{wish_id}').then((one) => one.json()).then((one) => one.state === 'ready')"
    tab.until(wait_for, limit_s=60)


def test_a_cancelled_film_is_told_and_retry_plays_it_again(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/cancelled")
    host.faults["*"] = held_but(host, 0)
    tab = open_tab()
    wish_id = press_watch(tab, house, f"{host.address}/cancelled/index.m3u8")
    tab.until(MOVING, limit_s=30)

    csrf = "document.querySelector('meta[name=csrf]').content"
    pause = f"fetch('/api/v1/wishes/{wish_id}/pause', {{method: 'POST', headers: {{'X-CSRF-Token': {csrf}}}}})"
    tab.page.evaluate(f"{pause}.then((one) => one.status)")

    tab.until("!document.querySelector('[data-part=trouble]').hidden", limit_s=60)
    assert tab.page.inner_text("[data-part=trouble-code]") == "not_coming"
    tab.page.evaluate(f"{pause.replace('/pause', '/resume')}.then((one) => one.status)")
    host.gate.set()
    tab.page.click("[data-part=retry]")
    tab.until("kinodom.player.position() > 3 && !kinodom.player.paused()", limit_s=40)


def test_a_source_that_dies_in_mid_film_is_followed_by_the_next_at_the_same_second(
    hosts: list[Origin], host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    dead, alive = host, hosts[1]
    dead.put(media.long_hls_ts(), "/dies")
    alive.put(media.long_hls_other(), "/lives")
    places = "".join(
        f'<source src="{one}">' for one in (f"{dead.address}/dies/index.m3u8", f"{alive.address}/lives/index.m3u8")
    )
    alive.files["/find"] = b'<ul><li><a href="/film">The Twin Film</a></li></ul>'
    alive.files["/film"] = f"<h1>The Twin Film</h1><video>{places}</video>".encode()
    dead.faults["*"] = held_but(dead, 0, 1, 2)
    tab = open_tab()
    open_search(tab, f"http://127.0.0.1:{house.port}", "twin film")
    tab.page.click("li[data-key^='twin:'] button[data-watch]")
    tab.page.wait_for_url("**/watch/*")
    tab.until(MOVING, limit_s=30)

    alive.gate.clear()
    alive.faults["*"] = held_but(alive, 0, 1, 2, 3)
    dead.faults["*"] = origin.hangs_up
    dead.gate.set()

    tab.until("document.querySelector('[data-part=state]').textContent.includes('same second')", limit_s=60)
    tab.until("kinodom.player.position() > 9 && !kinodom.player.paused()", limit_s=40)
    assert tab.page.evaluate("kinodom.player.position()") < 16
    alive.gate.set()


def test_subtitles_and_the_place_of_a_person_work_while_it_comes(
    hosts: list[Origin], host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    site = hosts[1]
    host.put(media.long_hls_ts(), "/texts")
    host.faults["*"] = held_but(host, *range(14))
    site.files["/english.srt"] = b"1\n00:00:00,500 --> 00:00:59,000\nA lamp at sea\n"
    track = f'<track src="{site.address}/english.srt" srclang="en" label="English">'
    site.files["/find"] = b'<ul><li><a href="/texts">Lamp at Sea</a></li></ul>'
    film = f'<h1>Lamp at Sea</h1><video><source src="{host.address}/texts/index.m3u8">{track}</video>'
    site.files["/texts"] = film.encode()
    tab = open_tab()
    open_search(tab, f"http://127.0.0.1:{house.port}", "lamp at sea")
    tab.page.click("li[data-key^='twin:'] button[data-watch]")
    tab.page.wait_for_url("**/watch/*")
    tab.until(MOVING, limit_s=30)

    tab.page.keyboard.press("KeyC")

    said = "[...(document.querySelector('video').textTracks[0]?.activeCues ?? [])].map((cue) => cue.text).join()"
    tab.until(f"{said} === 'A lamp at sea'", limit_s=20)
    assert tab.page.evaluate("kinodom.player.film.subtitles().map((one) => one.label).join()") == "English"
    seek(tab, 20)
    tab.until("kinodom.player.position() > 20.5", limit_s=20)
    tab.page.reload()
    tab.until("kinodom.player.position() > 20 && !kinodom.player.paused()", limit_s=30)


def test_a_room_of_two_watches_what_is_still_coming_and_the_source_sends_it_once(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.long_hls_ts(), "/room")
    host.faults["*"] = held_but(host, *range(10))
    one, other = open_tab("one"), open_tab("other")
    press_watch(one, house, f"{host.address}/room/index.m3u8")
    one.until(MOVING, limit_s=30)

    one.page.click("form[action$='/rooms'] button")
    one.page.wait_for_url("**/rooms/*")
    enter_room(one, one.page.url)
    enter_room(other, one.page.url)
    one.page.click("[data-part=play]")

    one.until(PLAYING, limit_s=30)
    other.until(PLAYING, limit_s=30)
    assert until_in_step(one, other) < 100
    host.gate.set()
    wait_until_ready(one, "room")
    firsts = [path for path, head in host.heads if path.startswith("/room/seg") and "=0-" in head.get("Range", "=0-")]
    assert sorted(firsts) == sorted(f"/room/seg{n}.ts" for n in range(30))


def test_a_film_that_is_ready_meanwhile_plays_from_its_manifest_the_next_time(
    host: Origin, house: House, open_tab: Callable[..., Tab]
) -> None:
    host.put(media.hls_ts(), "/ready")
    tab = open_tab()
    wish_id = press_watch(tab, house, f"{host.address}/ready/index.m3u8")
    tab.until(MOVING, limit_s=30)
    wait_until_ready(tab, "ready")

    tab.page.reload()

    tab.until(MOVING, limit_s=30)
    loaded = "performance.getEntriesByType('resource').some((one) => one.name.endsWith('/manifest.mpd'))"
    tab.until(loaded, limit_s=10)
    assert wish_of(tab, wish_id)["state"] == "ready"
