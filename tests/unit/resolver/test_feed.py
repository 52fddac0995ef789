from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.feed import VideoFeed
from kinodom_resolver.sources.feed_reading import read_feed
from tests.support.fake_feeds import ATOM, RSS, FakeFeeds, item, rss
from tests.support.outside import Rerouted
from tests.support.served import served

ADDRESS = "https://feeds.example/show.xml"
ID = "feed:https%3A%2F%2Ffeeds.example%2Fshow.xml"
ROUNDS = 300
ODD = (
    "",
    " ",
    "\ufffd",
    "x" * 5000,
    "-1",
    "9" * 400,
    "http://[",
    "//",
    "12:61",
    "٣",
    "<",
    "&",
    "&lt;",
    "\x00",
    "]]>",
    '"',
)


@pytest.fixture
def site() -> FakeFeeds:
    return FakeFeeds()


@pytest.fixture
def outside(site: FakeFeeds) -> Iterator[Rerouted]:
    with served(site.app()) as url:
        yield Rerouted(feeds_example=url)


@pytest.fixture
def source(outside: Rerouted) -> VideoFeed:
    return VideoFeed([ADDRESS, "https://feeds.example/atom"], outside)


def numbers(source: VideoFeed) -> list[tuple[int | None, int | None, str | None]]:
    return [(one.season, one.episode, one.name) for one in source.title(ID).translations[0].episodes]


def test_a_pasted_feed_is_a_series_with_plain_text(source: VideoFeed) -> None:
    hit = source.search(ADDRESS)[0]

    assert (hit.external_id, hit.name, hit.kind, hit.episodes) == (ID, "The Tin & Light Hour", "series", 2)
    assert (hit.description, hit.licence, hit.genres) == ("About lighthouses.", "CC BY 4.0", ("Travel",))
    assert hit.heights_px == (1080, 480)
    assert hit.poster_url is not None
    assert hit.poster_url.endswith("/cover.jpg")


def test_without_numbers_of_its_own_the_season_is_the_year_and_the_episode_the_day(source: VideoFeed) -> None:
    title = source.title(ID)

    assert numbers(source) == [(2023, 1231, "The first lamp"), (2024, 315, "The second lamp")]
    assert title.translations[0].language == "en-us"
    assert title.translations[0].episodes[1].duration_s == 3723


def test_an_episode_by_date_can_be_wished_for(source: VideoFeed) -> None:
    title = source.title(ID)
    last = title.translations[0].episodes[-1]

    wish = WishRequest(external_id=ID, season=last.season, episode=last.episode, title=title.card)

    assert (wish.season, wish.episode) == (2024, 315)


def test_playlists_go_first_then_the_highest_with_their_subtitles(source: VideoFeed) -> None:
    offers = source.offers(ID, 2023, 1231, "original")
    single = source.offers(ID, 2024, 315, "original")

    assert [(one.delivery, one.height_px, one.size_bytes) for one in offers] == [
        ("hls", None, None),
        ("progressive", 1080, 1900),
        ("progressive", 480, 900),
    ]
    assert [(one.url, one.language) for one in offers[0].subtitles] == [("https://cdn.example/1.de.vtt", "de")]
    assert [(one.url, one.size_bytes, one.duration_s) for one in single] == [
        ("https://cdn.example/2.mp4?x=1", 2000, 3723)
    ]
    assert [one.language for one in single[0].subtitles] == ["en"]
    assert source.offers(ID, 2023, 1, "original") == []


def test_atom_is_read_too_and_days_are_counted_in_utc(source: VideoFeed) -> None:
    hit = source.search("https://feeds.example/atom")[0]
    title = source.title(hit.external_id)
    offer = source.offers(hit.external_id, 2024, 314, "original")[0]

    assert (hit.name, hit.description, hit.licence) == ("Le phare", "Court", "Domaine public")
    assert title.translations[0].language == "fr"
    assert offer.url.endswith("/videos/un.webm")
    assert offer.url.startswith("http")


