from __future__ import annotations

import pytest

from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_resolver.sources.internet_archive import InternetArchive, licence_name, lucene_words
from tests.support.fake_archive import RECORDED_ITEM, FakeArchive, file, item
from tests.support.outside import outside_for


@pytest.fixture
def source(archive_url: str) -> InternetArchive:
    return InternetArchive(archive_url, outside_for(archive_url))


def test_a_recorded_search_gives_its_films_and_leaves_out_its_pictures(source: InternetArchive) -> None:
    hits = source.search("red rover")

    assert hits[0].external_id == "ia:1redRoverGoesToMars-studentAstronautB-rollCompilation"
    assert hits[0].name == "Red rover Goes To Mars-Student Astronaut B-Roll Compilation"
    assert hits[0].year == 2004
    assert hits[0].poster_url is not None
    assert hits[0].poster_url.endswith("/services/img/1redRoverGoesToMars-studentAstronautB-rollCompilation")
    assert "ia:A-11464" not in {hit.external_id for hit in hits}


def test_a_search_asks_for_films_by_title_the_most_fetched_first(archive: FakeArchive, source: InternetArchive) -> None:
    source.search("night of the living dead")

    assert archive.queries[0]["q"] == ["title:(night of the living dead) AND mediatype:movies"]
    assert archive.queries[0]["sort[]"] == ["downloads desc"]
    assert "licenseurl" in archive.queries[0]["fl[]"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Alien: Resurrection (1997)", r"Alien\: Resurrection \(1997\)"),
        ('say "cheese" [cut] a\\b', r"say \"cheese\" \[cut\] a\\b"),
        ("love AND war OR NOT", "love and war or not"),
        ("Tom & Jerry - again", "Tom Jerry again"),
        ("***", ""),
        ("жестяной маяк", "жестяной маяк"),
    ],
)
def test_what_lucene_would_obey_is_escaped(typed: str, sent: str) -> None:
    words = lucene_words(typed)

    assert words == sent


def test_fields_may_be_a_string_or_a_list(archive: FakeArchive, source: InternetArchive) -> None:
    doc = {"identifier": "x", "title": ["One", "Two"], "year": "1968", "description": ["<p>a</p>", "b"]}
    archive.search_reply = {"response": {"docs": [doc]}}

    hit = source.search("one")[0]

    assert (hit.name, hit.year, hit.description) == ("One", 1968, "a\nb")


def test_a_recorded_item_is_a_film_with_plain_text_and_seconds(source: InternetArchive) -> None:
    title = source.title(f"ia:{RECORDED_ITEM}")

    assert title.card.name == "Democracy Now! Friday, February 20, 2015"
    assert title.card.kind == "film"
    assert title.card.description is not None
    assert "<" not in title.card.description
    assert "Moore’s Ford Bridge" in title.card.description
    assert title.translations[0].heights_px == (480, 300)
    assert title.translations[0].language == "en"
    assert title.translations[0].episodes[0].episode is None
    assert title.translations[0].episodes[0].duration_s == 3542.04


def test_offers_begin_with_h264_and_end_with_the_huge_original(source: InternetArchive) -> None:
    offers = source.offers(f"ia:{RECORDED_ITEM}", None, None, "original")

    assert [offer.url.rpartition("/")[2] for offer in offers] == [
        "dn2015-0220.mp4",
        "dn2015-0220.ogv",
        "dn2015-0220.mpeg",
    ]
    assert (offers[0].height_px, offers[0].size_bytes, offers[0].delivery) == (480, 368442433, "progressive")


def test_names_with_spaces_signs_and_folders_are_escaped_and_fetched(
    archive: FakeArchive, archive_url: str, source: InternetArchive
) -> None:
    archive.items["odd"] = item("odd", [file("disc 1/Фильм #2? 100%.mp4")])

    offer = source.offers("ia:odd", None, None, "original")[0]
    page = outside_for(archive_url).get(offer.url)

    assert archive.downloads == ["disc 1/Фильм #2? 100%.mp4"]
    assert page.url.endswith("/node/file")


