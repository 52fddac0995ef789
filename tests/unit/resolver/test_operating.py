"""What an operator sets for a source: kept in Redis, secrets locked, shown without them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from kinodom_common.contracts.sources import CookieIn, SourceChange
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import PREFIX, RedisLine, connect
from kinodom_resolver.adapters.redis_settings import MemoryAway, NoSourceKey, RedisSettings
from kinodom_resolver.adapters.stored_manners import StoredManners
from kinodom_resolver.domain import finding, operating
from kinodom_resolver.domain.cookies import CookieNotRead, header_for, parse_cookies
from kinodom_resolver.domain.ports import Listed
from kinodom_resolver.domain.wall import Wall
from tests.support.fake_sources import FakeSource, hit, listed
from tests.support.redis_server import RedisServer

KEY = "an invented key"
NETSCAPE = (
    "# Netscape HTTP Cookie File\n"
    "#HttpOnly_.films.test\tTRUE\t/\tTRUE\t2000000000\tsid\tsecret-1\n"
    ".films.test\tTRUE\t/a\tFALSE\t0\tview\t2\n"
)
EXPORT = (
    '[{"name": "sid", "value": "secret-1", "domain": ".films.test", "secure": true, "expirationDate": 2000000000.5}]'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield one
    one.stop()


class Desk:
    """The operator's desk in one replica."""

    def __init__(self, url: str | None, key: str | None = KEY) -> None:
        self.client = connect(url)
        self.settings = RedisSettings(RedisLine(self.client), key=key)
        self.book = RedisHealth(RedisLine(None))
        self.source = FakeSource("one", [hit("one:1")])
        off = FakeSource("spare", [hit("spare:1")])
        bare = Listed(name="bare", label="Bare", weight=3, source=None)
        self.listed = [*listed(self.source), Listed.of(off, off, off=True), bare]  # type: ignore[arg-type]

    def change(self, name: str, **fields: object) -> None:
        wanted = SourceChange.model_validate(fields)
        operating.change(name, wanted, listed=self.listed, settings=self.settings)

    def card(self, name: str) -> object:
        return operating.card(name, self.listed, settings=self.settings, book=self.book)

    def on(self) -> list[str]:
        rows = operating.as_set(self.listed, self.settings.overrides())
        return [one.name for one in finding.enabled(rows)]


@pytest.fixture
def desk(server: RedisServer) -> Iterator[Desk]:
    with server.client() as client:
        client.flushall()
    one = Desk(server.url)
    yield one
    one.client.close()  # type: ignore[union-attr]


def test_what_is_set_holds_in_every_replica_and_after_a_restart(desk: Desk, server: RedisServer) -> None:
    desk.change("one", weight=99, pacing_s=0.5, time_limit_s=2.0)
    other = Desk(server.url)

    card = other.card("one")

    assert (card.weight, card.pacing_s, card.time_limit_s) == (99, 0.5, 2.0)  # type: ignore[attr-defined]
    other.client.close()  # type: ignore[union-attr]


def test_a_field_that_is_left_out_stays_and_null_is_the_sources_own(desk: Desk) -> None:
    desk.change("one", weight=99, pacing_s=0.5)
    desk.change("one", weight=None)

    card = desk.card("one")

    assert (card.weight, card.pacing_s) == (10, 0.5)  # type: ignore[attr-defined]


def test_looking_like_a_browser_survives_other_changes_and_is_shown(desk: Desk, server: RedisServer) -> None:
    desk.change("one", browser_tls=True)
    desk.change("one", weight=3)
    other = Desk(server.url)

    (card,) = [one for one in operating.cards(other.listed, settings=other.settings, book=other.book).sources
               if one.name == "one"]  # fmt: skip

    assert card.browser_tls
    assert StoredManners("one", other.settings).browser_tls
    other.client.close()  # type: ignore[union-attr]


def test_without_the_package_nobody_can_look_like_a_browser(desk: Desk) -> None:
    wanted = SourceChange(browser_tls=True)

    with pytest.raises(operating.BrowserTlsMissing) as caught:
        operating.change("one", wanted, listed=desk.listed, settings=desk.settings, browser_tls=False)

    assert caught.value.code == "browser_tls_missing"
    assert desk.settings.overrides() == {}


@pytest.mark.parametrize("fields", [{"weight": 0}, {"enabled": False}])
def test_weight_zero_and_switched_off_are_off(desk: Desk, fields: dict[str, object]) -> None:
    desk.change("one", **fields)

    assert desk.on() == []


def test_a_source_that_the_settings_switched_off_can_be_switched_on(desk: Desk) -> None:
    desk.change("spare", enabled=True)

    assert desk.on() == ["one", "spare"]


def test_a_source_without_a_setting_it_needs_cannot_be_switched_on(desk: Desk) -> None:
    with pytest.raises(operating.SourceNotSetUp):
        desk.change("bare", enabled=True)


def test_a_time_limit_goes_along_with_the_question(desk: Desk) -> None:
    desk.change("one", time_limit_s=1.5)

    (question,) = finding.search_questions("moon", operating.as_set(desk.listed, desk.settings.overrides()))

    assert question.limit_s == 1.5


