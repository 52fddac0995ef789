"""A film of which little is missing: the offer to keep it so, and what the pages say of one that was kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.videos import Hole, TitlePage
from kinodom_gateway.presenters.holes import told
from tests.support.gateway import EXTERNAL, TITLE_ID, House, a_house, a_title, a_video, a_wish
from tests.unit.gateway.test_downloads_page import SAME, csrf_of

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = {"Accept-Language": "ru"}
HOLES = (Hole(from_s=174.0, to_s=180.0), Hole(from_s=3723.0, to_s=3729.5, lacks="picture"))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def lacking(house: House, state: str = "waiting") -> None:
    house.downloader.kept = [a_wish(state, missing=HOLES, reason_code="parts_missing", reason="Parts did not come.")]


@pytest.mark.parametrize("state", ["waiting", "refused"])
@pytest.mark.parametrize("path", ["/downloads", f"/find/{EXTERNAL}"])
def test_a_wish_that_lacks_little_can_be_kept_so_by_one_press(house: House, state: str, path: str) -> None:
    lacking(house, state)

    page = house.client().get(path).text

    assert "Missing: 02:54–03:00, 1:02:03–1:02:09 (only the picture)." in page
    assert re.search(r'action="/wishes/w{8}/holes">.*?Keep it with 2 holes', page, re.S)


def test_it_is_offered_in_russian_too(house: House) -> None:
    lacking(house)

    page = house.client().get("/downloads", headers=RUSSIAN).text

    assert "Нет: 02:54–03:00, 1:02:03–1:02:09 (только изображения)." in page
    assert "Сохранить с 2 пропусками" in page


def test_the_press_tells_the_downloader_and_shows_the_queue(house: House) -> None:
    lacking(house)
    browser = house.client()

    answer = browser.post("/wishes/wwwwwwww/holes", data={"csrf": csrf_of(browser)}, headers=SAME)

    assert (answer.status_code, answer.location) == (303, "/downloads")
    assert ("keep_with_holes", "wwwwwwww") in house.downloader.done


def test_a_script_can_say_so_as_well(house: House) -> None:
    lacking(house)
    browser = house.client()

    answer = browser.post("/api/v1/wishes/wwwwwwww/holes", headers={**SAME, "X-CSRF-Token": csrf_of(browser)})

    assert answer.status_code == 202
    assert answer.get_json()["missing"][0] == {"from_s": 174.0, "to_s": 180.0, "lacks": "all"}


def test_the_player_the_title_and_the_api_say_what_a_film_lacks(house: House) -> None:
    video = a_video().model_copy(update={"holes": HOLES})
    house.catalogue.pages[TITLE_ID] = TitlePage(title=a_title(), videos=(video,))
    browser = house.client()

    watch = browser.get(f"/watch/{video.video_id}").text
    facts = json.loads(re.search(r'id="player-page">(.*?)</script>', watch, re.S)[1])  # type: ignore[index]

    assert "Missing: 02:54–03:00, 1:02:03–1:02:09 (only the picture)." in watch
    assert facts["video"]["holes"] == [hole.model_dump() for hole in HOLES]
    assert "Missing: 02:54–03:00" in browser.get(f"/titles/{TITLE_ID}").text
    assert browser.get(f"/api/v1/videos/{video.video_id}").get_json()["holes"][1]["lacks"] == "picture"


def test_of_many_holes_the_first_are_named(house: House) -> None:
    many = tuple(Hole(from_s=100.0 * number, to_s=100.0 * number + 6) for number in range(8))

    with house.client().application.test_request_context():
        words = told(many)

    assert words.endswith("06:40–06:46 and 3 more.")
