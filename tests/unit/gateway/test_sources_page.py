"""The sources page and its forms, without a script."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from kinodom_common.contracts.titles import SourceCard
from kinodom_common.errors import Rejected, UpstreamFailed
from kinodom_gateway.domain.sources import weights_after
from tests.support.gateway import NOW, SOURCES, House, a_house

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

SAME = {"Origin": "http://localhost", "Accept": "text/html"}


class CookieNotRead(Rejected):
    code = "cookie_not_read"


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = a_house(tmp_path)
    found.now_s = NOW.timestamp() + 120
    return found


def sent(browser: FlaskClient, path: str, **fields: Any) -> TestResponse:
    token = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get("/sources").text)
    assert token is not None
    return browser.post(path, data={"csrf": token.group(1), **fields}, headers=SAME)


def row(text: str, name: str) -> str:
    found = re.search(rf'<li class="source" id="source-{name}">(.*?)\n      </li>', text, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_sources_stand_in_the_order_of_asking_and_say_how_they_are(house: House) -> None:
    text = house.client().get("/sources").text

    assert re.findall(r'id="source-(\w+)"', text) == ["demo", "internet_archive", "direct", "kodik"]
    assert "answers" in row(text, "demo")
    assert "last answer 2 minutes ago" in row(text, "demo")
    assert "Kept: session." in row(text, "demo")
    assert "not asked yet" in row(text, "direct")


def test_a_sick_source_says_what_happened_and_that_it_is_tried_again(house: House) -> None:
    sick = row(house.client().get("/sources").text, "internet_archive")

    assert "It did not answer in time." in sick
    assert "tried again by itself" in sick


def test_a_source_that_is_not_set_up_says_what_to_set_and_has_no_forms(house: House) -> None:
    kodik = row(house.client().get("/sources").text, "kodik")

    assert "Set KINODOM_KODIK_TOKEN" in kodik
    assert "<form" not in kodik


def test_empty_fields_are_the_sources_own_again(house: House) -> None:
    reply = sent(house.client(), "/sources/demo/settings", weight="90", pacing_s="", time_limit_s=" 2.5 ")

    assert (reply.status_code, reply.headers["Location"]) == (303, "/sources#source-demo")
    [(name, change)] = house.resolver.changes
    assert (name, change.weight, change.pacing_s, change.time_limit_s) == ("demo", 90, None, 2.5)
    assert change.model_fields_set == {"weight", "pacing_s", "time_limit_s"}


def test_a_wrong_number_is_said_in_its_row_and_changes_nothing(house: House) -> None:
    reply = sent(house.client(), "/sources/demo/settings", weight="5000")

    assert reply.status_code == 400
    assert 'role="alert"' in row(reply.text, "demo")
    assert house.resolver.changes == []


def test_a_proxy_and_browser_like_tls_are_set_and_an_empty_field_keeps_the_proxy(house: House) -> None:
    browser = house.client()
    sent(browser, "/sources/demo/way", proxy=" http://me:hidden@proxy.test:3128 ", browser_tls="yes")
    sent(browser, "/sources/demo/way", proxy="")

    (_, first), (_, second) = house.resolver.changes
    assert (first.proxy, first.browser_tls) == ("http://me:hidden@proxy.test:3128", True)
    assert (second.browser_tls, second.model_fields_set) == (False, {"browser_tls"})


def test_a_proxy_is_shown_without_its_user_and_can_be_given_up(house: House) -> None:
    house.resolver.cards[0] = SOURCES[0].model_copy(update={"proxy": "http://proxy.test:3128", "browser_tls": True})
    browser = house.client()

    demo = row(browser.get("/sources").text, "demo")
    reply = sent(browser, "/sources/demo/way/straight")

    assert 'placeholder="http://proxy.test:3128"' in demo
    assert "through the proxy http://proxy.test:3128, looks like a browser" in demo
    assert re.search(r'id="tls-demo"[^>]* checked', demo)
    [(name, change)] = house.resolver.changes
    assert (reply.status_code, name, change.proxy, change.model_fields_set) == (303, "demo", None, {"proxy"})


def test_a_proxy_of_another_form_is_said_and_changes_nothing(house: House) -> None:
    reply = sent(house.client(), "/sources/demo/way", proxy="socks5://x")

    assert reply.status_code == 400
    assert "note--trouble" in row(reply.text, "demo")
    assert house.resolver.changes == []


def test_a_described_site_with_mistakes_shows_each_with_its_line(house: House) -> None:
    lines = ("lantern.yaml:3: `wieght` is not known here", "lantern.yaml:9: `name` is missing here")
    sick = SourceCard(name="lantern", label="lantern.yaml", weight=0, enabled=False, mistakes=lines)
    house.resolver.cards.append(sick)

    shown = row(house.client().get("/sources").text, "lantern")

    assert [one for one in lines if f"<code>{one}</code>" not in shown] == []
    assert "has mistakes" in shown
    assert "Mend these lines" in shown
    assert "<form" not in shown


def test_a_source_behind_a_bot_check_says_what_a_person_can_do(house: House) -> None:
    health = SOURCES[0].health.model_copy(update={"last_failure_at": NOW, "last_success_at": None})
    house.resolver.cards[0] = SOURCES[0].model_copy(
        update={"health": health.model_copy(update={"last_code": "bot_check"})}
    )

    demo = row(house.client().get("/sources").text, "demo")

    assert "wants a person" in demo
    assert "Open the site in your browser" in demo


def test_names_of_sources_that_are_words_are_translated_and_names_of_sites_are_not(house: House) -> None:
    page = house.client().get("/sources", headers={"Accept-Language": "ru"}).text
    search = house.client().get("/search?q=lighthouse", headers={"Accept-Language": "ru"}).text

    names = re.findall(r'class="source__name">([^<]+)<', page)
    assert names == ["Демо-фильмы", "Internet Archive", "Вставленный адрес", "Kodik"]
    assert "Демо-фильмы" in search
    assert "Demo films" not in search


def test_one_step_later_swaps_two_weights(house: House) -> None:
    sent(house.client(), "/sources/demo/move", by="later")

    assert [(name, change.weight) for name, change in house.resolver.changes] == [
        ("demo", 70),
        ("internet_archive", 80),
    ]


def test_equal_weights_are_set_anew_so_that_a_step_is_a_step() -> None:
    cards = [card.model_copy(update={"weight": 50}) for card in SOURCES]

    wanted = weights_after(cards, "direct", earlier=True)

    assert sorted(wanted, key=lambda name: -wanted[name]) == ["demo", "direct", "internet_archive", "kodik"]


def test_a_step_beyond_the_end_changes_nothing_and_a_source_that_is_off_lends_no_weight() -> None:
    cards = [*SOURCES, SourceCard(name="off", label="Off", weight=0, enabled=False)]

    assert weights_after(cards, "demo", earlier=True) == {}
    assert weights_after(cards, "kodik", earlier=False) == {}


@pytest.mark.parametrize(("weight", "fields"), [(80, {"enabled"}), (0, {"enabled", "weight"})])
def test_switching_on_gives_a_weightless_source_its_own_weight_back(
    house: House, weight: int, fields: set[str]
) -> None:
    house.resolver.cards[0] = SOURCES[0].model_copy(update={"weight": weight, "enabled": False})

    sent(house.client(), "/sources/demo/switch", on="yes")

    [(_, change)] = house.resolver.changes
    assert change.enabled
    assert change.model_fields_set == fields


def test_a_cookie_is_taken_from_text_or_a_file_and_never_shown(house: House) -> None:
    browser = house.client()

    sent(browser, "/sources/demo/cookie", text="session=tell-nobody", domain="films.example")
    pasted = house.resolver.kept_cookies["demo"]
    sent(browser, "/sources/demo/cookie", text="", domain="", file=(io.BytesIO(b"[exported]"), "cookies.json"))

    assert (pasted.text.get_secret_value(), pasted.domain) == ("session=tell-nobody", "films.example")
    assert house.resolver.kept_cookies["demo"].text.get_secret_value() == "[exported]"
    assert "tell-nobody" not in browser.get("/sources").text


def test_a_cookie_that_cannot_be_read_is_said_in_its_row(house: House) -> None:
    house.resolver.refuses = CookieNotRead("There is no cookie in it.")

    reply = sent(house.client(), "/sources/demo/cookie", text="nonsense-secret")

    assert reply.status_code == 400
    assert "There is no cookie in it." in row(reply.text, "demo")
    assert "nonsense-secret" not in reply.text


def test_an_empty_cookie_form_is_refused_and_forgetting_deletes(house: House) -> None:
    browser = house.client()
    sent(browser, "/sources/demo/cookie", text="a=1", domain="films.example")

    empty = sent(browser, "/sources/demo/cookie", text=" ")
    gone = sent(browser, "/sources/demo/cookie/forget")

    assert (empty.status_code, gone.status_code) == (400, 303)
    assert "Paste the cookie" in empty.text
    assert house.resolver.kept_cookies == {}


def test_a_trial_shows_the_time_and_the_first_hits(house: House) -> None:
    reply = sent(house.client(), "/sources/demo/try", query="lighthouse")

    shown = row(reply.text, "demo")
    assert reply.status_code == 200
    assert "1 film, 0.0\u00a0s." in shown
    assert "The Tin Lighthouse" in shown
    assert "<details open>" in shown


def test_a_trial_of_a_silent_source_says_why(house: House) -> None:
    shown = row(sent(house.client(), "/sources/internet_archive/try", query="lighthouse").text, "internet_archive")

    assert 'role="alert"' in shown
    assert "no answer, 0.0" in shown


def test_a_source_that_nobody_knows_is_a_page_in_words(house: House) -> None:
    reply = sent(house.client(), "/sources/nobody/switch", on="yes")

    assert reply.status_code == 404
    assert "No source of this name" in reply.text


def test_nothing_is_changed_without_the_token_of_a_page(house: House) -> None:
    browser = house.client()
    paths = ["settings", "switch", "move", "cookie", "cookie/forget", "try"]

    replies = [browser.post(f"/sources/demo/{path}", headers=SAME).status_code for path in paths]

    assert replies == [403] * len(paths)


def test_what_cannot_be_kept_is_said_and_the_page_stands(house: House) -> None:
    house.resolver.refuses = UpstreamFailed("It could not be kept. Nothing was changed.")

    reply = sent(house.client(), "/sources/demo/switch", on="no")

    assert reply.status_code == 502
    assert "Nothing was changed." in row(reply.text, "demo")


def test_scripts_list_change_and_try_sources(house: House) -> None:
    browser = house.client()
    token = re.search(r'<meta name="csrf" content="([^"]+)"', browser.get("/sources").text)
    assert token is not None
    headers = {"Origin": "http://localhost", "X-CSRF-Token": token.group(1)}

    listed = browser.get("/api/v1/sources").get_json()
    changed = browser.put("/api/v1/sources/demo", json={"enabled": False}, headers=headers)
    kept = browser.put("/api/v1/sources/demo/cookie", json={"text": "a=1", "domain": "x.example"}, headers=headers)
    names = browser.get("/api/v1/sources/demo/cookie").get_json()
    gone = browser.delete("/api/v1/sources/demo/cookie", headers=headers)
    tried = browser.post("/api/v1/sources/demo/try", json={"query": "lighthouse"}, headers=headers)

    assert listed["sources"][0]["name"] == "demo"
    assert [reply.status_code for reply in (changed, kept, gone, tried)] == [200, 200, 204, 200]
    assert names["names"] == ["session"]
    assert tried.get_json()["hits"][0]["name"] == "The Tin Lighthouse"
