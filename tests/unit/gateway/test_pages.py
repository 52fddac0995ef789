"""The pages as a browser without scripts gets them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import EpisodeRef, Translation
from kinodom_common.errors import UpstreamFailed
from tests.support.gateway import EXTERNAL, SOURCE_TITLE, TITLE_ID, House, a_house, a_video, a_wish

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

SAME = {"Origin": "http://localhost"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def csrf_of(browser: FlaskClient, path: str = "/") -> str:
    found = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get(path).text)
    assert found is not None
    return found.group(1)


def test_an_empty_house_offers_the_demo(house: House) -> None:
    page = house.client().get("/")

    assert page.status_code == 200
    assert "Make the demo films" in page.text


def test_the_shelf_shows_what_is_on_the_disk_and_what_is_coming(house: House) -> None:
    house.put_on_disk(a_video())
    house.downloader.kept = [a_wish()]

    text = house.client().get("/").text

    assert "The Tin Lighthouse" in text
    assert "38 %" in text


def test_a_title_without_a_film_on_the_disk_says_so_on_the_shelf(house: House) -> None:
    house.put_on_disk()

    assert "Series, 2026, can be had" in house.client().get("/").text


def test_a_search_shows_offers_and_names_the_silent_source(house: House) -> None:
    text = house.client().get("/search?q=lighthouse").text

    assert "The Tin Lighthouse" in text
    assert "It did not answer in time. The rest is complete." in text


def test_a_search_is_told_line_by_line_and_not_collected_by_nginx(house: House) -> None:
    reply = house.client().get("/api/v1/search/stream?q=lighthouse")

    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert (reply.mimetype, reply.headers["X-Accel-Buffering"]) == ("application/x-ndjson", "no")
    assert [(len(line["hits"]), line["done"]) for line in lines] == [(1, False), (0, False), (0, True)]


def test_a_search_that_breaks_off_ends_without_its_last_line(house: House) -> None:
    house.resolver.breaks_off = True

    reply = house.client().get("/api/v1/search/stream?q=lighthouse")

    assert [json.loads(line)["done"] for line in reply.text.splitlines()] == [False]


def test_an_empty_search_by_lines_is_a_problem(house: House) -> None:
    reply = house.client().get("/api/v1/search/stream?q=+")

    assert (reply.status_code, reply.get_json()["code"]) == (400, "empty_query")


def test_a_search_shows_what_the_disk_has_when_the_resolver_is_away(house: House) -> None:
    house.put_on_disk(a_video())
    house.resolver.error = UpstreamFailed("The resolver does not answer.")

    text = house.client().get("/search?q=lighthouse").text

    assert "The Tin Lighthouse" in text
    assert "The resolver does not answer." in text


def test_an_empty_search_is_answered_in_words(house: House) -> None:
    page = house.client().get("/search?q=+", headers={"Accept": "text/html"})

    assert page.status_code == 400
    assert "Type a name" in page.text


def test_a_title_shows_each_dub_and_says_what_is_missing(house: House) -> None:
    house.put_on_disk(a_video(1))
    house.downloader.kept = [a_wish(episode=2)]

    text = house.client().get(f"/titles/{TITLE_ID}").text

    assert 'aria-label="1: on disk; 2: coming; 3: can be had"' in text
    assert 'aria-label="1, 2: can be had; 3: missing in this dub"' in text


def test_a_title_that_is_not_in_the_house_shows_what_its_source_knows(house: House) -> None:
    card = SOURCE_TITLE.card.model_copy(
        update={"genres": ("Drama", "Sea"), "people": ("Ada Keeper",), "licence": "CC0"}
    )
    house.resolver.titles[EXTERNAL] = SOURCE_TITLE.model_copy(update={"card": card})

    text = house.client().get(f"/find/{EXTERNAL}").text

    assert "<span>Drama, Sea</span>" in text
    assert "<dt>People</dt><dd>Ada Keeper</dd>" in text
    assert '<span class="tag">CC0</span>' in text


def test_a_title_stands_without_its_source(house: House) -> None:
    house.put_on_disk(a_video(1))
    house.resolver.error = UpstreamFailed("The demo site does not answer.")

    page = house.client().get(f"/titles/{TITLE_ID}")

    assert page.status_code == 200
    assert "The demo site does not answer." in page.text
    assert f"/watch/{a_video(1).video_id}" in page.text


def test_pressing_download_asks_for_what_was_chosen_with_the_sources_own_card(house: House) -> None:
    browser = house.client()
    form = {
        "csrf": csrf_of(browser),
        "external_id": EXTERNAL,
        "translation_id": "prichal",
        "height_px": "360",
        "episodes": ["1.2"],
        "title": "forged",
    }

    reply = browser.post("/wishes", data=form, headers=SAME)

    assert (reply.status_code, reply.headers["Location"]) == (303, "/downloads")
    [asked] = house.downloader.asked
    assert (asked.episode, asked.height_px, asked.title.name) == (2, 360, "The Tin Lighthouse")


def test_a_source_that_writes_endless_names_does_not_stop_a_download(house: House) -> None:
    endless = Translation(
        translation_id="endless",
        name="n" * 5000,
        language="l" * 100,
        episodes=(EpisodeRef(season=1, episode=1, name="e" * 5000),),
    )
    house.resolver.titles[EXTERNAL] = SOURCE_TITLE.model_copy(update={"translations": (endless,)})
    browser = house.client()
    form = {"csrf": csrf_of(browser), "external_id": EXTERNAL, "translation_id": "endless"}

    reply = browser.post("/wishes", data=form, headers=SAME)

    assert reply.status_code == 303
    assert len(house.downloader.asked[0].translation_name) == 200


def test_an_episode_that_the_dub_lacks_is_refused_in_words(house: House) -> None:
    browser = house.client()
    form = {"csrf": csrf_of(browser), "external_id": EXTERNAL, "translation_id": "kotelnaya", "episodes": ["1.3"]}

    reply = browser.post("/wishes", data=form, headers={**SAME, "Accept": "text/html"})

    assert reply.status_code == 404
    assert "has not made episode 3" in reply.text


def test_the_page_gets_numbers_or_a_season_in_one_press(house: House) -> None:
    browser = house.client()
    form = {"csrf": csrf_of(browser), "external_id": EXTERNAL, "translation_id": "prichal"}

    some = browser.post("/wishes", data={**form, "numbers": "2-3"}, headers=SAME)
    season = browser.post("/wishes", data={**form, "season": "1", "numbers": ""}, headers=SAME)

    assert (some.status_code, season.status_code) == (303, 303)
    assert [request.episode for request in house.downloader.asked] == [2, 3, 1, 2, 3]


def test_a_press_for_more_than_the_dub_has_makes_nothing_and_lists_what_is_missing(house: House) -> None:
    browser = house.client()
    form = {"csrf": csrf_of(browser), "external_id": EXTERNAL, "translation_id": "kotelnaya", "numbers": "2-5"}

    english = browser.post("/wishes", data=form, headers={**SAME, "Accept": "text/html"})
    russian = browser.post("/wishes", data=form, headers={**SAME, "Accept": "text/html", "Accept-Language": "ru"})

    assert "has not made episodes 3, 4, 5." in english.text
    assert "нет серий: 3, 4, 5." in russian.text
    assert house.downloader.asked == []


def test_the_button_says_which_episodes_it_gets(house: House) -> None:
    house.put_on_disk(a_video(1))

    text = house.client().get(f"/titles/{TITLE_ID}?dub=prichal").text

    assert "Get 2 to 3</button>" in text
    assert 'name="numbers"' in text
    assert 'name="season"' not in text


def test_a_series_of_several_seasons_lets_one_be_chosen(house: House) -> None:
    episodes = tuple(EpisodeRef(season=season, episode=1) for season in (1, 2))
    dub = Translation(translation_id="prichal", name="Prichal", episodes=episodes)
    house.resolver.titles[EXTERNAL] = SOURCE_TITLE.model_copy(update={"translations": (dub,)})

    text = house.client().get(f"/find/{EXTERNAL}").text

    assert "Download all</button>" in text
    assert '<option value="2">2</option>' in text


def test_the_watch_page_has_a_signed_link_and_the_next_episode(house: House) -> None:
    house.put_on_disk(a_video(1), a_video(2))

    text = house.client().get(f"/watch/{a_video(1).video_id}").text

    assert re.search(r"/v/[\w-]{22}/\d{10}/[0-9a-f]{2}/[0-9a-f]{64}/manifest\.mpd", text)
    assert a_video(2).video_id in text


def test_watching_what_is_not_on_the_disk_is_a_page_in_words(house: House) -> None:
    page = house.client().get("/watch/" + "0" * 64, headers={"Accept": "text/html"})

    assert page.status_code == 404
    assert "This film is not on the disk." in page.text


def test_a_room_is_made_and_shown_with_its_code(house: House) -> None:
    house.put_on_disk(a_video(1), a_video(2))
    browser = house.client()
    form = {"csrf": csrf_of(browser), "video_id": a_video(1).video_id, "pos_ms": "1500"}

    made = browser.post("/rooms", data=form, headers=SAME)
    room = browser.get(made.headers["Location"])
    code = browser.get("/rooms/room-1/qr.svg")

    assert made.status_code == 303
    assert "http://localhost/rooms/room-1" in room.text
    assert code.mimetype == "image/svg+xml"
    assert house.sync.kept["room-1"].vec.pos_ms == 1500


def test_foreign_text_stays_text(house: House) -> None:
    page = house.client().get("/search?q=<script>alert(1)</script>")

    assert "<script>alert" not in page.text


def test_pages_hold_no_inline_script_or_style(house: House) -> None:
    house.put_on_disk(a_video(1), a_video(2))
    browser = house.client()
    paths = [
        "/",
        "/search?q=tin",
        f"/titles/{TITLE_ID}",
        f"/watch/{a_video(1).video_id}",
        "/downloads",
        "/rooms",
        "/sources",
    ]

    for path in paths:
        text = browser.get(path).text
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text), path
        assert " style=" not in text, path
        assert not re.search(r"\son\w+=", text), path


def test_a_deleted_film_leaves_its_page_with_the_way_back(house: House) -> None:
    first, second = a_video(1), a_video(2)
    house.put_on_disk(first, second)
    browser = house.client()
    csrf = csrf_of(browser)

    gone = browser.post(f"/videos/{first.video_id}/delete", data={"csrf": csrf}, headers=SAME)
    page = browser.get(gone.headers["Location"]).text

    assert house.downloader.done == [("remove", first.video_id)]
    assert gone.headers["Location"].startswith(f"/titles/{TITLE_ID}?")
    assert f'action="/videos/{first.video_id}/restore"' in page


def test_the_last_film_of_a_title_leaves_to_the_home_page_with_the_way_back(house: House) -> None:
    house.put_on_disk(a_video())
    browser = house.client()

    gone = browser.post(f"/videos/{a_video().video_id}/delete", data={"csrf": csrf_of(browser)}, headers=SAME)

    assert gone.headers["Location"] == f"/?removed={a_video().video_id}"
    assert "Film deleted from the disk." in browser.get(gone.headers["Location"]).text


def test_without_a_trash_no_way_back_is_promised(house: House) -> None:
    house.put_on_disk(a_video())
    house.downloader.keeps_trash = False
    browser = house.client()

    gone = browser.post(f"/videos/{a_video().video_id}/delete", data={"csrf": csrf_of(browser)}, headers=SAME)

    assert gone.headers["Location"] == "/"


def test_a_film_that_was_brought_back_is_shown(house: House) -> None:
    house.put_on_disk(a_video())
    browser = house.client()

    back = browser.post(f"/videos/{a_video().video_id}/restore", data={"csrf": csrf_of(browser)}, headers=SAME)

    assert house.downloader.done == [("restore", a_video().video_id)]
    assert back.headers["Location"] == f"/titles/{TITLE_ID}"


@pytest.mark.parametrize("forged", ["<script>", "ab", "x" * 64])
def test_a_page_offers_no_way_back_to_what_is_no_video(house: House, forged: str) -> None:
    house.put_on_disk(a_video())

    page = house.client().get("/", query_string={"removed": forged}).text

    assert "Film deleted" not in page


def test_scripts_delete_and_restore_by_the_api(house: House) -> None:
    house.put_on_disk(a_video())
    browser = house.client()
    headers = {"X-CSRF-Token": csrf_of(browser), **SAME}

    removed = browser.delete(f"/api/v1/videos/{a_video().video_id}", headers=headers)
    restored = browser.post(f"/api/v1/videos/{a_video().video_id}/restore", headers=headers)

    assert removed.get_json()["restorable_until"] is not None
    assert restored.get_json() == {"video_id": a_video().video_id}
