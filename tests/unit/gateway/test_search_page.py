"""The search page: whole without a script, begun at once and told line by line with one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import TitleHit
from kinodom_common.errors import UpstreamFailed
from tests.support.gateway import EXTERNAL, House, a_house, a_video

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

SAME_FILM = TitleHit(
    external_id="ia:tin", name="the tin lighthouse!", year=2026, kind="series", source="internet_archive"
)
OTHER_FILM = TitleHit(external_id="ia:pier", name="Lighthouse Pier", year=1934, source="internet_archive")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


@pytest.fixture
def scripted(house: House) -> FlaskClient:
    """Return a browser whose script has said that it reads lines."""
    browser = house.client()
    browser.set_cookie("live", "1")
    return browser


def lines_of(browser: FlaskClient, path: str = "/search/lines?q=lighthouse") -> list[dict[str, object]]:
    return [json.loads(line) for line in browser.get(path).text.splitlines()]


def test_one_title_of_two_sources_is_one_row_with_links_to_both(house: House) -> None:
    house.resolver.also = (SAME_FILM, OTHER_FILM)

    text = house.client().get("/search?q=lighthouse").text

    rows = re.findall(r'data-key="([^"]+)"', text)
    assert rows == [EXTERNAL, "ia:pier"]
    assert re.findall(r'data-link data-source="[^"]+" href="([^"]+)"', text) == [
        f"/find/{EXTERNAL}",
        "/find/ia:tin",
        "/find/ia:pier",
    ]
    assert "2 films" in text


def test_a_title_on_the_disk_is_not_offered_again_by_its_source(house: House) -> None:
    house.put_on_disk(a_video())
    house.resolver.also = (SAME_FILM,)

    text = house.client().get("/search?q=lighthouse").text

    assert re.findall(r'data-key="([^"]+)"', text) == ["ia:tin"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"dubs": ("Quay", "Original"), "heights_px": (480, 1080)}, "Film. Quay, Original, up to 1080p"),
        ({"heights_px": (720,)}, "Film, up to 720p"),
        ({"kind": "series", "episodes": 12, "dubs": ("Quay",)}, "Series, 12 episodes. Quay"),
        ({}, "Film"),
    ],
)
def test_a_row_tells_dubs_and_the_best_picture_as_far_as_they_are_known(
    house: House, told: dict[str, object], shown: str
) -> None:
    house.resolver.also = (OTHER_FILM.model_copy(update=told),)

    assert f">{shown}<" in house.client().get("/search?q=lighthouse").text


def test_many_dubs_are_counted_and_not_listed(house: House) -> None:
    house.resolver.also = (OTHER_FILM.model_copy(update={"dubs": tuple(f"Dub {n}" for n in range(30))}),)

    text = house.client().get("/search?q=lighthouse").text

    assert "30 dubs" in text
    assert "Dub 29" not in text


def test_a_silent_source_with_an_unknown_code_speaks_in_its_own_words(house: House) -> None:
    house.resolver.error = UpstreamFailed("The cat sits on the cable.")

    text = house.client().get("/search?q=lighthouse").text

    assert "The cat sits on the cable." in text


def test_a_browser_with_scripts_gets_the_shelf_and_a_place_for_each_source_at_once(
    house: House, scripted: FlaskClient
) -> None:
    house.put_on_disk(a_video())

    text = scripted.get("/search?q=lighthouse").text

    assert "The Tin Lighthouse" in text
    assert re.findall(r'data-ghost="(\w+)"', text) == ["demo", "internet_archive"]
    assert "/search?q=lighthouse&amp;whole=1" in text
    assert "did not answer in time" not in text


def test_an_address_has_places_only_for_sources_that_read_addresses(scripted: FlaskClient) -> None:
    text = scripted.get("/search?q=https://films.example/1").text

    assert re.findall(r'data-ghost="(\w+)"', text) == ["internet_archive", "direct"]


def test_the_whole_page_is_given_to_who_asks_for_it(scripted: FlaskClient) -> None:
    text = scripted.get("/search?q=lighthouse&whole=1").text

    assert "data-ghost" not in text
    assert "did not answer in time" in text


def test_a_search_that_nobody_can_begin_is_shown_whole(house: House, scripted: FlaskClient) -> None:
    house.put_on_disk(a_video())
    house.resolver.error = UpstreamFailed("The resolver does not answer.")

    text = scripted.get("/search?q=lighthouse").text

    assert "The Tin Lighthouse" in text
    assert "The resolver does not answer." in text


def test_each_line_brings_rows_as_the_page_shows_them_and_a_later_source_joins_its_row(house: House) -> None:
    house.resolver.also = (SAME_FILM, OTHER_FILM)

    first, second, last = lines_of(house.client())

    assert [(row["key"], row["url"]) for row in first["rows"]] == [(EXTERNAL, f"/find/{EXTERNAL}")]  # type: ignore[attr-defined]
    assert [(row["key"], row["url"]) for row in second["rows"]] == [  # type: ignore[attr-defined]
        (EXTERNAL, "/find/ia:tin"),
        ("ia:pier", "/find/ia:pier"),
    ]
    assert (last["done"], last["rows"]) == (True, [])


def test_an_answer_that_was_kept_tells_how_old_it_is(house: House) -> None:
    house.resolver.age_s = 300

    russian = house.client().get("/search?q=lighthouse", headers={"Accept-Language": "ru"}).text

    assert "1 film, 5 minutes ago" in house.client().get("/search?q=lighthouse").text
    assert "1 фильм, 5 минут назад" in russian


def test_a_line_of_a_silent_source_says_why_and_what_to_do(house: House) -> None:
    answered = lines_of(house.client())[1]["answered"]

    assert isinstance(answered, dict)
    assert (answered["mark"], answered["facts"]) == ("bad", "no answer")
    assert answered["reason"].startswith("It did not answer in time.")


def test_lines_leave_out_what_stands_on_the_disk_also_while_the_catalogue_is_away(house: House) -> None:
    house.put_on_disk(a_video())

    with_shelf = lines_of(house.client())[0]["rows"]
    house.catalogue.error = UpstreamFailed("The catalogue does not answer.")
    without = lines_of(house.client())[0]["rows"]

    assert with_shelf == []
    assert isinstance(without, list)
    assert len(without) == 1
