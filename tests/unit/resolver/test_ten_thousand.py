"""Ten thousand mutated answers: each recorded answer that a source reads, with something odd in one place or in many.

A value of the wrong type in one field costs the item it stands in and never another one; a field that nobody knows
changes nothing; whatever else happens is an answer that can be sent, or an error with a code.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.internet_archive import InternetArchive
from kinodom_resolver.sources.kodik.page import page_of
from kinodom_resolver.sources.kodik.shikimori import ShikimoriTitles
from kinodom_resolver.sources.peertube import PeerTube
from kinodom_resolver.sources.wikimedia_commons import WikimediaCommons
from tests.support import fake_archive, fake_commons, fake_kodik, fake_peertube, fake_shikimori
from tests.support.kodik_told import ToldByKodik, kodik_of
from tests.support.mutations import ODD, Told, mutated

pytestmark = pytest.mark.slow

ROUNDS, BATCHES = 100, 10  # of each case: 10 cases make 10,000
Path = tuple[str | int, ...]
Read = dict[str, str]  # what a source made of an answer, in its order: the key of an item → the item as it is sent


@dataclass(frozen=True)
class Case:
    """One recorded answer, where its items stand, and how a source reads it."""

    sample: Callable[[], Any]
    items: Path
    read: Callable[[Any], Read]


def sent(models: Any, key: str) -> Read:
    return {str(getattr(one, key)): one.model_dump_json() for one in models}


def archive_search(reply: Any) -> Read:
    return sent(InternetArchive("https://a.test", Told(reply)).search("toys"), "external_id")


def archive_item(reply: Any) -> Read:
    source, name = InternetArchive("https://a.test", Told(reply)), f"ia:{fake_archive.RECORDED_ITEM}"
    (version,) = source.title(name).translations
    offers = [one for ref in version.episodes for one in source.offers(name, ref.season, ref.episode, "original")]
    return sent([one.model_copy(update={"subtitles": ()}) for one in offers], "url")


def kodik_search(reply: Any) -> Read:
    return sent(kodik_of(ToldByKodik(reply)).search("x"), "external_id")


def kodik_title(reply: Any) -> Read:
    title = kodik_of(ToldByKodik(reply)).title("shikimori:20")
    return {f"{ref.season}/{ref.episode}": ref.model_dump_json() for one in title.translations for ref in one.episodes}


def kodik_links(reply: Any) -> Read:
    catalogue = {"results": [fake_kodik.result("movie-5", kinopoisk_id="5")]}
    told = ToldByKodik(catalogue, fake_kodik.sample_page("player_movie.html"), reply)
    return sent(kodik_of(told).offers("kinopoisk:5", None, None, "610"), "height_px")


def shikimori_search(reply: Any) -> Read:
    return sent(ShikimoriTitles(["https://s.test"], Told(reply)).search("kodik", "x"), "external_id")


def peertube_search(reply: Any) -> Read:
    return sent(PeerTube(["https://tube.test"], None, Told(reply)).search("internet"), "external_id")


def peertube_video(reply: Any) -> Read:
    name = f"peertube:tube.test%2F{fake_peertube.RECORDED}"
    return sent(PeerTube(["https://tube.test"], None, Told(reply)).offers(name, None, None, "original"), "url")


def commons_video(reply: Any) -> Read:
    source = WikimediaCommons("https://c.test", Told(reply))
    return sent(source.offers(f"commons:{fake_commons.RECORDED}", None, None, "original"), "url")


def kodik_page(text: Any) -> Read:
    page = page_of(str(text).encode("utf-8", "replace"), url="https://kodikplayer.com/serial/1/ab/720p")
    episodes = {f"episode {one.season}/{one.episode}": repr(one) for one in page.episodes}
    return episodes | {f"voice {one.translation_id}": repr(one) for one in page.translations}


def short(name: str, most: int = 6) -> Any:
    """Return a recorded answer of Kodik with fewer episodes, so that other fields are hit as often."""
    reply = fake_kodik.sample(name)
    for one in reply["results"]:
        for season in one.get("seasons", {}).values():
            season["episodes"] = dict(list(season["episodes"].items())[:most])
    return reply


def all_of_kodik() -> Any:
    names = ("list_anime_serial.json", "search_anime_serial.json", "search_by_shikimori_id.json")
    replies = [short(name) for name in names]
    return {**replies[0], "results": [one for reply in replies for one in reply["results"]]}


def renditions() -> Any:
    """Return the recorded video without its own address, which stands for the upload when that is not listed."""
    reply = fake_commons.sample()
    del reply["query"]["pages"][0]["videoinfo"][0]["url"]
    return reply


def few(reply: Any, *path: str, most: int = 6) -> Any:
    found = reply
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = found[path[-1]][:most]
    return reply


CASES = {
    "archive search": Case(
        lambda: few(fake_archive.sample("advancedsearch.json"), "response", "docs"),
        ("response", "docs"),
        archive_search,
    ),
    "archive item": Case(lambda: fake_archive.sample("metadata_video_item.json"), ("files",), archive_item),
    "kodik results": Case(all_of_kodik, ("results",), kodik_search),
    "kodik episodes": Case(
        lambda: short("search_anime_serial.json"), ("results", 0, "seasons", "1", "episodes"), kodik_title
    ),
    "kodik links": Case(lambda: fake_kodik.sample("ftor_direct.json"), ("links",), kodik_links),
    "shikimori titles": Case(
        lambda: fake_shikimori.sample("graphql_search.json"), ("data", "animes"), shikimori_search
    ),
    "peertube search": Case(lambda: fake_peertube.sample("search_videos.json"), ("data",), peertube_search),
    "peertube video": Case(lambda: fake_peertube.sample("video_web_and_hls.json"), ("files",), peertube_video),
    "commons video": Case(
        renditions, ("query", "pages", 0, "videoinfo", 0, "derivatives"), commons_video
    ),
}  # fmt: skip
MAPS = {"links", "seasons", "episodes", "blocked_seasons"}  # a new key in one of these is an item and no field


@cache
def whole(name: str) -> Any:
    return CASES[name].sample()


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def paths(value: Any, top: Path = ()) -> list[Path]:
    """Return the way to everything in a JSON value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [found for key in keys for found in ((*top, key), *paths(value[key], (*top, key)))]


