"""What Kodik's recorded answers and pages say, field by field, and what people type."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kinodom_resolver.sources.kodik.decoding import decoded, expiry_of
from kinodom_resolver.sources.kodik.page import Played, PlayerPage, page_of, skips_of
from kinodom_resolver.sources.kodik.records import Record, record_of
from kinodom_resolver.sources.kodik.titles import external_id_of
from kinodom_resolver.sources.kodik.typed import Lookup, is_among, lookup_of_id, lookups_of, shikimori_number
from tests.support.fake_kodik import encoded, result, sample, sample_page, seasons

API = "https://kodik-api.test"
HOSTS = ("kodikplayer.com",)
DIRECT = "//cloud.solodcdn.com/useruploads/7e/0123456789abcdef:2026091420/720.mp4:hls:manifest.m3u8"


def read(raw: object) -> Record:
    assert isinstance(raw, dict)
    record = record_of(raw, API)
    assert record is not None
    return record


def page(name: str, text: str | None = None) -> PlayerPage:
    kind = "video" if "movie" in name else "serial"
    return page_of((text or sample_page(name)).encode(), url=f"https://kodikplayer.com/{kind}/1/ab/720p")


def test_every_field_of_a_recorded_result_is_read() -> None:
    record = read(sample("search_anime_serial.json")["results"][0])

    assert (record.record_id, record.type_name, record.kind) == ("serial-6646", "anime-serial", "series")
    assert record.link == "https://kodikplayer.com/serial/6646/4698b2bea53c04aa757d3d1ff42fea53/720p"
    assert (record.title, record.title_orig, record.other_titles) == ("Наруто [ТВ-1]", "Naruto", ("ナルト",))
    assert (record.translation_id, record.translation_name, record.translation_kind) == ("735", "2x2", "voice")
    assert (record.year, record.last_season, record.last_episode, record.episodes_count) == (2002, 1, 220, 220)
    assert (record.shikimori_id, record.kinopoisk_id, record.imdb_id, record.mdl_id) == (
        20, "283290", "tt0409591", None,
    )  # fmt: skip
    assert record.worldart_link == "http://www.world-art.ru/animation/animation.php?id=262"
    assert (record.quality, record.camrip, record.lgbt) == ("BDRip 720p", False, False)
    assert (record.blocked_countries, record.blocked_seasons) == ((), ())
    assert (record.created_at, record.updated_at) == ("2017-11-26T17:09:13Z", "2024-11-01T00:47:12Z")
    assert [(one.season, one.episode) for one in record.episodes] == [(1, number) for number in range(1, 221)]
    assert record.episodes[1].link == "https://kodikplayer.com/seria/176239/9710691db246ca2506446dd34951b402/720p"
    assert record.material.duration_s == 23 * 60
    assert record.material.description is not None
    assert record.material.description.startswith("«Это мой путь ниндзя!»")
    assert record.material.poster_url is not None
    assert record.material.poster_url.startswith("https://shikimori.one/uploads/poster/animes/20/")
    assert record.material.genres[:3] == ("аниме", "боевик", "комедия")
    assert (record.material.people[0], record.material.people[-1]) == ("Хаято Датэ", "Рёка Юдзуки")


def test_an_older_recorded_result_without_seasons_is_read() -> None:
    records = [read(raw) for raw in sample("search_by_shikimori_id.json")["results"]]

    assert [(one.translation_name, one.translation_kind) for one in records] == [
        ("AniDUB", "voice"),
        ("Субтитры", "subtitles"),
    ]
    assert records[0].link.startswith("https://kodik.info/serial/6647/")
    assert records[0].screenshots[0] == "https://i.kodik.biz/screenshots/seria/176463/1.jpg"
    assert (records[0].episodes, records[0].material.poster_url) == ((), None)


def test_the_results_of_a_recorded_list_are_read() -> None:
    records = [read(raw) for raw in sample("list_anime_serial.json")["results"]]

    assert [external_id_of(one) for one in records] == [f"shikimori:{one.shikimori_id}" for one in records]
    assert (records[0].shikimori_id, records[0].imdb_id) == (61013, "tt40546998")
    assert len(records[0].other_titles) == 2


def test_episode_zero_a_lone_third_season_and_episodes_as_objects_are_read() -> None:
    raw = result("serial-9", seasons=seasons(3, episodes=(0, 12)))
    raw["seasons"]["3"]["episodes"]["12"] = {"link": "//kodikplayer.com/seria/1/aa/720p", "title": "Конец", "x": 1}

    record = read(raw)

    assert [(one.season, one.episode, one.name) for one in record.episodes] == [(3, 0, None), (3, 12, "Конец")]


def test_blocked_countries_seasons_and_flags_are_read() -> None:
    record = read(result(blocked_countries=["RU", "KZ"], blocked_seasons={"2": "all"}, camrip=True, lgbt=True))

    assert (record.blocked_countries, record.blocked_seasons) == (("RU", "KZ"), ("2",))
    assert (record.camrip, record.lgbt) == (True, True)


@pytest.mark.parametrize(
    "field", [{"id": 7}, {"id": "book-1"}, {"title": {}}, {"link": None}, {"link": "javascript:x"}, {"translation": []}]
)
def test_a_result_without_what_a_title_needs_is_none(field: dict[str, object]) -> None:
    assert record_of(result() | field, API) is None


def test_fields_of_wrong_types_are_none_and_unknown_ones_are_passed_over() -> None:
    record = read(result(year="soon", kinopoisk_id={}, imdb_id=5, seasons=[1], material_data="x", quality={}, new=1))

    assert (record.year, record.kinopoisk_id, record.imdb_id, record.quality) == (None, None, None, None)
    assert record.episodes == ()


@pytest.mark.parametrize(
    ("fields", "external_id"),
    [
        ({"shikimori_id": "20", "kinopoisk_id": "5"}, "shikimori:20"),
        ({"shikimori_id": "z20"}, "shikimori:20"),
        ({"kinopoisk_id": "283290", "imdb_id": "tt0409591"}, "kinopoisk:283290"),
        ({"imdb_id": "tt0409591"}, "imdb:tt0409591"),
        ({}, "kodik:1999.Film"),
        ({"title_orig": "Two words/Два"}, "kodik:1999.Two%20words%2F%D0%94%D0%B2%D0%B0"),
        ({"title_orig": None}, "kodik:movie-1"),
        ({"year": None}, "kodik:movie-1"),
    ],
)
def test_a_title_goes_by_the_first_id_it_has(fields: dict[str, object], external_id: str) -> None:
    record = read(result(**fields))

    assert external_id_of(record) == external_id


def test_every_field_of_a_recorded_serial_page_is_read() -> None:
    seen = page("player_serial.html")

    assert (seen.title, seen.country, seen.one_season, seen.failure) == ("Фрирен [ТВ-1]", "MD", True, None)
    assert seen.signed["d"] == seen.signed["pd"] == "kodikplayer.com"
    assert seen.signed["d_sign"].endswith(":2609140747")
    assert seen.signed["pd_sign"] == seen.signed["d_sign"]
    assert seen.signed["ref"] == "https://kodikplayer.com/"  # percent-decoded once
    assert seen.signed["ref_sign"].startswith("fe8c120f22401a9c")
    assert seen.played == Played(kind="seria", media_id="1211482", media_hash="cf62e729fdb71a0b7fb148ba6fc48ad6")
    assert [one.rpartition("/")[2].split(".")[1] for one in seen.scripts] == ["serial"]
    assert [(one.season, one.path, one.name, one.translation_name, one.selected) for one in seen.seasons] == [
        (1, "/serial/53973/8ea8930aaf747fd9364e99b03393b655/720p", "1 сезон", "AnimeVost", True)
    ]
    assert [(one.season, one.episode) for one in seen.episodes] == [(1, number) for number in range(1, 29)]
    assert seen.episodes[1].name == "2 серия"
    assert seen.episodes[1].played.media_hash == "bc9be41bf9fdf1c487f6c66aa1e52465"
    voices = {one.translation_id: one for one in seen.translations}
    assert (voices["963"].name, voices["963"].kind, voices["963"].episodes) == ("Amazing Dubbing", "voice", (1, 28))
    assert voices["963"].path == "/serial/54132/0fbd1840c0cb02a5b3f2c9f0bc149ebe/720p"
    assert (voices["1291"].kind, voices["3603"].episodes) == ("subtitles", (1, 11))
    assert [one.translation_id for one in seen.translations if one.selected] == ["923"]
    assert seen.skips == ((0.0, 90.0), (1460.0, 1559.0))


def test_every_field_of_a_recorded_film_page_is_read() -> None:
    seen = page("player_movie.html")

    assert (seen.title, seen.country, seen.failure, seen.skips) == (None, "DE", None, ())
    assert seen.signed["ref"] == ""
    assert seen.signed["ref_sign"].startswith("deb2b99d")
    assert seen.played == Played(kind="video", media_id="91873", media_hash="060cab655974d46835b3f4405807acc2")
    assert [one.rpartition("/")[2].split(".")[1] for one in seen.scripts] == ["player_single"]
    assert (seen.seasons, seen.episodes) == ((), ())
    assert len(seen.translations) == 9
    assert seen.translations[0].path == "/video/102509/e5af7227ae1de504d41f753c59c7b4ba/720p"
    assert (seen.translations[8].kind, seen.translations[8].selected) == ("subtitles", True)


def test_a_page_without_a_list_of_voices_has_the_one_it_plays() -> None:
    text = sample_page("player_movie.html").replace("movie-translations-box", "gone")

    (voice,) = page("player_movie.html", text).translations

    assert (voice.translation_id, voice.name, voice.kind, voice.path) == ("869", "Субтитры", "subtitles", None)


def test_loose_variables_stand_in_for_the_parameters_and_old_names_for_the_new() -> None:
    text = sample_page("player_serial.html").replace("urlParams", "other").replace("vInfo.", "videoInfo.")

    seen = page("player_serial.html", text)

    assert seen.signed == page("player_serial.html").signed
    assert seen.played is not None


@pytest.mark.parametrize("name", ["app.serial", "app.player_single", "app.player_anything"])
def test_the_player_script_is_known_under_all_its_names(name: str) -> None:
    text = sample_page("player_serial.html").replace("app.serial", name)

    assert [one.rpartition("/")[2].startswith(f"{name}.") for one in page("player_serial.html", text).scripts] == [True]


@pytest.mark.parametrize(
    ("text", "episodes"),
    [("X (28 эп.)", (1, 28)), ("X (0-12 эп.)", (0, 12)), ("X (1~12 эп.)", (1, 12)), ("X", (1, 28))],
)
def test_a_voice_says_its_range_of_episodes(text: str, episodes: tuple[int, int]) -> None:
    html = sample_page("player_serial.html").replace("Amazing Dubbing (28 эп.)", text)

    assert page("player_serial.html", html).translations[0].episodes == episodes


@pytest.mark.parametrize(
    ("text", "skips"),
    [
        ("", ()),
        ("00-01:30", ((0.0, 90.0),)),
        ("15-45,01:02:03-01:03:00", ((15.0, 45.0), (3723.0, 3780.0))),
        ("24:20-25:59, 1:00-2:30", ((60.0, 150.0), (1460.0, 1559.0))),
        ("10-5,-,7,1:2:3:4-9,20-30", ((20.0, 30.0),)),
    ],
)
def test_the_parts_to_skip_are_read_with_every_form_of_time(text: str, skips: tuple[tuple[float, float], ...]) -> None:
    assert skips_of(f'playerSettings.skipButton = parseSkipButton("{text}", "anime");') == skips


def test_the_recorded_links_are_decoded() -> None:
    links = sample("ftor_direct.json")["links"]

    addresses = {height: decoded(entry[0]["src"], 18) for height, entry in links.items()}

    for height, found in addresses.items():
        assert found is not None
        assert found.address.startswith("//cloud.")
        assert found.address.endswith(f"/{height}.mp4:hls:manifest.m3u8")


@pytest.mark.parametrize("rotation", range(26))
def test_links_are_decoded_by_every_rotation_whatever_worked_last(rotation: int) -> None:
    found = decoded(encoded(DIRECT, rotation), 18)

    assert found is not None
    assert (found.address, found.rotation) == (DIRECT, rotation)


@pytest.mark.parametrize("address", [DIRECT, f"https:{DIRECT}"])
def test_a_plain_link_is_taken_as_it_is(address: str) -> None:
    found = decoded(address, 18)

    assert found is not None
    assert (found.address, found.rotation) == (address, None)


@pytest.mark.parametrize("src", ["", "rubbish", "%%%", "ab" * 5000, "aHR0cDovL3g"])
def test_rubbish_is_no_link(src: str) -> None:
    assert decoded(src, 18) is None


def test_a_link_says_when_it_ends() -> None:
    assert expiry_of(f"https:{DIRECT}") == datetime(2026, 9, 14, 17, tzinfo=UTC)
    assert expiry_of("https://a.test/x:2026999999/360.mp4") is None
    assert expiry_of("https://a.test/360.mp4") is None


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ("Наруто", "title", "Наруто"),
        ("z20", "shikimori_id", "20"),
        ("zz20", "shikimori_id", "20"),
        ("sh:29803", "shikimori_id", "29803"),
        ("shikimori: y20", "shikimori_id", "20"),
        ("https://shikimori.io/animes/z20-naruto", "shikimori_id", "20"),
        ("https://shikimori.one/animes/29803-overlord/related", "shikimori_id", "29803"),
        ("shiki.one/animes/20", "shikimori_id", "20"),
        ("kp:749374", "kinopoisk_id", "749374"),
        ("https://www.kinopoisk.ru/series/749374/", "kinopoisk_id", "749374"),
        ("https://hd.kinopoisk.ru/film/435/?utm=1", "kinopoisk_id", "435"),
        ("kinopoisk.ru/film/435/cast", "kinopoisk_id", "435"),
        ("tt0409591", "imdb_id", "tt0409591"),
        ("imdb:tt0409591", "imdb_id", "tt0409591"),
        ("https://m.imdb.com/title/tt0409591/?ref_=x", "imdb_id", "tt0409591"),
        ("https://kodikplayer.com/serial/6646/ab/720p", "player_link", "//kodikplayer.com/serial/6646/ab/720p"),
        ("x2", "title", "x2"),
        ("kp:abc", "title", "kp:abc"),
        ("fate/zero", "title", "fate/zero"),
        ("Mr.Robot/x", "title", "Mr.Robot/x"),
    ],
)
def test_what_people_type_is_understood(typed: str, field: str, value: str) -> None:
    (found,) = lookups_of(typed, HOSTS)

    assert (found.field, found.value) == (field, value)


def test_a_bare_number_may_be_a_title_and_two_ids() -> None:
    assert [(one.field, one.value) for one in lookups_of("1917", HOSTS)] == [
        ("title", "1917"),
        ("shikimori_id", "1917"),
        ("kinopoisk_id", "1917"),
    ]


@pytest.mark.parametrize("typed", ["https://example.org/animes/20", "https://shikimori.io/mangas/20", "http://[x/"])
def test_pages_of_other_kinds_are_not_asked_for(typed: str) -> None:
    assert [one.field for one in lookups_of(typed, HOSTS)] in ([], ["title"])


@pytest.mark.parametrize(
    ("external_id", "found"),
    [
        ("shikimori:20", Lookup(field="shikimori_id", value="20")),
        ("shikimori:z20-naruto", Lookup(field="shikimori_id", value="20")),
        ("kinopoisk:435", Lookup(field="kinopoisk_id", value="435")),
        ("imdb:tt0409591", Lookup(field="imdb_id", value="tt0409591")),
        ("kodik:serial-6646", Lookup(field="id", value="serial-6646")),
        ("kodik:1999.Two%20words", Lookup(field="title_orig", value="Two words", year=1999)),
        ("kodik:../x", None),
        ("kinopoisk:x", None),
        ("other:1", None),
    ],
)
def test_an_id_is_a_question(external_id: str, found: Lookup | None) -> None:
    assert lookup_of_id(external_id) == found


@pytest.mark.parametrize(
    ("text", "number"), [("20", 20), ("z20", 20), ("z20-naruto", 20), ("naruto", None), ("", None)]
)
def test_letters_of_a_claim_are_cut_off(text: str, number: int | None) -> None:
    assert shikimori_number(text) == number


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("kodikplayer.com", True),
        ("a.kodikplayer.com", True),
        ("evilkodikplayer.com", False),
        ("kodikplayer.com.evil.test", False),
        ("", False),
    ],
)
def test_a_host_below_an_allowed_one_is_allowed_and_a_lookalike_is_not(host: str, allowed: bool) -> None:
    assert is_among(host, HOSTS) is allowed
