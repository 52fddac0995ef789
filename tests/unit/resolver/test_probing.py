"""Finding an address that plays: order, fallback, reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request

from kinodom_common.contracts.offers import Delivery, Offer, OfferList
from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, Translation
from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.adapters.probe import OfferNotPlayable, OutsideProbe
from kinodom_resolver.adapters.redis_line import RedisLine, connect
from kinodom_resolver.adapters.redis_plays import RedisPlays
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.playing import Tried, in_order, mark_of
from kinodom_resolver.domain.probing import Episode, NoOfferPlays, Tools, playing
from kinodom_resolver.domain.wall import Wall
from tests.support.fake_sources import FakeSource, listed
from tests.support.outside import outside_for
from tests.support.redis_server import RedisServer
from tests.support.served import served


def offer(name: str, delivery: Delivery = "hls") -> Offer:
    return Offer(source="?", url=f"https://host.test/{name}", delivery=delivery)


class Shelved(FakeSource):
    """A source with pages and offers of their own."""

    def __init__(self, name: str, offers: Any = (), *, page: Any = None, weight: int = 10) -> None:
        super().__init__(name, offers, weight=weight)
        self.page = page

    def title(self, external_id: str) -> SourceTitle:
        if self.page is None:
            raise UpstreamFailed("No page.")
        told: SourceTitle = self.page
        return told


def page(external_id: str, *translations: Translation) -> SourceTitle:
    return SourceTitle(source="x", card=TitleCard(external_id=external_id, name="F"), translations=translations)


def dub(translation_id: str, name: str, *episodes: int) -> Translation:
    refs = tuple(EpisodeRef(season=1, episode=one) for one in episodes)
    return Translation(translation_id=translation_id, name=name, episodes=refs)


class Judge:
    """A probe that knows who plays."""

    def __init__(self, *good: str) -> None:
        self.good = good
        self.asked: list[str] = []

    def check(self, offer: Offer) -> None:
        name = offer.url.rpartition("/")[2]
        self.asked.append(name)
        if name not in self.good:
            raise OfferNotPlayable("It does not.")


class Desk:
    def __init__(self, judge: Judge, *sources: FakeSource) -> None:
        self.judge = judge
        self.now_s = 1000.0
        self.book = RedisPlays(RedisLine(None))
        self.tools = Tools(
            listed=listed(*sources), wall=Wall(), deadline_s=60, probe=judge, book=self.book, now=lambda: self.now_s
        )

    def play(self, *external_ids: str, episode: int | None = 1) -> OfferList:
        wanted = Episode(external_ids=external_ids, season=1, episode=episode, translation_id="a")
        return playing(wanted, self.tools)


def test_addresses_are_tried_in_their_order_until_one_plays() -> None:
    desk = Desk(Judge("2", "3"), Shelved("one", [offer("1"), offer("2"), offer("3")]))

    reply = desk.play("one:x")

    assert [one.url for one in reply.offers] == ["https://host.test/2"]
    assert desk.judge.asked == ["1", "2"]


def test_the_next_source_helps_out_with_the_dub_that_is_most_like_the_wanted_one() -> None:
    ours = page("one:x", dub("a", "Студия", 1))
    theirs = page("two:y", dub("p", "Other", 1), dub("q", "СТУДИЯ", 1), dub("r", "Студия", 2))
    two = Shelved("two", [offer("2")], page=theirs, weight=5)
    desk = Desk(Judge("2"), Shelved("one", [offer("1")], page=ours), two)

    reply = desk.play("one:x", "two:y")

    assert (reply.external_id, reply.translation_id, reply.offers[0].source) == ("two:y", "q", "two")


def test_what_played_last_is_tried_first_and_the_rest_by_weight() -> None:
    pages = {name: page(f"{name}:x", dub("a", "A", 1)) for name in ("one", "two", "big")}
    one, two = (Shelved(name, [offer(name)], page=pages[name]) for name in ("one", "two"))
    big = Shelved("big", [offer("big")], page=pages["big"], weight=50)
    desk = Desk(Judge("two"), one, two, big)

    desk.play("one:x", "two:x", "big:x")
    first = list(desk.judge.asked)
    desk.now_s += 10
    desk.play("one:x", "two:x", "big:x")
    second = desk.judge.asked[len(first) :]
    desk.judge.good = ("one",)
    desk.play("one:x", "two:x", "big:x")

    assert (first, second) == (["big", "one", "two"], ["two"])
    assert desk.judge.asked[len(first) + 1 :] == ["two", "big", "one"]


def test_a_kind_of_offer_that_failed_for_one_episode_comes_last_for_the_next() -> None:
    tall, low = (
        Offer(source="?", url=f"https://{host}.test/{host}", delivery="hls", height_px=height)
        for host, height in (("tall", 1080), ("low", 720))
    )
    desk = Desk(Judge("low"), Shelved("one", [tall, low]))

    desk.play("one:x", episode=1)
    desk.play("one:x", episode=2)

    assert desk.judge.asked == ["tall", "low", "low"]


def test_of_equal_heights_what_played_goes_first_and_a_lower_one_never_before_a_higher() -> None:
    offers = [
        Offer(source="?", url=f"https://{host}.test/x", delivery="hls", height_px=height)
        for host, height in (("a", 1080), ("b", 1080), ("c", 720), ("d", 480))
    ]
    reply = OfferList(external_id="one:x", translation_id="a", offers=tuple(offers))
    known = {
        mark_of(offers[1], "a"): Tried(at_s=1, played=True),
        mark_of(offers[2], "a"): Tried(at_s=1, played=False),
        mark_of(offers[3], "a"): Tried(at_s=1, played=True),
        mark_of(offers[0], "another dub"): Tried(at_s=1, played=False),
    }

    ordered = in_order(reply, known)

    assert [urlsplit(one.url).hostname for one in ordered.offers] == ["b.test", "a.test", "d.test", "c.test"]


def test_what_played_is_known_to_other_replicas_and_after_a_restart(tmp_path: Path) -> None:
    server = RedisServer(tmp_path).start()
    mine, theirs = connect(server.url), connect(server.url)
    one = offer("1")

    RedisPlays(RedisLine(mine)).note("one:x", mark_of(one, "a"), Tried(at_s=5, played=True))
    known = RedisPlays(RedisLine(theirs)).of("one:x")

    assert known == {mark_of(one, "a"): Tried(at_s=5, played=True)}
    assert mine is not None
    assert 0 < mine.ttl(mine.keys("kd:resolver:plays:*")[0]) <= 86_400
    for client in (mine, theirs):
        assert client is not None
        client.close()
    server.stop()


def test_without_redis_what_played_is_known_here() -> None:
    book = RedisPlays(RedisLine(None))
    for number in range(300):
        book.note("one:x", str(number), Tried(at_s=number, played=True))

    known = book.of("one:x")

    assert (len(known), "299" in known, "0" in known) == (200, True, False)
    assert book.of("one:y") == {}


def test_when_nothing_plays_the_reasons_are_told_by_source() -> None:
    broken = Shelved("two", UpstreamFailed("It is down."), page=page("two:y", dub("a", "A", 1)), weight=5)
    desk = Desk(Judge(), Shelved("one", [offer("1")]), broken)

    with pytest.raises(NoOfferPlays) as caught:
        desk.play("one:x", "two:y")

    assert caught.value.facts == {
        "source_one": "offer_not_playable: It does not.",
        "source_two": "upstream_failed: It is down.",
    }


def test_nobody_has_it_is_an_empty_list() -> None:
    assert Desk(Judge(), Shelved("one", [])).play("one:x").offers == ()


def test_ids_that_nobody_knows_are_said() -> None:
    with pytest.raises(finding.NoSuchSource):
        Desk(Judge()).play("one:x")


def test_no_address_is_tried_when_the_time_is_over() -> None:
    desk = Desk(Judge("5"), Shelved("one", [offer(str(number)) for number in range(6)]))
    check = desk.judge.check

    def slow(one: Offer) -> None:
        desk.now_s += 9
        check(one)

    desk.judge.check = slow  # type: ignore[method-assign]

    with pytest.raises(NoOfferPlays):
        desk.play("one:x")

    assert len(desk.judge.asked) == 3


BODIES = {
    "good.m3u8": b"\xef\xbb\xbf#EXTM3U\n#EXTINF:4,\na.ts\n",
    "empty.m3u8": b"#EXTM3U\n",
    "good.mpd": b'<?xml version="1.0"?><MPD></MPD>',
    "page.mpd": b"<html>gone</html>",
    "good.mp4": b"\x00\x00\x00\x18ftypisom",
    "good.webm": b"\x1a\x45\xdf\xa3rest",
    "page.mp4": b"<html>sorry</html>",
}


@pytest.fixture
def host() -> Iterator[str]:
    app = Flask("host")

    @app.get("/<name>")
    def give(name: str) -> Response:
        if request.headers.get("Referer") != "https://site.test/" or name not in BODIES:
            return Response(status=403)
        return Response(BODIES[name])

    with served(app) as url:
        yield url


@pytest.mark.parametrize(
    ("name", "delivery", "plays"),
    [
        ("good.m3u8", "hls", True),
        ("empty.m3u8", "hls", False),
        ("good.mp4", "hls", False),
        ("good.mpd", "dash", True),
        ("page.mpd", "dash", False),
        ("good.mp4", "progressive", True),
        ("good.webm", "progressive", True),
        ("page.mp4", "progressive", False),
        ("gone.mp4", "progressive", False),
    ],
)
def test_an_address_plays_when_it_begins_as_it_should(host: str, name: str, delivery: Delivery, plays: bool) -> None:
    client = outside_for(host)
    one = Offer(source="x", url=f"{host}/{name}", delivery=delivery, headers={"Referer": "https://site.test/"})

    try:
        OutsideProbe(lambda _: client).check(one)
        played = True
    except UpstreamFailed:
        played = False

    assert played == plays


def test_each_probe_has_a_cap_of_its_own_and_looks_at_the_beginning_alone(host: str) -> None:
    asked: list[dict[str, Any]] = []

    class Noting:
        def get(self, url: str, **how: Any) -> Any:
            asked.append(how)
            return outside_for(host).get(url, **how)

    one = Offer(source="x", url=f"{host}/good.mpd", delivery="dash", headers={"Referer": "https://site.test/"})
    OutsideProbe(lambda _: Noting()).check(one)  # type: ignore[arg-type,return-value]

    assert 2 <= asked[0]["deadline_s"] <= 4
    assert asked[0]["headers"]["Range"] == "bytes=0-65535"
