"""The typed client against the real app, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from pydantic import SecretStr

from kinodom_common.clients.resolver import ResolverClient
from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.sources import CookieIn, SourceChange
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_common.http import HttpClient
from kinodom_downloader.adapters.offers import ResolverOffers
from kinodom_resolver.adapters.redis_line import RedisLine, connect
from kinodom_resolver.adapters.redis_settings import RedisSettings
from kinodom_resolver.app import create_app
from kinodom_resolver.domain.wall import Wall
from kinodom_resolver.settings import Settings
from kinodom_resolver.wiring import Deps
from tests.support.fake_sources import FakeSource, Hanging, film, hit, listed
from tests.support.redis_server import RedisServer
from tests.support.served import served

KEY = "an invented key"
ODD_ID = "odd:https%3A%2F%2Fexample.org%2Fa%2520b%3Fx%3D1%26y"


@pytest.fixture
def source() -> FakeSource:
    return FakeSource("odd")


@pytest.fixture
def url(source: FakeSource) -> Iterator[str]:
    deps = Deps(listed=tuple(listed(source)), wall=Wall(), search_deadline_s=60, open_deadline_s=60)
    with served(create_app(Settings(inner_key=SecretStr(KEY)), deps=deps)) as address:
        yield address


@pytest.fixture
def client(url: str) -> ResolverClient:
    return ResolverClient(HttpClient("resolver", url, inner_key=KEY))


def test_a_search_arrives_whole(source: FakeSource, client: ResolverClient) -> None:
    source.answer = [hit(ODD_ID, "Жестяной маяк & more")]

    reply = client.search("маяк & 100% #1")

    assert reply.query == "маяк & 100% #1"
    assert [(one.external_id, one.name) for one in reply.hits] == [(ODD_ID, "Жестяной маяк & more")]
    assert reply.sources[0].state == "answered"


def test_an_id_with_percent_signs_arrives_as_it_is(source: FakeSource, client: ResolverClient) -> None:
    source.answer = film(ODD_ID)

    title = client.title(ODD_ID)

    assert title.card.external_id == ODD_ID
    assert source.asked == [(ODD_ID,)]


def test_offers_are_asked_for_by_episode(source: FakeSource, client: ResolverClient) -> None:
    source.answer = [Offer(source="odd", url="https://example.org/a.m3u8", delivery="hls", headers={"Referer": "x"})]

    series = client.offers(ODD_ID, season=1, episode=0, translation_id="dub")
    client.offers(ODD_ID, translation_id="dub")

    assert series.offers[0].headers == {"Referer": "x"}
    assert source.asked == [(ODD_ID, 1, 0, "dub"), (ODD_ID, None, None, "dub")]


def wish() -> WishRequest:
    card = TitleCard(external_id=ODD_ID, name="A film")
    return WishRequest(external_id=ODD_ID, translation_id="dub", title=card)


def test_what_came_of_an_offer_orders_the_next_ones(source: FakeSource, client: ResolverClient) -> None:
    first, second = (Offer(source="odd", url=f"https://{host}/a.m3u8", delivery="hls") for host in ("a.test", "b.test"))
    source.answer = [first, second]
    told = ResolverOffers(client)

    told.tell(wish(), first, played=False)
    told.tell(wish(), second, played=True)

    assert [one.url for one in client.offers(ODD_ID, translation_id="dub").offers] == [second.url, first.url]
    assert [one.url for one in client.offers(ODD_ID, translation_id="other").offers] == [first.url, second.url]


def test_a_resolver_that_is_away_hears_nothing_of_an_offer_and_nobody_minds() -> None:
    away = ResolverOffers(ResolverClient(HttpClient("resolver", "http://127.0.0.1:1", inner_key=KEY)))

    away.tell(wish(), Offer(source="odd", url="https://a.test/a.m3u8", delivery="hls"), played=True)


def test_sources_are_listed(client: ResolverClient) -> None:
    reply = client.sources()

    assert [(one.name, one.enabled) for one in reply.sources] == [("odd", True)]


@pytest.mark.parametrize(
    ("external_id", "answer", "family", "code"),
    [
        ("odd:1", NotFound("x"), NotFound, "no_such_title"),
        ("even:1", (), NotFound, "no_such_source"),
        ("odd:1", UpstreamFailed("It is down."), UpstreamFailed, "upstream_failed"),
        ("odd:1", {}, UpstreamFailed, "source_broke"),
        ("no id", (), Rejected, "bad_request"),
    ],
)
def test_problems_keep_their_family_and_code(
    source: FakeSource, client: ResolverClient, external_id: str, answer: object, family: type[Exception], code: str
) -> None:
    source.answer = answer

    with pytest.raises(family) as caught:
        client.title(external_id)

    assert caught.value.code == code  # type: ignore[attr-defined]  # all three families have it


def test_an_empty_search_is_refused(client: ResolverClient) -> None:
    with pytest.raises(Rejected) as caught:
        client.search("  ")

    assert caught.value.code == "empty_query"


def test_the_openapi_document_is_valid_and_names_every_path(source: FakeSource) -> None:
    deps = Deps(listed=tuple(listed(source)), wall=Wall(), search_deadline_s=60, open_deadline_s=60)
    app = create_app(Settings(inner_key=SecretStr(KEY)), deps=deps)

    document = app.test_client().get("/openapi.json").get_json()

    validate(document)
    assert set(document["paths"]) == {
        "/search",
        "/search/stream",
        "/titles/{external_id}",
        "/offers",
        "/offers/outcomes",
        "/sources",
        "/sources/{name}",
        "/sources/{name}/cookie",
        "/sources/{name}/try",
    }


def test_a_search_is_told_line_by_line_as_the_sources_answer(client: ResolverClient, source: FakeSource) -> None:
    slow = Hanging()
    dated = {"year": 1902}
    late = FakeSource("late", lambda: [*slow(), hit("late:1").model_copy(update=dated)])
    deps = Deps(listed=tuple(listed(source, late)), wall=Wall(), search_deadline_s=60, open_deadline_s=60)
    source.answer = [hit(ODD_ID).model_copy(update=dated)]

    with served(create_app(Settings(inner_key=SecretStr(KEY)), deps=deps)) as url:
        lines = ResolverClient(HttpClient("resolver", url, inner_key=KEY)).search_lines("moon")
        first = next(lines)
        was_waiting = not slow.let_go.is_set()
        slow.let_go.set()
        rest = list(lines)

    assert was_waiting
    assert [one.external_id for one in first.hits] == [ODD_ID]
    assert [line.outcome.source for line in rest if line.outcome] == ["late"]
    groups = [[one.external_id for group in line.groups for one in group.members] for line in (first, *rest)]
    assert groups == [[ODD_ID], [ODD_ID, "late:1"], []]
    assert [line.done for line in rest] == [False, True]


def test_an_empty_search_by_lines_is_refused_at_once(client: ResolverClient) -> None:
    with pytest.raises(Rejected) as caught:
        client.search_lines(" ")

    assert caught.value.code == "empty_query"


def test_what_the_operator_sets_arrives_and_is_shown_without_secrets(source: FakeSource, tmp_path: Path) -> None:
    server = RedisServer(tmp_path).start()
    memory = connect(server.url)
    source.answer = [hit(ODD_ID)]
    deps = Deps(
        listed=tuple(listed(source)),
        wall=Wall(),
        search_deadline_s=60,
        open_deadline_s=60,
        settings=RedisSettings(RedisLine(memory), key="another invented key"),
    )
    with served(create_app(Settings(inner_key=SecretStr(KEY)), deps=deps)) as url:
        client = ResolverClient(HttpClient("resolver", url, inner_key=KEY))

        changed = client.change_source("odd", SourceChange(weight=7, pacing_s=0.5, browser_tls=True))
        kept = client.change_source("odd", SourceChange(proxy="http://me:hidden@proxy.test:8080"))
        names = client.set_cookie("odd", CookieIn(text=SecretStr("a=hidden"), domain="odd.test"))
        listed_card = client.sources().sources[0]
        client.forget_cookie("odd")
        trial = client.try_source("odd", "moon")

    assert (changed.weight, kept.weight, kept.pacing_s, kept.proxy) == (7, 7, 0.5, "http://proxy.test:8080")
    assert (changed.browser_tls, listed_card.browser_tls) == (True, True)
    assert (names.names, listed_card.cookies) == (("a",), 1)
    assert "hidden" not in listed_card.model_dump_json() + names.model_dump_json()
    assert (trial.outcome.state, trial.hits[0].external_id) == ("answered", ODD_ID)
    memory.close()  # type: ignore[union-attr]
    server.stop()


def test_a_source_that_nobody_knows_cannot_be_set(client: ResolverClient) -> None:
    with pytest.raises(NotFound) as caught:
        client.change_source("nobody", SourceChange(weight=1))

    assert caught.value.code == "unknown_source"


def test_nothing_that_plays_is_told_with_the_reasons(source: FakeSource, client: ResolverClient) -> None:
    source.answer = [Offer(source="?", url="http://192.168.0.1/a.m3u8", delivery="hls")]

    with pytest.raises(UpstreamFailed) as caught:
        client.offers(ODD_ID, translation_id="x", probe=True, also=["other:1"])

    assert caught.value.code == "no_offer_plays"
    assert str(caught.value.facts["source_odd"]).startswith("address_refused")
