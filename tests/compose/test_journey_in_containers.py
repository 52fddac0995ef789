"""The journey through the containers' one port, while services are restarted and scaled under it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from kinodom_house.demo import Browser
from tests.support.journey import (
    PLAYING,
    enter_room,
    media_urls,
    open_search,
    picture,
    until_in_step,
    wait_until_ready,
    watch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Tab
    from tests.support.containers import Containers

pytestmark = [pytest.mark.compose, pytest.mark.browser, pytest.mark.timeout(1200)]

# In the order of the house, the store and the queue too. The one-shot `secrets` is not a service.
RESTARTED = (
    "gateway",
    "resolver",
    "catalogue",
    "catalogue-worker",
    "downloader",
    "downloader-worker",
    "sync",
    "demo",
    "mongo",
    "redis",
    "nginx",
)
MOVES = "kinodom.player.position()"


def address_of(containers: Containers) -> str:
    return f"http://127.0.0.1:{containers.port}"


@pytest.fixture(scope="module")
def film(containers: Containers) -> dict[str, str]:
    """The id of the film that the first test brought to the disk."""
    return {}


def goes_on(tab: Tab) -> None:
    """Start the film anew and see that it plays for more than a second."""
    tab.page.keyboard.press("Digit0")
    tab.until(f"{MOVES} > 1.2 && {MOVES} < 20 && !kinodom.player.paused()", limit_s=40)


def test_a_film_is_found_fetched_and_played(
    containers: Containers, open_tab: Callable[..., Tab], film: dict[str, str]
) -> None:
    tab = open_tab()
    open_search(tab, address_of(containers), "Salt and Moon")
    tab.page.click("main a:has-text('Salt and Moon')")

    tab.page.click("button:has-text('Download')")

    tab.page.wait_for_url("**/downloads")
    film["id"] = wait_until_ready(tab, "Salt and Moon")
    watch(tab, address_of(containers), film["id"])
    assert round(picture(tab)["duration"]) == 40
    link = next(url for url in media_urls(tab) if url.endswith("/manifest.mpd"))
    assert containers.get(link.removeprefix(address_of(containers)))[0] == 403  # this one brings no cookie


def test_every_service_may_be_restarted_while_a_film_plays_and_others_are_fetched(
    containers: Containers, open_tab: Callable[..., Tab], film: dict[str, str]
) -> None:
    tab = open_tab()
    watch(tab, address_of(containers), film["id"])
    browser = Browser(address_of(containers))
    asked = browser.ask("/api/v1/demo", {"X-CSRF-Token": browser.csrf()}, b"{}")["wishes"]
    assert isinstance(asked, list)

    for service in RESTARTED:
        containers.compose("restart", "--timeout", "20", service)
        goes_on(tab)

    wait_for_all(containers, [str(one) for one in asked])


def test_workers_and_sync_are_scaled_and_a_room_lives_on_both_replicas(
    containers: Containers, open_tab: Callable[..., Tab], film: dict[str, str]
) -> None:
    containers.compose(
        "up", "--detach", "--wait", "--no-recreate", "--scale", "downloader-worker=2", "--scale", "sync=2"
    )
    ann, bob = open_tab("ann"), open_tab("bob")
    watch(ann, address_of(containers), film["id"])
    ann.page.click("form[action='/rooms'] button")
    ann.page.wait_for_url("**/rooms/*")
    for member in (ann, bob):
        enter_room(member, ann.page.url)

    ann.page.click("[data-part=play]")

    for member in (ann, bob):
        member.until(PLAYING, limit_s=20)
    assert until_in_step(ann, bob) < 100


def wait_for_all(containers: Containers, wanted: list[str], limit_s: float = 600) -> None:
    """Wait until these wishes are ready; a service that is just starting is asked again."""
    until_s = time.monotonic() + limit_s
    while True:
        status, _, body = containers.get(f"/api/v1/wishes?ids={','.join(wanted)}")
        wishes = json.loads(body)["wishes"] if status == 200 else []
        states = {wish["wish_id"]: wish["state"] for wish in wishes}
        if len(states) == len(wanted) and set(states.values()) == {"ready"}:
            return
        assert "refused" not in states.values(), wishes
        assert time.monotonic() < until_s, f"not ready after {limit_s} s: {states}"
        time.sleep(1)