def test_words_find_the_operators_feeds_by_their_name_and_by_their_entries(source: VideoFeed) -> None:
    by_entry = source.search("second tin")
    by_name = source.search("PHARE")
    nothing = source.search("submarine")

    assert [hit.name for hit in by_entry] == ["The Tin & Light Hour"]
    assert [hit.name for hit in by_name] == ["Le phare"]
    assert list(nothing) == []


def test_a_feed_that_fails_costs_only_itself(site: FakeFeeds, source: VideoFeed) -> None:
    del site.pages["atom"]

    hits = source.search("tin")

    assert [hit.external_id for hit in hits] == [ID]


def test_without_feeds_words_are_asked_of_nobody(site: FakeFeeds, outside: Rerouted) -> None:
    hits = VideoFeed([], outside).search("tin")

    assert list(hits) == []
    assert site.asked == []


def test_numbers_of_the_feeds_own_are_taken(site: FakeFeeds, source: VideoFeed) -> None:
    site.pages["show.xml"] = rss(
        item(1, season="2", episode="10"), item(2, season="0", episode="3"), item(3, episode="4")
    )

    episodes = numbers(source)

    assert episodes == [(0, 3, "Part 2"), (1, 4, "Part 3"), (2, 10, "Part 1")]


def test_numbers_used_twice_are_not_taken(site: FakeFeeds, source: VideoFeed) -> None:
    day = "Fri, 15 Mar 2024 {}:00:00 GMT"
    items = [item(n, episode="1", pubDate=day.format(10 + n)) for n in (3, 1, 2)]
    site.pages["show.xml"] = rss(*items)

    episodes = numbers(source)

    assert episodes == [(2024, 315, "Part 1"), (2024, 10_315, "Part 2"), (2024, 20_315, "Part 3")]


def test_a_feed_that_drops_its_oldest_entries_leaves_the_numbers_of_the_others(
    site: FakeFeeds, source: VideoFeed
) -> None:
    items = [item(n, pubDate=f"2024-03-{n:02}") for n in (3, 2, 1)]
    site.pages["show.xml"] = rss(*items)
    before = numbers(source)

    site.pages["show.xml"] = rss(item(4, pubDate="2024-03-04"), *items[:2])
    after = numbers(source)

    assert set(before) & set(after) == {(2024, 302, "Part 2"), (2024, 303, "Part 3")}


def test_without_dates_entries_are_counted_from_the_end(site: FakeFeeds, source: VideoFeed) -> None:
    site.pages["show.xml"] = rss(item(2), item(1, pubDate="yesterday"))

    episodes = numbers(source)

    assert episodes == [(1, 1, "Part 1"), (1, 2, "Part 2")]


@pytest.mark.parametrize(
    "page",
    ["<html><body>x</body></html>", "no xml", "", "<rss", '{"a": 1}', b"\xff\xfe\x00",
     '<?xml version="1.0" encoding="x-none"?><rss/>'],
)  # fmt: skip
def test_what_is_no_feed_is_nothing_when_pasted_and_a_failure_when_it_was_one(
    site: FakeFeeds, source: VideoFeed, page: str | bytes
) -> None:
    site.pages["show.xml"] = page

    pasted = source.search(ADDRESS)

    assert list(pasted) == []
    with pytest.raises((UpstreamFailed, NotFound)):
        source.title(ID)


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/hostname">',
        '<!ENTITY % b SYSTEM "http://127.0.0.1:1/x.dtd"> %b;',
    ],
    ids=["bomb", "file", "other address"],
)
def test_xml_with_entities_of_its_own_is_not_read(entity: str) -> None:
    page = f"<!DOCTYPE rss [{entity}]><rss><channel><title>&b;</title></channel></rss>"

    assert read_feed(page.encode(), url=ADDRESS) is None


