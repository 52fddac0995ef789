"""Kodik's answers and pages with anything in any place: what is odd is lost, the rest stands, nothing breaks."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest

from kinodom_common.contracts.offers import OfferList
from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.kodik import by_page
from kinodom_resolver.sources.kodik.decoding import decoded
from kinodom_resolver.sources.kodik.page import page_of
from tests.support.fake_kodik import result, sample, sample_page, seasons
from tests.support.kodik_told import ToldByKodik, kodik_of

pytestmark = pytest.mark.slow

SEEDS = 30
ROUNDS = 25  # of each seed: 750 mutations for each test and sample
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("inf"), "", " ", "x" * 9000, "\ud800", "a\x00b", "<b>", "&#0;", "//[", "//",
    [], [None], [[]], ["a", 1], {}, {"a": {}}, {"1": {"episodes": {"1": None}}}, "../..", "99999999999", "tt1", "²",
)  # fmt: skip
URL = "https://kodikplayer.com/serial/53973/8ea8930aaf747fd9364e99b03393b655/720p"


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found


def mutated(value: Any, chance: random.Random, most: int = 10) -> Any:
    copy = deepcopy(value)
    for _ in range(chance.randint(1, most)):
        container, key = chance.choice(places(copy))
        if isinstance(container, dict) and chance.random() < 0.2:
            container[str(chance.choice(ODD))] = container.pop(key)  # a field nobody knows
        else:
            container[key] = deepcopy(chance.choice(ODD))
        if not places(copy):
            break
    return copy


def short(name: str) -> Any:
    """Return a recorded answer with fewer episodes, so that other fields are hit as often."""
    answer = sample(name)
    for one in answer["results"]:
        for season in one.get("seasons", {}).values():
            season["episodes"] = dict(list(season["episodes"].items())[:3])
    return answer


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["search_anime_serial.json", "search_by_shikimori_id.json", "list_anime_serial.json"])
def test_a_mutated_catalogue_gives_sendable_hits_titles_and_offers_or_a_known_error(name: str, seed: int) -> None:
    chance, answer = random.Random(seed), short(name)
    links = sample("ftor_direct.json")
    for _ in range(ROUNDS):
        source = kodik_of(
            ToldByKodik(mutated(answer, chance), sample_page("player_movie.html"), mutated(links, chance, 3))
        )

        try:
            SearchReply(query="x", hits=tuple(source.search("naruto"))).model_dump_json()
            source.title("shikimori:20").model_dump_json()
            offers = tuple(source.offers("shikimori:20", 1, 1, "735"))
            OfferList(external_id="a:b", translation_id="735", offers=offers).model_dump_json()
        except (UpstreamFailed, NotFound):
            continue


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_mutated_result_costs_only_itself(seed: int) -> None:
    chance = random.Random(seed)
    good = [
        result("serial-1", title="Первый", kinopoisk_id="901", seasons=seasons(1)),
        result("movie-2", title="Второй", imdb_id="tt9000002"),
        result("serial-3", title="Третий", shikimori_id="903", seasons=seasons(3, episodes=(0, 1))),
    ]
    expected = {hit.external_id: hit for hit in kodik_of(ToldByKodik({"results": good})).search("x")}
    (bad,) = short("search_anime_serial.json")["results"]
    for _ in range(ROUNDS):
        results = [good[0], mutated(bad, chance), good[1], mutated([bad], chance)[0], good[2]]

        hits = {hit.external_id: hit for hit in kodik_of(ToldByKodik({"results": results})).search("x")}

        assert {key: hits.get(key) for key in expected} == expected


def test_a_mutated_field_that_no_title_needs_keeps_the_title() -> None:
    (whole,) = short("search_anime_serial.json")["results"]
    for field in set(whole) - {"id", "title", "link", "translation"}:
        for odd in ODD:
            (hit,) = kodik_of(ToldByKodik({"results": [{**whole, field: odd}]})).search("x")

            assert hit.name == "Наруто [ТВ-1]"


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["player_serial.html", "player_movie.html"])
def test_a_mutated_page_is_read_or_gives_a_known_error(name: str, seed: int) -> None:
    chance, text = random.Random(seed), sample_page(name)
    for _ in range(8):
        page_text = scrambled(text, chance)
        told = ToldByKodik(
            {"results": [result("serial-5", kinopoisk_id="5", link=URL[6:])]}, page_text, sample("ftor_direct.json")
        )

        page = page_of(page_text.encode("utf-8", "replace"), url=URL)
        title = by_page.title_of("kodik", "kinopoisk:5", page, None)
        try:
            offers = tuple(kodik_of(told).offers("kinopoisk:5", 1, 2, "610"))
        except (UpstreamFailed, NotFound):
            offers = ()

        if title is not None:
            title.model_dump_json()
        OfferList(external_id="a:b", translation_id="1", offers=offers).model_dump_json()


def scrambled(text: str, chance: random.Random) -> str:
    """Return a page with pieces cut out, doubled, moved, or changed."""
    for _ in range(chance.randint(1, 12)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice((1, 5, 40, 400, 4000)))
        piece = text[start:end]
        other = chance.choice(
            ("", piece * 2, "<", '"', "'", "\x00", "</script>", "<option value=", "9" * 30, piece[::-1])
        )
        text = (text[:start] + other + text[end:]) or "<"
    return text


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_mutated_src_is_an_address_or_nothing(seed: int) -> None:
    chance = random.Random(seed)
    src = sample("ftor_direct.json")["links"]["720"][0]["src"]
    for _ in range(ROUNDS):
        broken = scrambled(src, chance)

        found = decoded(broken, chance.randrange(26))

        assert found is None or found.address.startswith(("//", "http"))
