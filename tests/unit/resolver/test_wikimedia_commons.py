from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_resolver.sources.wikimedia_commons import WikimediaCommons
from tests.support.fake_commons import RECORDED, FakeCommons, page, rendition, reply, sample
from tests.support.mutations import Told, mutated
from tests.support.outside import Rerouted
from tests.support.served import served

RECORDED_ID = f"commons:{RECORDED}"
ID = "commons:Tin.webm"
ROUNDS = 200


@pytest.fixture
def site() -> FakeCommons:
    return FakeCommons()


@pytest.fixture
def source(site: FakeCommons) -> Iterator[WikimediaCommons]:
    with served(site.app()) as url:
        yield WikimediaCommons("https://commons.example/", Rerouted(commons_example=url))


def test_a_recorded_video_is_a_film_with_plain_text(source: WikimediaCommons) -> None:
    title = source.title(RECORDED_ID)

    assert title.card.name == "Big Buck Bunny 4K"
    assert title.card.description == "Big Buck Bunny short film by the Blender Foundation.\nBy Blender Foundation"
    assert title.card.poster_url is not None
    assert title.card.poster_url.endswith("640px--Big_Buck_Bunny_4K.webm.jpg")
    assert title.translations[0].heights_px == (2250, 1080, 360, 240)
    assert title.translations[0].episodes[0].duration_s == 634.553


def test_renditions_for_browsers_go_first_then_the_upload_then_what_browsers_cannot_play(
    source: WikimediaCommons,
) -> None:
    offers = source.offers(RECORDED_ID, None, None, "original")

    assert [(one.url.rpartition("/")[2].removeprefix(f"{RECORDED}."), one.height_px) for one in offers] == [
        ("1080p.vp9.webm", 1080),
        ("240p.vp9.webm", 240),
        (RECORDED, 2250),
        ("360p.mpeg4.mov", 360),
    ]
    assert [one.size_bytes for one in offers] == [None, None, 2964839055, None]
    assert {one.delivery for one in offers} == {"progressive"}


def test_a_search_asks_for_videos_and_keeps_the_order_of_the_matches(
    site: FakeCommons, source: WikimediaCommons
) -> None:
    site.replies = [reply(page("File:Second one.webm") | {"index": 2}, page("File:First.webm") | {"index": 1})]

    hits = source.search('tin "light" -intitle:x')

    assert [hit.external_id for hit in hits] == ["commons:First.webm", "commons:Second_one.webm"]
    assert hits[0].heights_px == (720, 480)
    assert site.queries[0]["gsrsearch"] == "filetype:video tin light intitle x"
    assert site.queries[0]["gsrnamespace"] == "6"
    assert "timedtext" in site.queries[0]["viprop"]


def test_an_answer_in_parts_is_put_together(site: FakeCommons, source: WikimediaCommons) -> None:
    whole = page()
    half = {"pageid": whole["pageid"], "title": whole["title"], "index": 1}
    site.replies = [
        {"query": {"pages": [half]}, "continue": {"vicontinue": "7|x", "continue": "||"}},
        reply(whole, **{"continue": {"gsroffset": 30}}),
        reply(page("File:Not asked for.webm")),
    ]

    hits = source.search("tin")

    assert [hit.external_id for hit in hits] == [ID]
    assert [query.get("vicontinue") for query in site.queries] == [None, "7|x"]


@pytest.mark.parametrize(
    "told",
    [
        reply({"title": "File:Tin.webm", "missing": True}),
        {"query": {"pages": {"-1": {"title": "File:Tin.webm", "missing": ""}}}},
        reply(page(mime="image/png")),
        reply(page(mime="application/ogg", height=0)),
        reply({"title": "File:Tin.webm", "pageid": 1}),
        {"batchcomplete": True},
    ],
    ids=["missing", "missing in the older form", "picture", "sound", "no facts", "nothing"],
)
def test_no_such_video_is_not_found(site: FakeCommons, source: WikimediaCommons, told: object) -> None:
    site.replies = [told]

    with pytest.raises(NotFound) as caught:
        source.title(ID)

    assert caught.value.code == "no_such_title"


def test_the_older_form_of_the_answer_is_read_too(site: FakeCommons, source: WikimediaCommons) -> None:
    site.replies = [{"batchcomplete": "", "query": {"pages": {"7": page()}}}]

    title = source.title(ID)

    assert title.card.name == "Tin"


def test_sound_alone_is_left_out_and_addresses_lose_their_counters(site: FakeCommons, source: WikimediaCommons) -> None:
    sound = rendition(0, "mp3", type='audio/mpeg; codecs="mp3"')
    counted = rendition(480, src="//files.example/480.webm?utm_source=commons")
    site.replies = [reply(page(derivatives=[sound, counted, rendition(720, None)]))]

    offers = source.offers(ID, None, None, "original")

    assert [(one.url, one.size_bytes) for one in offers] == [
        ("https://files.example/480.webm", None),
        ("https://files.example/original.webm", 9000),
    ]


def test_without_renditions_the_upload_is_offered(site: FakeCommons, source: WikimediaCommons) -> None:
    site.replies = [reply(page(derivatives=None, mime="application/ogg"))]

    offers = source.offers(ID, None, None, "original")

    assert [(one.url, one.height_px) for one in offers] == [("https://files.example/original.webm", 720)]