def test_an_old_feed_that_names_its_document_type_is_read(site: FakeFeeds, source: VideoFeed) -> None:
    kind = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    site.pages["show.xml"] = kind + rss(item(1))

    episodes = numbers(source)

    assert episodes == [(1, 1, "Part 1")]


def test_a_feed_without_end_is_not_read_to_the_end(site: FakeFeeds, source: VideoFeed) -> None:
    site.pages["show.xml"] = rss(" " * 5_000_000)

    pasted = source.search(ADDRESS)

    assert list(pasted) == []
    with pytest.raises(UpstreamFailed) as caught:
        source.title(ID)
    assert caught.value.code == "outside_too_large"


def test_only_so_many_entries_are_read() -> None:
    feed = read_feed(rss(*(item(n) for n in range(2500))).encode(), url=ADDRESS)

    assert feed is not None
    assert len(feed.items) == 2000


def test_elements_inside_each_other_without_end_do_not_break_it() -> None:
    page = "<rss><channel>" + "<title>" * 50_000 + "</title>" * 50_000 + item(1) + "</channel></rss>"

    feed = read_feed(page.encode(), url=ADDRESS)

    assert feed is not None
    assert len(feed.items) == 1


@pytest.mark.parametrize(
    "address", ["https://feeds.example/film.mp4?x", "https://feeds.example/a/master.m3u8", "ftp://x/y"]
)
def test_an_address_of_a_video_is_not_asked_for_a_feed(site: FakeFeeds, source: VideoFeed, address: str) -> None:
    hits = source.search(address)

    assert list(hits) == []
    assert site.asked == []


def test_a_feed_that_is_gone_is_not_found_and_a_busy_site_is_a_failure(site: FakeFeeds, source: VideoFeed) -> None:
    site.pages.clear()
    with pytest.raises(NotFound):
        source.title(ID)

    site.status = 503
    with pytest.raises(UpstreamFailed):
        source.title(ID)


def test_a_feed_without_videos_is_no_title(site: FakeFeeds, source: VideoFeed) -> None:
    site.pages["show.xml"] = "<rss><channel><title>Words</title><item><title>x</title></item></channel></rss>"

    hits = source.search(ADDRESS)

    assert list(hits) == []
    with pytest.raises(NotFound):
        source.title(ID)


def mutated(text: str, chance: random.Random) -> bytes:
    """Return the feed with values of another kind, without some of its tags, or with damaged bytes."""
    for _ in range(chance.randint(1, 8)):
        pieces = [match.span(1) for match in re.finditer(r'(?:>|=")([^<>"]{1,200})(?:<|")', text)]
        tags = [match.span() for match in re.finditer(r"<[^<>]+>", text)]
        if not pieces or not tags:
            break
        start, end = chance.choice(pieces if chance.random() < 0.8 else tags)
        text = text[:start] + chance.choice(ODD) + text[end:]
    body = bytearray(text.encode("utf-8", "replace"))
    if chance.random() < 0.2:
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


class Told:
    def __init__(self, body: bytes) -> None:
        self.body, self.url, self.status, self.headers = body, ADDRESS, 200, dict[str, str]()

    def get(self, url: str, **_: object) -> Any:
        return self

    def get_json(self, url: str) -> Any:
        raise AssertionError("not asked for")


@pytest.mark.parametrize("batch", range(10))
def test_mutated_feeds_give_sendable_answers_or_known_errors(batch: int) -> None:
    for seed in range(batch * ROUNDS, (batch + 1) * ROUNDS):
        source = VideoFeed([ADDRESS], Told(mutated(RSS if seed % 2 else ATOM, random.Random(seed))))

        hits = tuple(source.search(ADDRESS))
        try:
            title = source.title(ID)
            episodes = title.translations[0].episodes
            offers = [offer for one in episodes for offer in source.offers(ID, one.season, one.episode, "original")]
        except (UpstreamFailed, NotFound):
            offers = []

        SearchReply(query="any", hits=hits).model_dump_json()
        assert all(one.model_dump_json() for one in offers)