@cache
def without(name: str, item: str | int) -> tuple[Read, frozenset[str]]:
    """Return what is read of a sample without one of its items, and the keys that this item has a part in."""
    case, reply = CASES[name], deepcopy(whole(name))
    all_keys = case.read(reply)
    del at(reply, case.items)[item]
    rest = case.read(reply)
    return rest, frozenset(key for key, text in all_keys.items() if rest.get(key) != text)


def read_or_known(case: Case, reply: Any) -> Read | None:
    try:
        return case.read(reply)
    except (UpstreamFailed, NotFound):
        return None


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("name", CASES)
def test_a_mutated_answer(name: str, batch: int) -> None:
    case = CASES[name]
    for number in range(ROUNDS):
        chance = random.Random(f"{name} {batch} {number}")
        what = ("one field", "one field", "one field", "unknown field", "anything")[number % 5]
        {"one field": one_field, "unknown field": unknown_field, "anything": anything}[what](name, case, chance)


def one_field(name: str, case: Case, chance: random.Random) -> None:
    reply = deepcopy(whole(name))
    items = at(reply, case.items)
    item = chance.choice(list(items) if isinstance(items, dict) else range(len(items)))
    inside = [(), *paths(items[item])]
    way = (item, *chance.choice(inside))
    at(items, way[:-1])[way[-1]] = deepcopy(chance.choice(ODD))

    found = read_or_known(case, reply)

    rest, touched = without(name, item)
    kept = {key: text for key, text in rest.items() if key not in touched}
    assert kept == {} or found is not None
    assert {key: (found or {}).get(key) for key in kept} == kept
    assert [key for key in found or {} if key in kept] == list(kept)


def unknown_field(name: str, case: Case, chance: random.Random) -> None:
    reply = deepcopy(whole(name))
    ways = [way for way in [(), *paths(reply)] if isinstance(at(reply, way), dict) and (not way or way[-1] not in MAPS)]
    at(reply, chance.choice(ways))["a field of the future"] = deepcopy(chance.choice(ODD))

    assert case.read(reply) == case.read(whole(name))


def anything(name: str, case: Case, chance: random.Random) -> None:
    read_or_known(case, mutated(whole(name), chance))


OPTION = re.compile(r"<option\s[^>]*data-(?:id|hash)=[^>]*>")
VALUE = re.compile(r'(?<==")[^"]*(?=")')


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_mutated_page(batch: int) -> None:
    text = fake_kodik.sample_page("player_serial.html")
    options = list(OPTION.finditer(text))
    good = kodik_page(text)
    for number in range(ROUNDS):
        chance = random.Random(f"page {batch} {number}")
        option = chance.choice(options)
        value = chance.choice(list(VALUE.finditer(option[0])))
        odd = re.sub('["<>&]', "", json.dumps(chance.choice(ODD)))[:100]
        changed = option[0][: value.start()] + odd + option[0][value.end() :]

        found = kodik_page(text[: option.start()] + changed + text[option.end() :])

        assert len([key for key, told in good.items() if found.get(key) != told]) <= 1
