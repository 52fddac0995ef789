"""The demo source against the real demo site, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_demo.app import create_app
from kinodom_demo.settings import Settings
from kinodom_resolver.sources.demo import Demo
from tests.support.outside import outside_for
from tests.support.served import served


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with served(create_app(Settings(demo_root=tmp_path, demo_seconds=8))) as address:
        yield address


@pytest.fixture
def source(url: str) -> Demo:
    return Demo(url, outside_for(url))


def test_a_search_in_either_language_finds_the_series(source: Demo, url: str) -> None:
    hits = [source.search(query)[0] for query in ("lighthouse", "жестяной")]

    assert hits[0] == hits[1]
    assert (hits[0].external_id, hits[0].kind, hits[0].episodes) == ("demo:the-tin-lighthouse", "series", 3)
    assert (hits[0].dubs, hits[0].heights_px) == (("Prichal", "Studio Kotelnaya"), (720, 360))
    assert hits[0].poster_url == f"{url}/films/the-tin-lighthouse/poster.jpg"
    assert source.search("no such film") == []


def test_the_series_has_two_dubs_with_three_episodes(source: Demo) -> None:
    title = source.title("demo:the-tin-lighthouse")

    assert title.card.original_name == "Жестяной маяк"
    assert [(one.translation_id, one.kind, one.language) for one in title.translations] == [
        ("prichal", "voice", "ru"),
        ("kotelnaya", "voice", "ru"),
    ]
    assert [(one.season, one.episode, one.name) for one in title.translations[1].episodes] == [
        (1, 1, "What the Gulls Took"),
        (1, 2, "A Bicycle for the Tide"),
        (1, 3, "Oil for the Lamp"),
    ]


def test_an_episode_has_one_playlist(source: Demo, url: str) -> None:
    offers = source.offers("demo:the-tin-lighthouse", 1, 2, "kotelnaya")

    folder = f"{url}/films/the-tin-lighthouse/kotelnaya/2"
    assert [(one.url, one.delivery, one.duration_s) for one in offers] == [(f"{folder}/master.m3u8", "hls", 8.0)]


@pytest.mark.parametrize("slug", ["salt-and-moon", "paper-fleet"])
def test_a_film_is_had_without_season_and_episode(source: Demo, slug: str) -> None:
    title = source.title(f"demo:{slug}")
    offers = source.offers(f"demo:{slug}", None, None, "original")

    assert [(one.season, one.episode) for one in title.translations[0].episodes] == [(None, None)]
    assert len(offers) == 1


@pytest.mark.parametrize(("season", "episode", "dub"), [(1, 4, "prichal"), (None, None, "prichal"), (1, 1, "other")])
def test_an_episode_that_is_not_there_has_no_offers(
    source: Demo, season: int | None, episode: int | None, dub: str
) -> None:
    offers = source.offers("demo:the-tin-lighthouse", season, episode, dub)

    assert offers == []


def test_an_unknown_film_is_not_found(source: Demo) -> None:
    with pytest.raises(NotFound):
        source.title("demo:gone")


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"films": {}, "film": []}', "null"])
def test_an_answer_of_another_shape_is_an_upstream_failure(body: str) -> None:
    app = Flask("other_site")
    app.add_url_rule("/api/<path:rest>", view_func=lambda rest: Response(body, content_type="application/json"))

    with served(app) as url:
        source = Demo(url, outside_for(url))
        with pytest.raises(UpstreamFailed):
            source.search("x")
        with pytest.raises(UpstreamFailed):
            source.title("demo:x")
