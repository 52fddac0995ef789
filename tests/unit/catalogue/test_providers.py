from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kinodom_catalogue.adapters.omdb import OmdbProvider, facts_of
from kinodom_catalogue.adapters.pace import Limit, Pace, next_call_s
from kinodom_catalogue.adapters.plain_text import plain_text
from kinodom_catalogue.adapters.shikimori import Outsides, ShikimoriProvider, plain_id
from kinodom_catalogue.domain.ports import ProviderPaused, Wanted
from kinodom_common.egress import EgressRules, OutsideClient, OutsideLimits
from kinodom_common.errors import UpstreamFailed
from kinodom_common.store import Store
from tests.support import fake_shikimori
from tests.support.catalogue_parts import NOW, Clock
from tests.support.fake_omdb import KEY, FakeOmdb
from tests.support.fake_shikimori import FakeShikimori
from tests.support.outside import outside_for
from tests.support.served import served


def wanted(*names: str, **more: Any) -> Wanted:
    known: dict[str, Any] = {"year": None, "kind": "unknown", "imdb_id": None, "shikimori_id": None}
    return Wanted(names=names, **(known | more))


def pace_of(store: Store, clock: Clock, name: str = "site", *limits: Limit) -> Pace:
    return Pace(store.collection("providers"), name, limits, clock=clock, sleep=lambda seconds: None)


@pytest.fixture
def omdb() -> FakeOmdb:
    return FakeOmdb()


@pytest.fixture
def omdb_provider(omdb: FakeOmdb, store: Store, clock: Clock) -> Iterator[OmdbProvider]:
    with served(omdb.app()) as url:
        yield OmdbProvider(outside_for(url), f"{url}/", KEY, pace=pace_of(store, clock, "omdb"), clock=clock)


def test_omdb_knows_a_film_by_its_id(omdb_provider: OmdbProvider) -> None:
    facts = omdb_provider.find(wanted("whatever", imdb_id="tt3896198"))

    assert facts is not None
    assert (facts.name, facts.year, facts.kind) == ("Guardians of the Galaxy Vol. 2", 2017, "film")
    assert (facts.score, facts.score_by, facts.imdb_id) == (7.7, "IMDb", "tt3896198")
    assert facts.genres == ("Action", "Adventure", "Sci-Fi")
    assert str(facts.poster_url).endswith("_SX300.jpg")


def test_omdb_knows_a_series_by_its_name_and_its_en_dash(omdb_provider: OmdbProvider) -> None:
    facts = omdb_provider.find(wanted("Stargate SG-1", year=1998))

    assert facts is None or facts.year == 1997
    found = omdb_provider.find(wanted("Stargate SG-1", year=1997, kind="series"))
    assert found is not None
    assert (found.kind, found.year, found.imdb_id) == ("series", 1997, "tt0118480")


def test_omdb_s_search_is_asked_when_the_exact_name_is_not_there(omdb: FakeOmdb, omdb_provider: OmdbProvider) -> None:
    omdb.known["tt0096895"] = dict(omdb.known["tt3896198"], Title="Batman", Year="1989", imdbID="tt0096895")
    omdb.known["tt0096895"]["Title"] = "Batman "  # so that `t=` does not find it

    facts = omdb_provider.find(wanted("Batman", year=1990, kind="film"))

    assert facts is not None
    assert (facts.name, facts.imdb_id) == ("Batman", "tt0096895")
    assert [next(iter(set(asked) & {"t", "s", "i"})) for asked in omdb.asked] == ["t", "s", "i"]


def test_omdb_has_nothing_is_none(omdb_provider: OmdbProvider) -> None:
    assert omdb_provider.find(wanted("No Such Film")) is None
    assert omdb_provider.find(wanted("x", imdb_id="tt99999999")) is None


def test_omdb_is_not_asked_for_cyrillic_names(omdb: FakeOmdb, omdb_provider: OmdbProvider) -> None:
    assert omdb_provider.find(wanted("Брат")) is None
    assert omdb.asked == []


def test_n_a_everywhere_is_none_everywhere(omdb: FakeOmdb, omdb_provider: OmdbProvider) -> None:
    omdb.only_na = True

    facts = omdb_provider.find(wanted("x", imdb_id="tt3896198"))

    assert facts is not None
    assert (facts.year, facts.description, facts.score, facts.score_by, facts.poster_url) == (None,) * 5
    assert facts.genres == ()