def test_several_videos_become_episodes_in_natural_order(archive: FakeArchive, source: InternetArchive) -> None:
    archive.items["show"] = item(
        "show",
        [
            file("Part 10.mpeg", "MPEG2"),
            file("Part 2.mpeg", "MPEG2", title="The Second"),
            file("Part 2_512kb.mp4", "512Kb MPEG4", source="derivative", original="Part 2.mpeg", height="240"),
            file("Part 2.en.srt", "SubRip"),
        ],
    )

    title = source.title("ia:show")
    offers = source.offers("ia:show", 1, 1, "original")

    assert title.card.kind == "series"
    assert [(one.season, one.episode, one.name) for one in title.translations[0].episodes] == [
        (1, 1, "The Second"),
        (1, 2, "Part 10"),
    ]
    assert [offer.height_px for offer in offers] == [240, None]
    assert offers[0].subtitles[0].language == "en"


def test_episode_numbers_in_the_names_are_taken(archive: FakeArchive, source: InternetArchive) -> None:
    archive.items["show"] = item("show", [file("Show S02E05.mp4"), file("Show s02e04.mp4")])

    episodes = source.title("ia:show").translations[0].episodes

    assert [(one.season, one.episode) for one in episodes] == [(2, 4), (2, 5)]


def test_private_files_are_left_out(archive: FakeArchive, source: InternetArchive) -> None:
    archive.items["x"] = item("x", [file("full.mp4", private="true"), file("sample.mp4", length="1:05")])

    offers = source.offers("ia:x", None, None, "original")

    assert [offer.url.rpartition("/")[2] for offer in offers] == ["sample.mp4"]
    assert offers[0].duration_s == 65.0


def test_only_mpeg2_is_still_offered(archive: FakeArchive, source: InternetArchive) -> None:
    archive.items["old"] = item("old", [file("old.mpeg", "MPEG2", size=None)])

    offers = source.offers("ia:old", None, None, "original")

    assert [(offer.url.rpartition("/")[2], offer.size_bytes) for offer in offers] == [("old.mpeg", None)]


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"is_dark": True, "metadata": {"identifier": "x"}, "files": []},
        item("x", [file("x.jpg", "Thumbnail")], mediatype="collection"),
    ],
    ids=["unknown", "dark", "collection"],
)
def test_no_such_item_is_not_found(archive: FakeArchive, source: InternetArchive, reply: object) -> None:
    archive.items["x"] = reply

    with pytest.raises(NotFound) as caught:
        source.title("ia:x")

    assert caught.value.code == "no_such_title"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_bad_status_is_an_upstream_failure(archive: FakeArchive, source: InternetArchive, status: int) -> None:
    archive.status = status

    with pytest.raises(UpstreamFailed):
        source.search("anything")


def test_html_instead_of_json_is_an_upstream_failure(archive: FakeArchive, source: InternetArchive) -> None:
    archive.broken = True

    with pytest.raises(UpstreamFailed):
        source.title("ia:anything")


@pytest.mark.parametrize("reply", [[], {"response": {}}, {"error": "x"}, {"response": {"docs": "no"}}, None])
def test_a_search_reply_of_another_shape_is_an_upstream_failure(
    archive: FakeArchive, source: InternetArchive, reply: object
) -> None:
    archive.search_reply = reply

    with pytest.raises(UpstreamFailed):
        source.search("anything")


def test_a_pasted_page_is_its_item_and_other_pages_are_not_asked_about(
    archive: FakeArchive, archive_url: str, source: InternetArchive
) -> None:
    hits = source.search(f"{archive_url}/details/{RECORDED_ITEM}?tab=about")
    others = source.search("https://example.org/secret?token=1")

    assert [hit.external_id for hit in hits] == [f"ia:{RECORDED_ITEM}"]
    assert list(others) == []
    assert archive.queries == []


@pytest.mark.parametrize("external_id", ["ia:..", "ia:a%2Fb", "ia:", "ia:%00"])
def test_an_id_that_is_none_is_not_asked_for(source: InternetArchive, external_id: str) -> None:
    with pytest.raises(KinodomError) as caught:
        source.title(external_id)

    assert caught.value.code == "no_such_title"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-sa/3.0/us/", "CC BY-NC-SA 3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        ("http://creativecommons.org/licenses/publicdomain/", "Public domain"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "Public domain"),
        (None, None),
    ],
)
def test_licences_have_short_names(address: str | None, name: str | None) -> None:
    short = licence_name(address)

    assert short == name
