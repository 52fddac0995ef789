"""A described site as a source: three invented sites on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Response

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.egress import OutsideClient, OutsideTooLarge
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.adapters.site_files import parse_site, read_site
from kinodom_resolver.adapters.site_reader import SiteGarbled
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import PAGE_BYTES, HostNotListed, Pace, SiteWeb
from tests.support.fake_sites import DESCRIPTIONS, PORTS, FakeSites, served_sites

FILM = "lantern:%2Ffilm%2Flast-lighthouse"
SHOW = "tidepool:%2Fapi%2Fshows%2F7"
MOON = "papermoon:%2Ft%2F1"


@pytest.fixture
def sites() -> FakeSites:
    return FakeSites()


@pytest.fixture
def outside(sites: FakeSites) -> Iterator[OutsideClient]:
    with served_sites(sites) as client:
        yield client


def source(name: str, outside: OutsideClient, was: str = "", becomes: str = "") -> YamlSite:
    text = (DESCRIPTIONS / f"{name}.yaml").read_text(encoding="utf-8")
    assert was in text
    site = parse_site(text.replace(was, becomes) if was else text, f"{name}.yaml").site
    assert site is not None
    return YamlSite(site, SiteWeb(site, outside, pace=Pace(0)))


def html(text: str) -> Response:
    return Response(text, content_type="text/html; charset=utf-8")


def test_a_search_gives_the_rows_of_the_page(outside: OutsideClient) -> None:
    hits = source("lantern", outside).search("lighthouse")

    assert [(hit.external_id, hit.name, hit.year) for hit in hits] == [
        (FILM, "The Last Lighthouse", 1931),
        ("lantern:%2Ffilm%2Flighthouse-two", "Lighthouse Two", 1933),
    ]
    assert hits[0].poster_url == f"http://127.0.0.1:{PORTS['lantern']}/covers/last-lighthouse.jpg"


def test_words_of_a_query_stay_words(sites: FakeSites, outside: OutsideClient) -> None:
    source("lantern", outside).search("a&b=c/../#{page}")

    assert sites.paths("lantern") == ["/find?q=a%26b%3Dc%2F..%2F%23%7Bpage%7D"]


def test_a_page_that_says_there_is_nothing_is_an_answer(outside: OutsideClient) -> None:
    assert source("lantern", outside).search("submarine") == []


def test_a_page_with_neither_rows_nor_that_word_is_a_failure(sites: FakeSites, outside: OutsideClient) -> None:
    sites.pages["lantern", "/find"] = html("<h1>All is new here</h1>")

    with pytest.raises(SiteGarbled):
        source("lantern", outside).search("lighthouse")


def test_a_film_page_gives_its_facts_as_plain_text(outside: OutsideClient) -> None:
    title = source("lantern", outside).title(FILM)

    card = title.card
    assert (card.name, card.original_name, card.year, card.kind) == (
        "The Last Lighthouse", "Der letzte Leuchtturm", 1931, "film",
    )  # fmt: skip
    assert (card.genres, card.people) == (("Drama", "Sea"), ("Ada Keeper", "Ben Wave"))
    assert card.description == "A keeper & his light.\nIt goes out."
    assert title.translations[0].episodes[0].duration_s == 95 * 60


def test_a_film_offers_its_files_the_tallest_first_with_subtitles(outside: OutsideClient) -> None:
    offers = source("lantern", outside).offers(FILM, None, None, "original")

    base = f"http://127.0.0.1:{PORTS['lantern']}/files/last-lighthouse"
    assert [(one.url, one.height_px, one.delivery) for one in offers] == [
        (f"{base}-720.mp4", 720, "progressive"),
        (f"{base}-480.mp4", 480, "progressive"),
    ]
    assert [(one.url, one.language, one.name) for one in offers[0].subtitles] == [(f"{base}.en.vtt", "en", "English")]


def test_an_unknown_page_is_nothing_there(outside: OutsideClient) -> None:
    with pytest.raises(NotFound):
        source("lantern", outside).title("lantern:%2Ffilm%2Fgone")


@pytest.mark.parametrize(
    "external_id",
    [
        "lantern:https%3A%2F%2Fother.example%2F",
        "lantern:%2F%2Fother.example%2F",
        "lantern:film",
        "lantern:file%3A%2F%2F%2F",
    ],
)
def test_an_id_that_leads_elsewhere_is_not_ours(sites: FakeSites, outside: OutsideClient, external_id: str) -> None:
    with pytest.raises(NotFound):
        source("lantern", outside).title(external_id)

    assert sites.asked == []


def test_a_pasted_page_of_the_site_gives_its_title(outside: OutsideClient) -> None:
    lantern = source("lantern", outside)

    hits = lantern.search(f"http://127.0.0.1:{PORTS['lantern']}/film/last-lighthouse")

    assert [hit.external_id for hit in hits] == [FILM]
    assert lantern.search("https://elsewhere.example/film/last-lighthouse") == []


def test_an_api_is_read_over_its_pages_with_headers_and_cookies(sites: FakeSites, outside: OutsideClient) -> None:
    hits = source("tidepool", outside).search("harbour")

    assert [(hit.external_id, hit.name, hit.year) for hit in hits] == [
        (SHOW, "Harbour Days", 1967),
        ("tidepool:%2Fapi%2Fshows%2F8", "Harbour Nights", 1968),
    ]
    assert sites.asked[0][2]["Cookie"] == "region=north"
    assert sites.asked[0][2]["Accept"] == "application/json"


def test_episodes_are_grouped_by_dub(outside: OutsideClient) -> None:
    title = source("tidepool", outside).title(SHOW)

    first, second = title.translations
    assert (first.name, second.name, second.translation_id) == ("Studio Quay", "north", "north")
    assert [(one.season, one.episode, one.name, one.duration_s) for one in first.episodes] == [
        (1, 1, "Day 1", 1500), (1, 2, "Day 2", 1500),
    ]  # fmt: skip
    assert title.card.description == "Boats come in."


def test_an_episode_of_a_dub_has_its_own_files(outside: OutsideClient) -> None:
    tidepool = source("tidepool", outside)

    offers = tidepool.offers(SHOW, 1, 2, "north")

    assert [(one.url, one.height_px, one.delivery) for one in offers] == [
        ("https://cdn.tidepool.example/7-2-n/1080", 1080, "hls"),
        ("https://cdn.tidepool.example/7-2-n/480", 480, "hls"),
    ]
    assert tidepool.offers(SHOW, 1, 3, "north") == []
    assert tidepool.offers(SHOW, 1, 2, "nobody") == []


def test_a_site_that_sends_no_json_could_not_be_asked(sites: FakeSites, outside: OutsideClient) -> None:
    sites.pages["tidepool", "/api/shows"] = html("<html>maintenance</html>")

    with pytest.raises(SiteGarbled):
        source("tidepool", outside).search("harbour")


def test_a_player_of_another_host_is_followed_and_its_parts_put_together(
    sites: FakeSites, outside: OutsideClient
) -> None:
    offers = source("papermoon", outside).offers(MOON, None, 2, "original")

    assert [(one.url, one.delivery) for one in offers] == [
        ("https://media.papermoon.example/hls/moon-2/master.m3u8", "hls")
    ]
    assert offers[0].headers == {"Referer": f"http://127.0.0.1:{PORTS['player']}/embed/2"}
    assert sites.paths("player") == ["/embed/2"]


def test_a_player_of_a_host_that_is_not_listed_is_not_asked(sites: FakeSites, outside: OutsideClient) -> None:
    papermoon = source("papermoon", outside, "  - 127.0.0.1:8474", "  - player.example")

    with pytest.raises(HostNotListed):
        papermoon.offers(MOON, None, 2, "original")

    assert sites.paths("player") == []


def test_a_redirect_to_a_host_that_is_not_listed_is_not_followed(sites: FakeSites, outside: OutsideClient) -> None:
    inner = f"http://127.0.0.1:{PORTS['tidepool']}/api/shows?page=1"
    sites.pages["lantern", "/find"] = Response(status=302, headers={"Location": inner})

    with pytest.raises(HostNotListed):
        source("lantern", outside).search("lighthouse")

    assert sites.paths("tidepool") == []


def test_a_listed_host_at_home_needs_the_houses_own_permission(sites: FakeSites, outside: OutsideClient) -> None:
    strict = replace(outside, rules=replace(outside.rules, allow_lan=frozenset()))

    with pytest.raises(Exception, match="not public"):
        source("lantern", strict).search("lighthouse")

    assert sites.asked == []


def test_a_page_without_end_is_given_up(sites: FakeSites, outside: OutsideClient) -> None:
    sites.pages["lantern", "/find"] = html("x" * (PAGE_BYTES + 1))

    with pytest.raises(OutsideTooLarge):
        source("lantern", outside).search("lighthouse")


@pytest.mark.parametrize(
    "page",
    [
        '<ul class="films"><li><a href="/film/x"><h3>{query}{1}{page}</h3></a></li></ul>',
        '<ul class="films"><li><a href="javascript:alert(1)"><h3>J</h3></a></li><li><h3>No link</h3></li></ul>',
        '<ul class="films"><li><a href="http://[::1"><h3>B</h3></a></li></ul>',
        '<ul class="films">' + '<li><a href="/film/y"><h3>' + "n" * 5000 + "</h3></a></li></ul>",
        '<?xml version="1.0"?><ul class="films"><li><a href="/x"><h3>\x00\ud7ff</h3></a></li></ul>',
        '<ul class="films"><li>' + "<div>" * 20_000,
    ],
    ids=["braces", "scheme", "bad address", "long", "xml", "deep"],
)
def test_odd_pages_give_sendable_hits(sites: FakeSites, outside: OutsideClient, page: str) -> None:
    sites.pages["lantern", "/find"] = html(page)

    hits = source("lantern", outside).search("x")

    SearchReply(query="x", hits=tuple(hits)).model_dump_json()
    assert all(hit.external_id.startswith("lantern:%2F") for hit in hits)


def test_a_hostile_page_costs_a_pattern_no_more_than_its_length(sites: FakeSites, outside: OutsideClient) -> None:
    slow = source("lantern", outside, "  name: h1", "  name: {pattern: '(a+)+$b'}")
    sites.pages["lantern", "/film/last-lighthouse"] = html("a" * 500_000 + "!")

    with pytest.raises(NotFound):
        slow.title(FILM)


def test_words_of_a_page_are_not_read_as_html_again(sites: FakeSites, outside: OutsideClient) -> None:
    page = "<h1>1 &lt; 2 &amp;amp; <i>more</i><script>x()</script></h1><div class=plot>a &lt;b&gt; c</div>"
    sites.pages["lantern", "/film/last-lighthouse"] = html(page)

    card = source("lantern", outside).title(FILM).card

    assert (card.name, card.description) == ("1 < 2 &amp; more", "a <b> c")


def test_a_pattern_that_fits_everywhere_is_cut_short(sites: FakeSites, outside: OutsideClient) -> None:
    greedy = source("lantern", outside, "  name: h1", "  name: {pattern: '(.)'}")
    sites.pages["lantern", "/film/last-lighthouse"] = html("a" * 1_900_000)

    assert greedy.title(FILM).card.name == "a"


def test_requests_keep_their_distance() -> None:
    waited: list[float] = []
    pace = Pace(0.5, clock=lambda: 10.0, wait=waited.append)

    for _ in range(3):
        pace.step()

    assert waited == [0.5, 1.0]


def test_a_page_in_another_encoding_is_read_by_what_its_header_says(sites: FakeSites, outside: OutsideClient) -> None:
    row = '<ul class="films"><li><a href="/film/x"><h3>Маяк</h3></a></li></ul>'.encode("cp1251")
    sites.pages["lantern", "/find"] = Response(row, content_type="text/html; charset=windows-1251")

    assert source("lantern", outside).search("x")[0].name == "Маяк"


def test_a_site_that_is_down_could_not_be_asked(sites: FakeSites, outside: OutsideClient) -> None:
    sites.pages["lantern", "/find"] = Response("busy", status=503)

    with pytest.raises(UpstreamFailed):
        source("lantern", outside).search("lighthouse")


def test_all_examples_describe_what_their_sites_have(outside: OutsideClient) -> None:
    names = sorted(path.stem for path in DESCRIPTIONS.glob("*.yaml"))

    assert names == ["lantern", "papermoon", "tidepool"]
    assert all(read_site(DESCRIPTIONS / f"{name}.yaml").site for name in names)