@pytest.mark.parametrize("words", ["Movie not found!", "Series not found!", "Incorrect IMDb ID.", "Too many results."])
def test_omdb_s_ways_to_say_nothing(omdb: FakeOmdb, omdb_provider: OmdbProvider, words: str) -> None:
    omdb.error = (200, words)

    assert omdb_provider.find(wanted("x", imdb_id="tt3896198")) is None


@pytest.mark.parametrize("words", ["Something went wrong.", "Error getting data.", ""])
def test_omdb_s_own_trouble_is_not_nothing(omdb: FakeOmdb, omdb_provider: OmdbProvider, words: str) -> None:
    omdb.error = (200, words)

    with pytest.raises(UpstreamFailed) as caught:
        omdb_provider.find(wanted("x", imdb_id="tt3896198"))

    assert not isinstance(caught.value, ProviderPaused)


@pytest.mark.parametrize("status", [503, 522, 524])
def test_an_outage_of_omdb_is_a_failure(omdb: FakeOmdb, omdb_provider: OmdbProvider, status: int) -> None:
    omdb.html = status

    with pytest.raises(UpstreamFailed):
        omdb_provider.find(wanted("x", imdb_id="tt3896198"))


def test_html_with_status_200_is_a_failure(omdb: FakeOmdb, omdb_provider: OmdbProvider) -> None:
    omdb.html = 200

    with pytest.raises(UpstreamFailed):
        omdb_provider.find(wanted("x", imdb_id="tt3896198"))


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "Request limit reached!"), (200, "Request limit reached!"), (403, "Request limit reached!"),
     (401, "Invalid API key!"), (401, "No API key provided.")],
)  # fmt: skip
def test_after_the_limit_omdb_is_left_alone_until_the_next_day(
    omdb: FakeOmdb, omdb_provider: OmdbProvider, clock: Clock, status: int, words: str
) -> None:
    omdb.error = (status, words)
    with pytest.raises(ProviderPaused) as first:
        omdb_provider.find(wanted("x", imdb_id="tt3896198"))
    omdb.error = None

    with pytest.raises(ProviderPaused):
        omdb_provider.find(wanted("y", imdb_id="tt0118480"))

    assert first.value.until == datetime(2026, 3, 2, tzinfo=UTC)
    assert len(omdb.asked) == 1
    clock.now = first.value.until
    assert omdb_provider.find(wanted("y", imdb_id="tt0118480")) is not None


def test_the_key_is_in_no_message_and_no_log(
    omdb: FakeOmdb, omdb_provider: OmdbProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = []
    for status in (200, 401, 503):
        omdb.html = status
        with pytest.raises(UpstreamFailed) as caught:
            omdb_provider.find(wanted("x", imdb_id="tt3896198"))
        cause: BaseException | None = caught.value
        while cause is not None:
            texts.append(f"{cause!r} {cause} {getattr(cause, 'facts', '')}")
            cause = cause.__cause__

    assert KEY not in "".join(texts)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("year", "expected"),
    [("2017", 2017), ("1997–2007", 1997), ("2017–", 2017), ("N/A", None), ("20177", None), (None, None), (2017, None)],
)
def test_years_as_omdb_writes_them(year: object, expected: int | None) -> None:
    facts = facts_of({"Title": "x", "Year": year})

    assert facts is not None
    assert facts.year == expected


class Site:
    """A fake Shikimori, its address, and the provider that asks it."""

    def __init__(self, fake: FakeShikimori, url: str, provider: ShikimoriProvider) -> None:
        self.fake, self.url, self.find = fake, url, provider.find


def shikimori_at(urls: list[str], allowed: list[str], store: Store, clock: Clock) -> ShikimoriProvider:
    reading = outside_for(*allowed)
    posting = OutsideClient(reading.rules, user_agent="Kinodom", limits=OutsideLimits(redirects=0))
    assert isinstance(reading.rules, EgressRules)
    outsides = Outsides(reading=reading, posting=posting)
    return ShikimoriProvider(outsides, urls, pace=pace_of(store, clock, "shikimori"), clock=clock)


@pytest.fixture
def site(store: Store, clock: Clock) -> Iterator[Site]:
    fake = FakeShikimori()
    with served(fake.app()) as url:
        yield Site(fake, url, shikimori_at([url], [url], store, clock))


