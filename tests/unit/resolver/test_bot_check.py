"""A page that wants to see a person is told in words, and no other page is taken for one. The pages are invented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from flask import Flask, Response, request

from kinodom_common.egress import OutsideBadStatus
from kinodom_resolver.adapters.bot_check import BotCheck, is_challenge
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine
from kinodom_resolver.adapters.sending import Hosts, SourceOutside, through
from tests.support.fake_kodik import sample_page
from tests.support.outside import Manners, outside_for
from tests.support.served import served

CHECKS = {
    "waiting": "<html><head><title>Just a moment...</title></head><body><h1>films.example</h1>"
    "<script>window._cf_chl_opt = {cType: 'managed'};</script></body></html>",
    "in Russian": "<title>Один момент…</title><form id='challenge-form' action='/?x'></form>",
    "blocked": "<title>Attention Required! | Cloudflare</title><div id='cf-wrapper'>Sorry, you have been blocked</div>",
    "guard": "<html><head><title>DDoS-Guard</title></head><body>Checking your browser before accessing films.example."
    "<script src='/.well-known/ddos-guard/js-challenge/index.js'></script></body></html>",
    "captcha": "<title>films.example</title><form><div class='h-captcha' data-sitekey='x'></div><input></form>",
    "qrator": "<html><body><script src='/__qrator/qauth.js'></script></body></html>",
}
GOOD = {
    "film": "<title>The Lighthouse</title><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>"
    "<video src='/a.mp4'></video>",
    "player": "<script>window.__CF$cv$params={};a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'</script>",
    "story": f"<title>Just a moment...</title><div id='challenge-form'>{'A film about waiting. ' * 60}</div>",
    "results": "<title>Nothing found</title><div class='g-recaptcha'></div>" + "<a href='/x'>film</a>" * 20,
    "words": "<p>This challenge of captcha and ddos-guard is a documentary about the browser.</p>",
    "kodik": sample_page("player_serial.html"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_bot_check_is_one(name: str) -> None:
    assert is_challenge(CHECKS[name].encode())


@pytest.mark.parametrize("name", GOOD)
def test_a_good_page_is_none(name: str) -> None:
    assert not is_challenge(GOOD[name].encode())


@dataclass
class Gate:
    """A site that shows the same page to everybody."""

    page: str = ""
    status: int = 200
    kind: str = "text/html"
    asked: list[str] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("gate")

        @app.route("/", methods=["GET", "POST"])
        def show() -> Response:
            self.asked.append(request.method)
            return Response(self.page, status=self.status, content_type=self.kind)

        return app


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def url(gate: Gate) -> Iterator[str]:
    with served(gate.app()) as address:
        yield f"{address}/"


@pytest.fixture
def outside(url: str) -> SourceOutside:
    hosts = Hosts(RedisHealth(RedisLine(None)), RedisLine(None), pause=lambda _: None)
    return SourceOutside("gate", partial(through, outside_for(url)), hosts=hosts, manners=Manners())


ASKS: dict[str, Callable[[SourceOutside, str], object]] = {
    "page": lambda outside, url: outside.get(url),
    "json": lambda outside, url: outside.get_json(url),
    "form": lambda outside, url: outside.post_form(url, {"a": "1"}, bad_body_bytes=20_000),
}


@pytest.mark.parametrize("status", [401, 403, 429, 503])
@pytest.mark.parametrize("ask", ASKS)
def test_a_bot_check_is_told_and_not_asked_again(
    gate: Gate, outside: SourceOutside, url: str, ask: str, status: int
) -> None:
    gate.page, gate.status = CHECKS["waiting"], status

    with pytest.raises(BotCheck) as caught:
        ASKS[ask](outside, url)

    assert (caught.value.code, len(gate.asked)) == ("bot_check", 1)
    assert "does not get around" in caught.value.detail


@pytest.mark.parametrize("ask", ["page", "json"])
def test_a_bot_check_that_looks_like_a_good_answer_is_told(
    gate: Gate, outside: SourceOutside, url: str, ask: str
) -> None:
    gate.page = CHECKS["guard"]

    with pytest.raises(BotCheck):
        ASKS[ask](outside, url)


def test_a_refusal_without_a_check_stays_a_refusal(gate: Gate, outside: SourceOutside, url: str) -> None:
    gate.page, gate.status = "<h1>Forbidden by the browser challenge team</h1>", 403

    with pytest.raises(OutsideBadStatus):
        outside.get(url)


def test_json_that_tells_of_captchas_is_no_page(gate: Gate, outside: SourceOutside, url: str) -> None:
    gate.page, gate.kind = '{"about": "<div class=h-captcha>"}', "application/json"

    assert outside.get_json(url) == {"about": "<div class=h-captcha>"}
