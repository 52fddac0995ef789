"""A person's way through the whole house in a real browser: the same steps for every way to run it."""

from __future__ import annotations

import json
import re
import statistics
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.browser import Tab

PLAYING = "kinodom.room && kinodom.room.vec()?.rate > 0 && !kinodom.player.paused()"
LOOKS = 15


def open_search(tab: Tab, address: str, words: str) -> None:
    """Type into the one box and press Enter."""
    tab.page.goto(address)
    tab.page.fill("input[name=q]", words)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/search?**")


def ask_api(tab: Tab, path: str) -> dict[str, Any]:
    """Return what the house's API tells this browser."""
    found: dict[str, Any] = tab.page.evaluate(f"fetch({json.dumps(path)}).then((answer) => answer.json())")
    return found


def wait_until_ready(tab: Tab, name: str, *, episode: int | None = None, limit_s: float = 180) -> str:
    """Return the id of a wish for this title (and episode) when it is on the disk."""
    until_s = time.monotonic() + limit_s
    while True:
        wishes = [
            wish
            for wish in ask_api(tab, "/api/v1/wishes")["wishes"]
            if wish["request"]["title"]["name"] == name and wish["request"]["episode"] == episode
        ]
        assert not [wish for wish in wishes if wish["state"] == "refused"], wishes
        for wish in wishes:
            if wish["state"] == "ready":
                return str(wish["wish_id"])
        assert time.monotonic() < until_s, f"{name} is not ready after {limit_s} s: {wishes}"
        tab.page.wait_for_timeout(300)


def watch(tab: Tab, address: str, video_id: str) -> None:
    """Open the player and wait until the picture moves."""
    tab.page.goto(f"{address}/watch/{video_id}")
    tab.until("globalThis.kinodom?.player.position() > 0.5 && !kinodom.player.paused()", limit_s=30)


def picture(tab: Tab) -> dict[str, float]:
    """Return what the video element says of itself."""
    found: dict[str, float] = tab.page.evaluate(
        "(() => { const video = document.querySelector('video'); const frames = video.getVideoPlaybackQuality();"
        " return {position: video.currentTime, duration: video.duration, height: video.videoHeight,"
        " dropped: frames.droppedVideoFrames, shown: frames.totalVideoFrames}; })()"
    )
    return found


def apart_ms(one: Tab, other: Tab) -> float:
    """Return how far two members of a room are apart, each against the same room time; median of some looks."""

    def ahead_ms(member: Tab) -> float:
        seen = member.page.evaluate("kinodom.room.sample()")
        return float(seen["position_ms"] - seen["target_ms"])

    looks = []
    for _ in range(LOOKS):
        looks.append(ahead_ms(one) - ahead_ms(other))
        one.page.wait_for_timeout(20)
    return abs(statistics.median(looks))


def until_in_step(one: Tab, other: Tab, *, within_ms: float = 100.0, limit_s: float = 8.0) -> float:
    """Wait until two members are in step, and return how far apart they still are, ms."""
    until_s = time.monotonic() + limit_s
    while (apart := apart_ms(one, other)) >= within_ms:
        assert time.monotonic() < until_s, f"still {apart:.0f} ms apart; {one.complaints} {other.complaints}"
        one.page.wait_for_timeout(100)
    return apart


def enter_room(tab: Tab, url: str) -> None:
    """Come in by the room's link and wait for the clock."""
    tab.page.goto(url)
    tab.until("globalThis.kinodom?.room?.vec() && kinodom.player.duration() > 1", limit_s=30)
    tab.until("kinodom.room.clock_error_ms() < 50", limit_s=30)


def media_urls(tab: Tab) -> list[str]:
    """Return the addresses of media that the page fetched."""
    names: list[str] = tab.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return [name for name in names if re.search(r"/v/[\w-]{22}/\d{10}/", name)]