def test_shikimori_finds_by_a_russian_name(site: Site) -> None:
    facts = site.find(wanted("Кулинарные скитания в параллельном мире"))

    assert facts is not None
    assert (facts.shikimori_id, facts.score, facts.score_by) == (53446, 7.66, "Shikimori")
    assert facts.original_name == "Tondemo Skill de Isekai Hourou Meshi"
    assert facts.genres[0] == "Приключения"
    assert str(facts.poster_url).endswith(".jpeg")
    assert str(facts.description).startswith("Очередное королевство")
    assert "\n\nКогда Цуёси" in str(facts.description)


def test_a_second_season_is_not_the_first(site: Site) -> None:
    facts = site.find(wanted("Кулинарные скитания в параллельном мире 2"))

    assert facts is not None
    assert (facts.shikimori_id, facts.score, facts.description) == (57025, None, None)


def test_shikimori_finds_by_id(site: Site) -> None:
    facts = site.find(wanted("whatever", shikimori_id=57025))

    assert facts is not None
    assert facts.shikimori_id == 57025
    assert site.fake.asked == ["POST /api/graphql"]


@pytest.mark.parametrize("switch", [{}, {"graphql_errors": True}, {"graphql_broken": True}, {"prefixed": True}])
def test_the_rest_card_is_read_when_graphql_has_nothing(site: Site, switch: dict[str, bool]) -> None:
    vars(site.fake).update(switch)

    facts = site.find(wanted("whatever", shikimori_id=6505))

    assert facts is not None
    assert (facts.name, facts.original_name, facts.year) == ("А вот и она!", "There She Is!!", 2003)
    assert (facts.score, facts.genres, facts.other_names) == (7.95, ("Комедия", "Романтика"), ())
    assert facts.poster_url == f"{site.url}/system/animes/original/6505.jpg?1577456413"
    assert "<" not in str(facts.description)


def test_optional_fields_of_a_card_may_all_be_missing(site: Site) -> None:
    site.fake.rest |= {
        "russian": "", "english": [None], "score": "0.0", "aired_on": None, "kind": None, "genres": [],
        "description": None, "description_html": "", "image": {"original": "/assets/globals/missing_original.jpg"},
    }  # fmt: skip

    facts = site.find(wanted("whatever", shikimori_id=6505))

    assert facts is not None
    assert (facts.name, facts.score, facts.year, facts.kind) == ("There She Is!!", None, None, "unknown")
    assert (facts.poster_url, facts.description, facts.genres) == (None, None, ())


def test_a_poster_may_be_missing(site: Site) -> None:
    site.fake.cards[0]["poster"] = None

    facts = site.find(wanted("x", shikimori_id=53446))

    assert facts is not None
    assert facts.poster_url is None


def test_shikimori_has_nothing_is_none(site: Site) -> None:
    assert site.find(wanted("Бетховен")) is None
    assert site.find(wanted("x", shikimori_id=999)) is None


@pytest.mark.parametrize(("status", "text"), [(451, "rkn_banned"), (520, "<html>"), (503, "{}"), (403, "no")])
def test_a_refusal_or_an_outage_is_a_failure(site: Site, status: int, text: str) -> None:
    site.fake.status, site.fake.text = status, text

    with pytest.raises(UpstreamFailed):
        site.find(wanted("x", shikimori_id=6505))


def test_graphql_errors_on_a_search_are_a_failure_not_nothing(site: Site) -> None:
    site.fake.graphql_errors = True

    with pytest.raises(UpstreamFailed):
        site.find(wanted("Кулинарные"))


def test_after_too_many_calls_shikimori_is_left_alone_for_a_minute(site: Site, clock: Clock) -> None:
    site.fake.status = 429

    with pytest.raises(ProviderPaused) as caught:
        site.find(wanted("x", shikimori_id=6505))
    with pytest.raises(ProviderPaused):
        site.find(wanted("y"))

    assert caught.value.until == NOW + timedelta(minutes=1)
    assert len(site.fake.asked) == 1


def test_a_site_that_moved_to_a_mirror_on_the_list_is_followed(store: Store, clock: Clock) -> None:
    old, new = FakeShikimori(), FakeShikimori()
    with served(old.app()) as old_url, served(new.app()) as new_url:
        old.moved_to = new_url
        provider = shikimori_at([old_url, new_url], [old_url, new_url], store, clock)

        by_graphql = provider.find(wanted("x", shikimori_id=53446))
        by_rest = provider.find(wanted("x", shikimori_id=6505))

    assert by_graphql is not None
    assert by_rest is not None


