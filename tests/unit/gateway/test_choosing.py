"""Which episodes numbers and seasons mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import EpisodeRef, Translation
from kinodom_common.errors import UpstreamFailed
from kinodom_gateway.domain.choosing import (
    BadRange,
    NoSuchTranslation,
    Place,
    SeasonNeeded,
    missing_words,
    numbers_of,
    places_of,
)
from tests.support.gateway import EXTERNAL, PRICHAL, SOURCE_TITLE, House, a_house

if TYPE_CHECKING:
    from pathlib import Path

MINE = "an-invented-token-of-a-test"
SHOWN = {"Authorization": f"Bearer {MINE}"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path, api_tokens=MINE)


def dub(*places: Place) -> Translation:
    episodes = tuple(EpisodeRef(season=season, episode=episode) for season, episode in places)
    return Translation(translation_id="dub", name="Prichal", episodes=episodes)


@pytest.mark.parametrize(
    ("ranges", "numbers"),
    [
        ("0", [0]),
        ("3-5", [3, 4, 5]),
        ("1-3,7", [1, 2, 3, 7]),
        (" 7 , 1 – 2 ", [1, 2, 7]),  # a dash as phones type it
        ("2,2,1-2", [1, 2]),
        ("5-5", [5]),
    ],
)
def test_numbers_are_read_as_people_write_them(ranges: str, numbers: list[int]) -> None:
    assert numbers_of(ranges) == numbers


@pytest.mark.parametrize("ranges", ["5-3", "0-99999", "0-1500,3000-4500"])
def test_a_range_that_runs_backwards_or_never_ends_is_refused(ranges: str) -> None:
    with pytest.raises(BadRange):
        numbers_of(ranges)


def test_numbers_belong_to_the_one_season_there_is() -> None:
    assert places_of(dub((2, 1), (2, 2)), "2-3", None) == [(2, 2), (2, 3)]
    assert places_of(dub((None, 0), (None, 1)), "0", None) == [(None, 0)]


def test_numbers_of_several_seasons_need_their_season() -> None:
    series = dub((1, 1), (2, 1))

    with pytest.raises(SeasonNeeded):
        places_of(series, "1", None)

    assert places_of(series, "1", 2) == [(2, 1)]


def test_a_season_is_all_its_episodes_in_the_order_in_which_they_are_watched() -> None:
    series = dub((2, 10), (1, 1), (2, 9), (2, 0))

    assert places_of(series, None, 2) == [(2, 0), (2, 9), (2, 10)]
    with pytest.raises(NoSuchTranslation, match="season 3"):
        places_of(series, None, 3)


def test_a_film_is_the_one_place_without_numbers() -> None:
    assert places_of(dub((None, None)), None, None) == [(None, None)]


def test_what_is_missing_is_named_by_number() -> None:
    assert "episode 3." in missing_words(PRICHAL, [(1, 3)])
    assert "episodes 3, 4." in missing_words(PRICHAL, [(1, 3), (1, 4)])
    assert "and 10 more" in missing_words(PRICHAL, [(1, number) for number in range(30)])


def ask(house: House, **wanted: object) -> tuple[int, dict[str, object]]:
    form = {"external_id": EXTERNAL, "translation_id": "prichal", **wanted}
    reply = house.client().post("/api/v1/wishes", json=form, headers=SHOWN)
    return reply.status_code, reply.get_json()


def outcomes(told: dict[str, object]) -> list[tuple[object, object, object]]:
    results = told["results"]
    assert isinstance(results, list)
    return [(one["episode"], one["outcome"], one["code"]) for one in results]


def test_a_range_is_one_wish_for_each_episode_in_their_order(house: House) -> None:
    status, told = ask(house, episodes="2-3,1")

    assert (status, told["created"]) == (202, 3)
    assert [request.episode for request in house.downloader.asked] == [1, 2, 3]


def test_what_the_dub_has_not_is_refused_by_itself(house: House) -> None:
    status, told = ask(house, episodes="3-5")

    assert status == 202
    assert outcomes(told) == [
        (3, "made", None),
        (4, "refused", "no_such_translation"),
        (5, "refused", "no_such_translation"),
    ]


def test_a_range_of_which_the_dub_has_nothing_is_an_error_that_lists_the_numbers(house: House) -> None:
    status, told = ask(house, episodes="8-9")

    assert (status, told["code"], told["missing"]) == (404, "no_such_translation", "8, 9")
    assert "has not made episodes 8, 9." in str(told["detail"])


def test_a_season_is_asked_for_as_a_whole(house: House) -> None:
    assert outcomes(ask(house, season=1)[1]) == [(number, "made", None) for number in (1, 2, 3)]


@pytest.mark.parametrize("episodes", ["", "x", "1-2-3", "1,,2", "1-", "123456"])
def test_what_is_no_range_is_a_mistake_of_the_request(house: House, episodes: str) -> None:
    status, told = ask(house, episodes=episodes)

    assert (status, told["code"]) == (400, "bad_request")


def test_an_endless_series_is_asked_for_in_parts(house: House) -> None:
    endless = tuple(EpisodeRef(season=1, episode=number) for number in range(600))
    long = PRICHAL.model_copy(update={"episodes": endless})
    house.resolver.titles[EXTERNAL] = SOURCE_TITLE.model_copy(update={"translations": (long,)})

    refused, some = ask(house), ask(house, episodes="0-3")

    assert (refused[0], refused[1]["code"]) == (400, "too_many_at_once")
    assert some[1]["created"] == 4


def test_one_episode_that_cannot_be_asked_for_does_not_stop_the_others(house: House) -> None:
    house.downloader.refuses[2] = UpstreamFailed("The downloader does not answer.")

    _, told = ask(house, episodes="1-3")

    assert outcomes(told) == [(1, "made", None), (2, "refused", "upstream_failed"), (3, "made", None)]
