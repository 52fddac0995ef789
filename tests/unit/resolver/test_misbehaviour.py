"""Every source, and every way in which a site can misbehave: an error with a code, and never "nothing there"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from kinodom_common.egress import OutsideLimits
from kinodom_common.errors import KinodomError, NotFound, Rejected
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine
from kinodom_resolver.adapters.sending import Hosts, SourceOutside, through
from kinodom_resolver.adapters.site_files import parse_site
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import Pace, SiteWeb
from kinodom_resolver.sources.demo import Demo
from kinodom_resolver.sources.direct import Direct
from kinodom_resolver.sources.feed import VideoFeed
from kinodom_resolver.sources.internet_archive import InternetArchive
from kinodom_resolver.sources.kodik import Kodik
from kinodom_resolver.sources.peertube import PeerTube
from kinodom_resolver.sources.wikimedia_commons import WikimediaCommons
from tests.support.bad_site import WAYS, BadSite
from tests.support.fake_kodik import TOKEN, FakeKodik, result, served_kodik
from tests.support.fake_sites import DESCRIPTIONS
from tests.support.outside import Manners, outside_for
from tests.support.served import served

pytestmark = pytest.mark.slow

UUID = "11111111-2222-4333-8444-555555555555"
IMPATIENT = OutsideLimits(connect_s=0.2, first_byte_s=0.2, whole_s=5.0)


def way_out(*urls: str) -> SourceOutside:
    client = replace(outside_for(*urls), limits=IMPATIENT)
    hosts = Hosts(RedisHealth(RedisLine(None)), RedisLine(None), pause=lambda _: None)
    return SourceOutside("bad", partial(through, client), hosts=hosts, manners=Manners())


def described(name: str, url: str) -> YamlSite:
    text = (DESCRIPTIONS / f"{name}.yaml").read_text(encoding="utf-8")
    port = {"lantern": "8471", "tidepool": "8472"}[name]
    site = parse_site(text.replace(f"http://127.0.0.1:{port}/", f"{url}/"), f"{name}.yaml").site
    assert site is not None
    return YamlSite(site, SiteWeb(site, outside_for(url), pace=Pace(0), way=lambda _name, _client: way_out(url)))


def kodik(api: str, player_host: str, shikimori: str, *urls: str) -> Kodik:
    options = {"kodik_token": TOKEN, "kodik_api_url": api, "kodik_player_hosts": player_host}
    source = Kodik.build({**options, "shikimori_enabled": "yes", "shikimori_url": shikimori}, way_out(*urls))
    assert source is not None
    return source


def kodik_player(url: str, fake: FakeKodik) -> Any:
    fake.results = [result(kinopoisk_id="5")]
    fake.places["player"] = url
    return kodik(fake.places["api"], "127.0.0.1", url, url, *fake.places.values()).offers(
        "kinopoisk:5", None, None, "610"
    )


def kodik_by_shikimori(url: str, fake: FakeKodik) -> Any:
    fake.may = {"get-player"}
    return kodik(fake.places["api"], "127.0.0.1", url, url, fake.places["api"]).search("naruto")


Ask = Callable[[str, FakeKodik], Any]
ASKS: dict[str, Ask] = {
    "archive search": lambda url, _: InternetArchive(url, way_out(url)).search("light"),
    "archive item": lambda url, _: InternetArchive(url, way_out(url)).title("ia:light"),
    "peertube search": lambda url, _: PeerTube([url], None, way_out(url)).search("light"),
    "peertube video": lambda url, _: PeerTube([url], None, way_out(url)).title(
        f"peertube:{quote(url.removeprefix('http://') + '/' + UUID, safe='')}"
    ),
    "commons search": lambda url, _: WikimediaCommons(url, way_out(url)).search("light"),
    "commons video": lambda url, _: WikimediaCommons(url, way_out(url)).title("commons:Light.webm"),
    "kodik api": lambda url, _: kodik(url, "127.0.0.1", url, url).search("light"),
    "kodik player": kodik_player,
    "shikimori for kodik": kodik_by_shikimori,
    "feed": lambda url, _: VideoFeed([], way_out(url)).title(f"feed:{quote(f'{url}/feed.xml', safe='')}"),
    "feeds by words": lambda url, _: VideoFeed([f"{url}/feed.xml"], way_out(url)).search("light"),
    "typed address": lambda url, _: Direct(way_out(url)).search(f"{url}/film"),
    "demo search": lambda url, _: Demo(url, way_out(url)).search("light"),
    "described pages": lambda url, _: described("lantern", url).search("light"),
    "described API": lambda url, _: described("tidepool", url).search("light"),
}
# A page, an item or a feed that is gone is nothing there; a search that is gone could not be asked.
MAY_BE_GONE = {
    "archive item", "peertube video", "commons video", "feed", "typed address", "described pages", "described API",
    "kodik player",
}  # fmt: skip
# An empty list of an API that also answers with other objects cannot be told from "no rows": JSON is JSON.
EMPTY_IS_AN_ANSWER = {("described API", "other JSON"), ("described API", "a list")}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeKodik]:
    with served_kodik(FakeKodik()) as one:
        yield one


@pytest.fixture(autouse=True)
def fresh(fake: FakeKodik) -> Iterator[None]:
    places, may, results = dict(fake.places), set(fake.may), list(fake.results)
    yield
    fake.places.update(places)
    fake.may, fake.results = may, results


def outcome(ask: Ask, url: str, fake: FakeKodik) -> Any:
    try:
        return ask(url, fake)
    except KinodomError as exc:
        return exc


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("asked", ASKS)
def test_a_site_that_misbehaves_could_not_be_asked(fake: FakeKodik, asked: str, way: str) -> None:
    bad = BadSite(way)
    with served(bad.app()) as url:
        told = outcome(ASKS[asked], url, fake)
        bad.let_go.set()

    assert bad.asked
    if (asked, way) in EMPTY_IS_AN_ANSWER:
        assert told == []
        return
    assert isinstance(told, KinodomError), told
    assert told.code
    assert told.detail
    gone = way == "status 404" and asked in MAY_BE_GONE
    assert isinstance(told, NotFound) <= gone
    if asked == "shikimori for kodik":  # where names are looked up for Kodik; its own trouble is told as such
        assert told.code == "shikimori_trouble"
    else:
        assert (told.code == "bot_check") == (way == "a bot check")


@pytest.mark.parametrize("asked", ASKS)
def test_a_site_that_refuses_the_connection_could_not_be_asked(fake: FakeKodik, asked: str) -> None:
    with served(BadSite("nothing at all").app()) as url:
        pass

    told = outcome(ASKS[asked], url, fake)

    assert isinstance(told, KinodomError)
    assert not isinstance(told, NotFound | Rejected)
