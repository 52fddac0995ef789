"""NASA's library, as a stand-in on loopback plays it; the replies are invented after its documentation."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response, request

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.nasa import Nasa
from tests.support.bad_site import WAYS, BadSite
from tests.support.mutations import Told, mutated
from tests.support.outside import outside_for
from tests.support.served import served

ID = "nasa:Apollo%2011%20Overview"
FILES = ("~orig.mp4", "~large.mp4", "~small.mp4", "~thumb_1.jpg", ".srt", ".vtt")


def item(nasa_id: str = "Apollo 11 Overview", **facts: object) -> dict[str, Any]:
    told = {
        "nasa_id": nasa_id, "title": "Apollo  11", "description": "A <b>walk</b> on the Moon.", "media_type": "video",
        "date_created": "1969-07-20T00:00:00Z", "keywords": ["Apollo", "Moon"], "center": "JSC", **facts,
    }  # fmt: skip
    return {"href": "x", "data": [told], "links": [{"rel": "preview", "href": "http://images.test/a~thumb.jpg"}]}


@dataclass
class Library:
    items: list[Any] = field(default_factory=lambda: [item(), item("Saturn", title="Saturn")])
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("library")

        @app.get("/search")
        def search() -> Response:
            self.asked.append(request.args.to_dict())
            wanted = request.args.get("nasa_id")
            found = [one for one in self.items if wanted is None or one["data"][0]["nasa_id"] == wanted]
            return _json(found)

        @app.get("/asset/<name>")
        def asset(name: str) -> Response:
            return _json([{"href": f"http://images.test/{name}/{name}{ending}"} for ending in FILES])

        return app


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def source(library: Library) -> Iterator[Nasa]:
    with served(library.app()) as url:
        yield Nasa(outside_for(url), base_url=url)


def test_a_search_gives_videos_with_their_facts_as_plain_text(library: Library, source: Nasa) -> None:
    hit, other = source.search("moon & sun")

    assert (hit.external_id, hit.name, hit.year, hit.description) == (ID, "Apollo 11", 1969, "A walk on the Moon.")
    assert (hit.poster_url, hit.genres, other.name) == ("http://images.test/a~thumb.jpg", ("Apollo", "Moon"), "Saturn")
    assert library.asked == [{"q": "moon & sun", "media_type": "video", "page_size": "30"}]


def test_a_title_is_a_film_and_one_that_is_gone_is_not_found(source: Nasa) -> None:
    assert source.title(ID).card.name == "Apollo 11"
    with pytest.raises(NotFound):
        source.title("nasa:gone")


def test_files_are_offered_the_best_to_play_first_with_subtitles(source: Nasa) -> None:
    offers = source.offers(ID, None, None, "original")

    assert [one.url.rpartition("~")[2] for one in offers] == ["large.mp4", "orig.mp4", "small.mp4"]
    assert offers[0].url == "https://images.test/Apollo%2011%20Overview/Apollo%2011%20Overview~large.mp4"
    assert [one.url.rpartition("/")[2] for one in offers[0].subtitles] == ["Apollo%2011%20Overview.srt"]
    assert source.offers(ID, 1, 1, "original") == []


@pytest.mark.parametrize("page", ["details/Apollo 11 Overview", "details-Apollo%2011%20Overview.html"])
def test_a_pasted_page_is_its_video(source: Nasa, page: str) -> None:
    assert [hit.external_id for hit in source.search(f"https://images.nasa.gov/{page}")] == [ID]
    assert source.search("https://elsewhere.test/details/x") == []


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way not in ("hangs", "leads home", "in circles", "a bot check")]
)
def test_a_library_that_misbehaves_could_not_be_asked(way: str) -> None:
    with served(BadSite(way).app()) as url, pytest.raises(UpstreamFailed):
        Nasa(outside_for(url), base_url=url).search("moon")


@pytest.mark.parametrize("seed", range(300))
def test_a_mutated_answer_gives_sendable_hits_and_an_odd_item_costs_itself(seed: int) -> None:
    chance = random.Random(seed)
    good, odd = item("good"), mutated(item(), chance)
    source = Nasa(Told({"collection": {"items": [odd, good]}}), base_url="https://n.test")

    hits = source.search("x")

    SearchReply(query="x", hits=tuple(hits)).model_dump_json()
    assert hits[-1].external_id == "nasa:good"


def _json(items: list[Any]) -> Response:
    return Response(json.dumps({"collection": {"items": items}}), content_type="application/json")