def test_an_unknown_source_is_said(desk: Desk) -> None:
    with pytest.raises(operating.UnknownSource):
        desk.change("nobody", weight=1)


def cookie(text: str, domain: str | None = None) -> CookieIn:
    return CookieIn(text=SecretStr(text), domain=domain)


@pytest.mark.parametrize("text", [NETSCAPE, EXPORT, '{"cookies": ' + EXPORT + "}"])
def test_cookies_are_kept_locked_and_only_their_names_are_shown(desk: Desk, server: RedisServer, text: str) -> None:
    operating.set_cookie("one", cookie(text), listed=desk.listed, settings=desk.settings)

    shown = operating.cookie_names("one", listed=desk.listed, settings=desk.settings)

    assert "sid" in shown.names
    assert shown.domains == ("films.test",)
    assert "secret" not in shown.model_dump_json() + desk.card("one").model_dump_json()  # type: ignore[attr-defined]
    with server.client() as client:
        kept = [text for key in client.scan_iter(f"{PREFIX}*") for text in client.hgetall(key).values()]
    assert kept
    assert not any("secret-1" in text for text in kept)


def test_a_cookie_goes_to_its_site_alone_and_while_it_lives() -> None:
    cookies = parse_cookies(NETSCAPE, domain=None)

    headers = [
        header_for(cookies, url, now_s=now_s)
        for url, now_s in (
            ("https://www.films.test/a/b", 1e9),
            ("http://films.test/", 1e9),
            ("https://films.test/", 3e9),
            ("https://evilfilms.test/", 1e9),
            ("https://films.test.evil.example/", 1e9),
        )
    ]

    assert headers == ["sid=secret-1; view=2", None, None, None, None]


def test_a_line_of_cookies_names_its_site(desk: Desk) -> None:
    operating.set_cookie("one", cookie("a=1; b=x=2", "Films.Test"), listed=desk.listed, settings=desk.settings)

    manners = StoredManners("one", desk.settings)

    assert manners.cookie_for("https://films.test/") == "a=1; b=x=2"
    with pytest.raises(CookieNotRead):
        parse_cookies("a=1", domain=None)


@pytest.mark.parametrize(
    "text",
    ["nothing", "[]", "{", "[" * 100_000, '[{"name": "a\\r\\nX: 1", "value": "", "domain": "a.b"}]', "\t\t\t\t\t\t"],
)
def test_what_is_no_cookie_is_refused(text: str) -> None:
    with pytest.raises(CookieNotRead):
        parse_cookies(text, domain="films.test")


def test_cookies_can_be_deleted(desk: Desk) -> None:
    operating.set_cookie("one", cookie(NETSCAPE), listed=desk.listed, settings=desk.settings)
    operating.forget_cookie("one", listed=desk.listed, settings=desk.settings)

    assert operating.cookie_names("one", listed=desk.listed, settings=desk.settings).names == ()


def test_a_proxy_is_kept_locked_and_shown_without_its_user(desk: Desk, server: RedisServer) -> None:
    desk.change("one", proxy="http://me:hidden@proxy.test:3128")

    card = desk.card("one")

    assert card.proxy == "http://proxy.test:3128"  # type: ignore[attr-defined]
    assert StoredManners("one", desk.settings).proxy == "http://me:hidden@proxy.test:3128"
    with server.client() as client:
        assert not any("hidden" in str(client.hgetall(key)) for key in client.scan_iter(f"{PREFIX}*"))


def test_secrets_locked_with_another_key_are_not_there(desk: Desk, server: RedisServer) -> None:
    operating.set_cookie("one", cookie(NETSCAPE), listed=desk.listed, settings=desk.settings)
    other = Desk(server.url, key="another invented key")

    assert operating.cookie_names("one", listed=other.listed, settings=other.settings).names == ()
    other.client.close()  # type: ignore[union-attr]


def test_without_a_key_no_secret_is_kept_and_without_redis_nothing_is(server: RedisServer) -> None:
    keyless, away = Desk(server.url, key=None), Desk(None)

    with pytest.raises(NoSourceKey):
        operating.set_cookie("one", cookie(NETSCAPE), listed=keyless.listed, settings=keyless.settings)
    with pytest.raises(MemoryAway):
        away.change("one", weight=5)
    keyless.client.close()  # type: ignore[union-attr]


def test_a_source_is_tried_out_though_it_is_off(desk: Desk) -> None:
    tools = operating.Trying(wall=Wall(), deadline_s=60, clock=lambda: 0.0)

    trial = operating.try_out("spare", "moon", listed=desk.listed, settings=desk.settings, tools=tools)

    assert (trial.outcome.state, trial.outcome.count, trial.hits[0].external_id) == ("answered", 1, "spare:1")


def test_a_source_that_does_not_read_addresses_says_so(desk: Desk) -> None:
    tools = operating.Trying(wall=Wall(), deadline_s=60, clock=lambda: 0.0)

    with pytest.raises(operating.SourceCannotSearch):
        operating.try_out("one", "https://example.org/", listed=desk.listed, settings=desk.settings, tools=tools)