def test_a_site_that_moved_to_a_host_off_the_list_is_not_believed(store: Store, clock: Clock) -> None:
    old, stranger = FakeShikimori(), FakeShikimori()
    with served(old.app()) as old_url, served(stranger.app()) as strange_url:
        old.moved_to = strange_url
        provider = shikimori_at([old_url], [old_url, strange_url], store, clock)

        with pytest.raises(UpstreamFailed):
            provider.find(wanted("x", shikimori_id=6505))
        with pytest.raises(UpstreamFailed):
            provider.find(wanted("Кулинарные скитания"))

    assert not any(asked.startswith("POST") for asked in stranger.asked)


def test_an_address_that_leads_home_is_a_failure_of_the_provider(store: Store, clock: Clock) -> None:
    home = "http://127.0.0.1:8080"  # such as a name server that answers for blocked names
    shikimori = shikimori_at([home], [], store, clock)
    omdb = OmdbProvider(outside_for(), home, KEY, pace=pace_of(store, clock, "omdb"), clock=clock)

    for provider in (shikimori, omdb):
        with pytest.raises(UpstreamFailed):
            provider.find(wanted("x", shikimori_id=20, imdb_id="tt0000001"))
        with pytest.raises(UpstreamFailed):
            provider.find(wanted("Metropolis"))


def test_a_first_host_in_trouble_gives_way_to_the_next(store: Store, clock: Clock) -> None:
    broken, sound = FakeShikimori(), FakeShikimori()
    broken.status, broken.text = 520, "<html>"
    with served(broken.app()) as one, served(sound.app()) as other:
        facts = shikimori_at([one, other], [one, other], store, clock).find(wanted("x", shikimori_id=53446))

    assert facts is not None
    assert len(broken.asked) == 1


def test_a_search_without_graphql_is_a_failure_not_nothing(site: Site) -> None:
    site.fake.graphql_broken = True

    with pytest.raises(UpstreamFailed):
        site.find(wanted("Кулинарные"))


def test_the_program_says_who_it_is(site: Site) -> None:
    site.find(wanted("x", shikimori_id=53446))

    assert site.fake.agents == {"Kinodom"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(20, 20), ("20", 20), ("z20", 20), ("zz20-naruto", 20), ("/animes/z20-naruto", 20), ("", None), (None, None)],
)
def test_ids_lose_the_letters_of_a_claim(value: object, expected: int | None) -> None:
    assert plain_id(value) == expected


def test_samples_are_as_recorded() -> None:
    assert fake_shikimori.sample("animes_show_6505.json")["english"] == [None]


def test_calls_keep_every_limit() -> None:
    limits = (Limit(calls=2, seconds=1.0), Limit(calls=4, seconds=60.0))

    assert next_call_s([], 100.0, limits) == 100.0
    assert next_call_s([99.5, 100.0], 100.0, limits) == 100.5
    assert next_call_s([50.0, 98.0, 99.0, 99.9], 100.0, limits) == 110.0


def test_a_short_wait_is_waited_and_a_long_one_is_a_pause(store: Store, clock: Clock) -> None:
    waits: list[float] = []
    limits = (Limit(calls=2, seconds=1.0), Limit(calls=3, seconds=60.0))
    pace = Pace(store.collection("providers"), "site", limits, clock=clock, sleep=waits.append)

    for _ in range(3):
        pace.wait()
    with pytest.raises(ProviderPaused) as caught:
        pace.wait()

    assert waits == [1.0]
    assert caught.value.until == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (None, None),
        (5, None),
        ("  ", None),
        ("<p>One</p><p>Two &amp; three</p>", "One\nTwo & three"),
        ("a<br>b", "a\nb"),
        ("<script>alert(1)</script>safe<style>x</style>", "safe"),
        ("<img src=x onerror=alert(1)>text", "text"),
        ("[b]Bold[/b] and [character=26245 doki]Докхи[/character] [i]x[/i]", "Bold and Докхи x"),
        ("[url=https://x.example/]link[/url] stays [sic]", "link stays [sic]"),
        ("a\r\n\r\n\r\nb\x00c\u202e", "a\n\nbc"),
        ("&lt;b&gt;", "<b>"),
        ("https://only.example/an-address.html", "https://only.example/an-address.html"),
    ],
)
def test_markup_becomes_plain_text(markup: object, expected: str | None) -> None:
    assert plain_text(markup) == expected


def test_a_description_has_a_longest_length() -> None:
    assert len(plain_text("word " * 100_000) or "") == 5000
