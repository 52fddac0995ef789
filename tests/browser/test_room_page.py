"""Several browsers in one room, through the real Nginx, gateway pages, sync service and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.rooms import RoomItem, RoomRequest
from kinodom_common.contracts.wishes import (
    DOWNLOADS_CHANNEL,
    QUEUE_CHANNEL,
    Progress,
    QueueStatus,
    WishEvent,
    WishList,
)
from tests.support.browser import TELL_REFUSALS, chromium, tab
from tests.support.cinema import FILM_S, FIRST, SECOND, a_queue, a_wish, cinema
from tests.support.journey import PLAYING, until_in_step
from tests.support.redis_server import RedisServer
from tests.support.sync_service import SyncService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.support.browser import Tab
    from tests.support.cinema import Cinema

pytestmark = pytest.mark.browser

PAUSED = "kinodom.room && kinodom.room.vec()?.rate === 0 && kinodom.player.paused()"
EIGHT_STEPS = (
    "for (let step = 0; step < 8; step++) document.body.dispatchEvent("
    "new KeyboardEvent('keydown', {code: 'ArrowRight', key: 'ArrowRight', bubbles: true}))"
)
NO_ROOM_GESTURES = "kinodom.room.vec().v"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sync(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[SyncService]:
    service = SyncService(tmp_path_factory.mktemp("sync"), redis.url)
    yield service
    service.stop()


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory, sync: SyncService) -> Iterator[Cinema]:
    with cinema(tmp_path_factory.mktemp("club"), sync_url=sync.url, rooms=sync.rooms) as running:
        yield running


@pytest.fixture
def room_url(club: Cinema, sync: SyncService) -> str:
    """The address of a fresh room, paused at 1 s."""
    items = tuple(
        RoomItem(video_id=one, label=f"Episode {one[:2]}", duration_ms=FILM_S * 1000) for one in (FIRST, SECOND)
    )
    asked = RoomRequest(title_id="t1", name="Mum's room", items=items, item=FIRST, pos_ms=1000, owner="ann")
    return f"{club.url}/rooms/{sync.rooms.create_room(asked).room_id}"


@pytest.fixture
def enter(open_tab: Callable[..., Tab], room_url: str) -> Callable[[str], Tab]:
    """Bring one more member into the room, in a browser context of its own."""

    def come_in(name: str) -> Tab:
        member = open_tab(name)
        member.page.goto(room_url)
        member.until("kinodom.room?.vec() && kinodom.player.duration() > 50 && kinodom.room.clock_error_ms() < 50")
        return member

    return come_in


def test_one_press_starts_everybody_in_step(enter: Callable[[str], Tab]) -> None:
    ann, bob = enter("ann"), enter("bob")
    ann.until(PAUSED)

    ann.page.click("[data-part=play]")

    for member in (ann, bob):
        member.until(PLAYING)
    ann.page.wait_for_timeout(1500)
    apart = until_in_step(ann, bob)
    print(f"apart after start: {apart:.1f} ms, {ann.page.evaluate('kinodom.room.steering()')}")
    assert ann.page.evaluate(NO_ROOM_GESTURES) == 1  # nobody's player answered with an operation of its own
    assert ann.complaints == bob.complaints == []


def test_a_seek_and_a_pause_of_one_are_those_of_all(enter: Callable[[str], Tab]) -> None:
    ann, bob = enter("ann"), enter("bob")
    ann.page.click("[data-part=play]")
    bob.until(PLAYING)

    bob.page.keyboard.press("Digit5")

    for member in (ann, bob):
        member.until(f"{PLAYING} && kinodom.player.position() > 30.2")
    print(f"apart after seek: {until_in_step(ann, bob):.1f} ms")
    ann.page.keyboard.press("Space")
    for member in (ann, bob):
        member.until(PAUSED)
        member.until("Math.abs(kinodom.player.position() - kinodom.room.position()) < 0.02")
    assert ann.page.evaluate(NO_ROOM_GESTURES) == bob.page.evaluate(NO_ROOM_GESTURES) == 3
    assert ann.page.locator("[data-part=play]").get_attribute("aria-label") == "Play for everybody"


def test_a_late_guest_gets_in_step_and_disturbs_nobody(enter: Callable[[str], Tab]) -> None:
    ann = enter("ann")
    ann.page.click("[data-part=play]")
    ann.until(f"{PLAYING} && kinodom.player.position() > 2")
    seeks_before = ann.page.evaluate("kinodom.room.seeks()")

    bob = enter("bob")

    bob.until(PLAYING)
    print(f"apart after a late join: {until_in_step(ann, bob):.1f} ms")
    assert ann.page.evaluate("kinodom.room.seeks()") == seeks_before
    assert ann.page.evaluate(NO_ROOM_GESTURES) == 1


def test_members_are_listed_with_a_word_for_how_far_they_are(enter: Callable[[str], Tab]) -> None:
    ann, bob = enter("ann"), enter("bob")

    ann.page.click("[data-part=play]")

    for member in (ann, bob):
        member.until("document.querySelectorAll('[data-member]').length === 2")
        member.until("document.querySelector('[data-own] .drift').innerText === 'in step'")
    ann.until("[...document.querySelectorAll('[data-member] .drift')].every((one) => one.innerText === 'in step')")
    assert "2 people here" in ann.page.locator("[data-part=members-count]").inner_text()


def test_another_item_is_loaded_by_everybody_without_a_new_page(enter: Callable[[str], Tab]) -> None:
    ann, bob = enter("ann"), enter("bob")
    for member in (ann, bob):
        member.page.evaluate("globalThis.samePage = true")
    ann.page.click("[data-part=play]")
    bob.until(PLAYING)

    ann.page.click(f"button[data-item='{SECOND}']")

    for member in (ann, bob):
        member.until(f"kinodom.player.film.videoId === '{SECOND}' && {PLAYING} && kinodom.player.position() > 0.5")
        assert member.page.evaluate("globalThis.samePage")
        assert member.page.locator("h1").inner_text() == "Episode b2"
    print(f"apart after another item: {until_in_step(ann, bob):.1f} ms")


def test_the_film_plays_on_while_the_socket_is_down_and_is_in_step_after(enter: Callable[[str], Tab]) -> None:
    ann, bob = enter("ann"), enter("bob")
    ann.page.click("[data-part=play]")
    bob.until(PLAYING)
    ann.page.wait_for_timeout(500)

    bob.page.evaluate("kinodom.room.drop()")

    bob.until("!kinodom.room.connected()", limit_s=2)
    assert bob.page.evaluate(PLAYING)
    bob.until("kinodom.room.connected()", limit_s=20)
    ann.page.keyboard.press("Digit3")
    bob.until("kinodom.player.position() > 18.3 && kinodom.player.position() < 30")
    print(f"apart after a lost socket: {until_in_step(ann, bob):.1f} ms")


def test_held_keys_become_a_few_operations(enter: Callable[[str], Tab]) -> None:
    ann = enter("ann")

    ann.page.evaluate(EIGHT_STEPS)  # in one go: the answer to the first step comes when all have been made

    ann.until("Math.abs(kinodom.player.position() - 41) < 0.1 && kinodom.room.position() === 41")
    assert ann.page.evaluate(NO_ROOM_GESTURES) <= 4


def test_a_guest_without_a_gesture_plays_muted_and_may_unmute(
    browser: Browser, request: pytest.FixtureRequest, room_url: str, enter: Callable[[str], Tab]
) -> None:
    ann = enter("ann")
    ann.page.click("[data-part=play]")
    ann.until(PLAYING)

    with chromium(browser.browser_type, autoplay=False) as strict, tab(strict, request, "guest", traced=False) as guest:
        guest.page.add_init_script(TELL_REFUSALS)
        with guest.page.expect_console_message(lambda message: message.text == "play: NotAllowedError"):
            guest.page.goto(room_url)
        guest.until(f"{PLAYING} && document.querySelector('video').muted")
        guest.page.get_by_role("button", name="Unmute").click()

        guest.until(f"{PLAYING} && !document.querySelector('video').muted")


def test_the_downloads_page_hears_of_progress_over_the_socket(
    open_tab: Callable[..., Tab], club: Cinema, redis: RedisServer
) -> None:
    club.downloader.list = a_wish("running", 0.2)
    opened = open_tab()
    opened.page.goto(f"{club.url}/downloads")
    progress = Progress(stage="packaging", fraction=0.55)
    event = WishEvent(type="task_progress", wish_id=FIRST, state="running", progress=progress)

    with redis.client() as client:
        for _ in range(100):  # the page may not have greeted yet
            client.publish(DOWNLOADS_CHANNEL, event.model_dump_json())
            opened.page.wait_for_timeout(50)

    opened.until("document.querySelector('[data-wish-left]').textContent === '55\u00a0%'", limit_s=3)
    assert opened.page.locator("[data-wish-right]").inner_text() == "packaging"
    club.downloader.list = WishList()


def test_the_downloads_page_is_drawn_anew_when_the_queue_changes_and_says_what_happened(
    open_tab: Callable[..., Tab], club: Cinema, redis: RedisServer
) -> None:
    club.downloader.list = a_wish("running", 0.2)
    opened = open_tab()
    opened.page.goto(f"{club.url}/downloads")
    done = WishEvent(type="task_completed", wish_id="elsewhere", state="running", title="Paper Fleet")

    with redis.client() as client:
        for number in range(100):  # the page may not have greeted yet
            if number == 60:
                club.downloader.list = a_queue("alpha")
            status = QueueStatus(wanted=int(number >= 60), running=int(number < 60))
            client.publish(QUEUE_CHANNEL, status.model_dump_json())
            client.publish(DOWNLOADS_CHANNEL, done.model_dump_json())
            opened.page.wait_for_timeout(50)

    opened.until("document.querySelector('[data-wish=alpha]')", limit_s=5)
    assert opened.page.locator("[data-said]").inner_text() == "Paper Fleet: ready"
    club.downloader.list = WishList()


def test_numbers_that_move_are_read_aloud_only_when_the_stage_changes(
    open_tab: Callable[..., Tab], club: Cinema, redis: RedisServer
) -> None:
    club.downloader.list = a_wish("running", 0.2)
    opened = open_tab()
    opened.page.goto(f"{club.url}/downloads")
    opened.page.evaluate(
        "globalThis.read = []; new MutationObserver(() => read.push(document.querySelector('svg.strip--home')"
        ".getAttribute('aria-label'))).observe(document.querySelector('svg.strip--home'), {attributes: true, "
        "attributeFilter: ['aria-label']})"
    )

    with redis.client() as client:
        for number in range(100):
            stage = "fetching" if number < 80 else "packaging"
            progress = Progress.model_validate({"stage": stage, "fraction": 0.2 + number / 200})
            event = WishEvent(type="task_progress", wish_id=FIRST, state="running", progress=progress)
            client.publish(DOWNLOADS_CHANNEL, event.model_dump_json())
            opened.page.wait_for_timeout(50)

    opened.until("read.some((words) => words.endsWith('packaging'))", limit_s=5)
    read = opened.page.evaluate("read")
    assert len(read) <= 2
    assert read[-1].startswith("The Fox's Tail: ")
    club.downloader.list = WishList()