def test_subtitles_are_one_per_language_webvtt_first(site: FakeCommons, source: WikimediaCommons) -> None:
    site.replies = [reply(page(timedtext=[
        {"src": "/w/api.php?a=srt", "type": "text/x-srt", "srclang": "de", "label": "Deutsch", "kind": "subtitles"},
        {"src": "/w/api.php?a=vtt", "type": "text/vtt", "srclang": "de", "label": "Deutsch", "kind": "subtitles"},
        {"src": "/w/api.php?a=en", "type": "text/vtt", "srclang": "en-gb"},
        {"src": "/w/api.php?a=song", "type": "text/vtt", "srclang": "fr", "kind": "metadata"},
    ]))]  # fmt: skip

    subtitles = source.offers(ID, None, None, "original")[0].subtitles

    assert [(one.language, one.name, one.url.rpartition("/")[2]) for one in subtitles] == [
        ("de", "Deutsch", "api.php?a=vtt"),
        ("en-gb", None, "api.php?a=en"),
    ]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"LicenseShortName": {"value": "<a href='x'>CC BY 4.0</a>"}, "UsageTerms": {"value": "long"}}, "CC BY 4.0"),
        ({"UsageTerms": {"value": "Creative Commons"}}, "Creative Commons"),
        ({"LicenseUrl": {"value": "https://cc.example/by"}}, "https://cc.example/by"),
        ({}, None),
        (None, None),
    ],
)  # fmt: skip
def test_the_licence_is_shown_as_it_is_stated(
    site: FakeCommons, source: WikimediaCommons, facts: object, name: str | None
) -> None:
    site.replies = [reply(page(extmetadata=facts))]

    title = source.title(ID)

    assert title.card.licence == name


def test_html_in_all_facts_becomes_text(site: FakeCommons, source: WikimediaCommons) -> None:
    facts = {
        "ObjectName": {"value": "<b>Tin</b>\n light"},
        "ImageDescription": {"value": "<p>One</p><script>x()</script><p>Two &amp; three</p>"},
        "Credit": {"value": "<span>Own&nbsp;work</span>"},
        "DateTimeOriginal": {"value": "1927<div style='display:none'>date QS</div>"},
    }
    site.replies = [reply(page(extmetadata=facts))]

    card = source.title(ID).card

    assert (card.name, card.year) == ("Tin light", 1927)
    assert card.description == "One\nTwo & three\nBy Own work"


@pytest.mark.parametrize(
    "told", [{"error": {"code": "maxlag", "info": "Waiting for a server"}}, [], {}, None, "x"], ids=str
)
def test_an_error_or_another_shape_is_an_upstream_failure(
    site: FakeCommons, source: WikimediaCommons, told: object
) -> None:
    site.replies = [told]

    with pytest.raises(UpstreamFailed):
        source.search("any")


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_bad_status_is_an_upstream_failure(site: FakeCommons, source: WikimediaCommons, status: int) -> None:
    site.status = status

    with pytest.raises(UpstreamFailed) as caught:
        source.search("any")

    assert caught.value.facts["retry_after_s"] == 5.0


def test_html_instead_of_json_is_an_upstream_failure(site: FakeCommons, source: WikimediaCommons) -> None:
    site.broken = True

    with pytest.raises(UpstreamFailed):
        source.title(ID)


def test_a_pasted_page_is_its_video_and_other_pages_are_not_asked_about(
    site: FakeCommons, source: WikimediaCommons
) -> None:
    hits = source.search("https://commons.example/wiki/File:Big_Buck_Bunny_4K.webm?uselang=de")
    others = [*source.search("https://elsewhere.example/wiki/File:x.webm"), *source.search("https://[x/wiki/File:x")]

    assert [hit.external_id for hit in hits] == [RECORDED_ID]
    assert others == []
    assert [query["titles"] for query in site.queries] == ["File:Big_Buck_Bunny_4K.webm"]


@pytest.mark.parametrize("external_id", ["commons:", "commons:a%7Cb", "commons:%00", "commons:a%2Fb"])
def test_an_id_that_is_none_is_not_asked_for(site: FakeCommons, source: WikimediaCommons, external_id: str) -> None:
    with pytest.raises(KinodomError) as caught:
        source.title(external_id)

    assert caught.value.code == "no_such_title"
    assert site.queries == []


def test_names_with_odd_signs_go_there_and_back(site: FakeCommons, source: WikimediaCommons) -> None:
    site.replies = [reply(page("File:Жестяной маяк? 100% & more.webm"))]

    hit = source.search("маяк")[0]
    title = source.title(hit.external_id)

    assert title.card.external_id == hit.external_id
    assert site.queries[1]["titles"] == "File:Жестяной_маяк?_100%_&_more.webm"


@pytest.mark.parametrize("batch", range(10))
def test_mutated_answers_give_sendable_ones_or_known_errors(batch: int) -> None:
    for seed in range(batch * ROUNDS, (batch + 1) * ROUNDS):
        source = WikimediaCommons("https://commons.example", Told(mutated(sample(), random.Random(seed))))

        try:
            hits = tuple(source.search("bunny"))
            sendable = [source.title(RECORDED_ID), *source.offers(RECORDED_ID, None, None, "original")]
        except (UpstreamFailed, NotFound):
            hits, sendable = (), []

        SearchReply(query="any", hits=hits).model_dump_json()
        assert all(one.model_dump_json() for one in sendable)


def test_one_bad_file_costs_only_itself() -> None:
    pages = [page("File:Good.webm"), page("File:"), page("File:a|b.webm"), 7, {"title": 7, "videoinfo": "x"}]
    source = WikimediaCommons("https://commons.example", Told(reply(*pages)))

    hits = source.search("any")

    assert [hit.external_id for hit in hits] == ["commons:Good.webm"]
