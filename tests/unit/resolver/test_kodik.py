"""Kodik's catalogue: search, titles, errors, the token."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response

from kinodom_common.egress import OutsideBadStatus, OutsideTimeout, OutsideUnreachable
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_common.logs import set_up_logs
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.ports import Listed
from kinodom_resolver.domain.wall import Wall
from kinodom_resolver.sources.kodik import Kodik
from kinodom_resolver.sources.kodik.api import KodikGarbled, KodikRefused, KodikTokenRefused
from kinodom_resolver.sources.kodik.player import KodikMoved
from kinodom_resolver.sources.kodik.shikimori import ShikimoriTrouble
from tests.support.fake_kodik import (
    NOTHING_TO_SEARCH,
    TOKEN,
    TOKEN_ERROR,
    WRONG_TYPE,
    FakeKodik,
    result,
    sample,
    seasons,
)
from tests.support.fake_shikimori import FakeShikimori
from tests.support.outside import outside_for

SERIAL = "/serial/53973/8ea8930aaf747fd9364e99b03393b655/720p"
FILM = "/video/91873/060cab655974d46835b3f4405807acc2/720p"


@pytest.fixture
def source(kodik_source: Kodik) -> Kodik:
    return kodik_source


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("resolver", "DEBUG", stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def json_answer(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def test_all_voices_of_a_title_are_one_hit(source: Kodik) -> None:
    (hit,) = source.search("Наруто")

    assert (hit.external_id, hit.name, hit.original_name) == ("shikimori:20", "Наруто [ТВ-1]", "Naruto")
    assert (hit.year, hit.kind, hit.episodes) == (2002, "series", 220)
    assert hit.dubs == ("2x2", "AniDUB", "Субтитры")
    assert (hit.shikimori_id, hit.imdb_id) == (20, "tt0409591")
    assert hit.poster_url is not None
    assert hit.description is not None


def test_a_search_is_a_form_with_the_operators_token(kodik: FakeKodik, source: Kodik) -> None:
    source.search("Наруто")

    assert kodik.asked == [
        ("search", {"token": TOKEN, "title": "Наруто", "limit": "100", "with_material_data": "true"})
    ]


def test_nothing_found_is_an_empty_answer(source: Kodik) -> None:
    assert list(source.search("нет такого")) == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("z20", "shikimori_id"),
        ("sh:20", "shikimori_id"),
        ("https://shikimori.io/animes/z20-naruto", "shikimori_id"),
        ("kp:283290", "kinopoisk_id"),
        ("https://www.kinopoisk.ru/series/283290/", "kinopoisk_id"),
        ("tt0409591", "imdb_id"),
        ("https://www.imdb.com/title/tt0409591/", "imdb_id"),
    ],
)
def test_an_id_or_its_page_finds_the_title(kodik: FakeKodik, source: Kodik, typed: str, field: str) -> None:
    hits = source.search(typed)

    assert [hit.external_id for hit in hits] == ["shikimori:20"]
    assert [field in form for _, form in kodik.asked] == [True]


def test_a_pasted_player_page_finds_the_title(kodik: FakeKodik, source: Kodik) -> None:
    hits = source.search(f"{kodik.places['player']}/serial/6646/4698b2bea53c04aa757d3d1ff42fea53/720p")

    assert [hit.external_id for hit in hits] == ["shikimori:20"]


def test_an_address_of_another_site_is_not_asked_for(kodik: FakeKodik, source: Kodik) -> None:
    assert list(source.search("https://example.org/film/435")) == []
    assert kodik.asked == []


def test_a_number_is_searched_as_a_title_and_as_ids(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results.append(result("movie-2", title="20 дней", shikimori_id=None, kinopoisk_id="77"))

    hits = source.search("20")

    assert [hit.external_id for hit in hits] == ["kinopoisk:77", "shikimori:20"]


def test_films_without_any_id_are_grouped_by_name_and_year(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results = [
        result("movie-1", voice=1, voice_name="A"),
        result("movie-2", voice=2, voice_name="B"),
        result("movie-3", voice=1, voice_name="A", year=2005),
    ]

    hits = source.search("Фильм")
    opened = source.title(hits[0].external_id)

    assert [(hit.external_id, hit.dubs) for hit in hits] == [
        ("kodik:1999.Film", ("A", "B")),
        ("kodik:2005.Film", ("A",)),
    ]
    assert (hits[0].kind, hits[0].episodes) == ("film", None)
    assert [one.name for one in opened.translations] == ["A", "B"]
    assert (opened.translations[0].episodes[0].season, opened.translations[0].episodes[0].episode) == (None, None)


def test_one_bad_result_costs_only_itself(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results = [7, {"id": []}, result("movie-1", title={}), result("movie-2", unheard_of=[{}]), None]

    assert [hit.external_id for hit in source.search("Film")] == ["kodik:1999.Film"]


def test_a_title_lists_its_voices_with_their_episodes_voices_first(source: Kodik) -> None:
    title = source.title("shikimori:20")

    assert [(one.translation_id, one.name, one.kind, len(one.episodes)) for one in title.translations] == [
        ("735", "2x2", "voice", 220),
        ("609", "AniDUB", "voice", 220),
        ("869", "Субтитры", "subtitles", 220),
    ]
    assert title.translations[0].language == "ru"
    assert title.translations[2].language is None
    assert title.translations[0].episodes[219].episode == 220


def test_episode_zero_and_a_lone_third_season_stand_in_the_title(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results = [result("serial-1", kinopoisk_id="5", seasons=seasons(3, episodes=(0, 1, 2)), camrip=True)]

    (voice,) = source.title("kinopoisk:5").translations

    assert [(one.season, one.episode) for one in voice.episodes] == [(3, 0), (3, 1), (3, 2)]
    assert voice.name == "AniLibria.TV (filmed in a cinema)"


def test_two_results_of_one_voice_become_one_list_of_episodes(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results = [
        result("serial-1", kinopoisk_id="5", seasons=seasons(2, 1)),
        result("serial-2", kinopoisk_id="5", seasons=seasons(2, 3)),
    ]

    (voice,) = source.title("kinopoisk:5").translations

    assert [one.season for one in voice.episodes] == [1, 1, 2, 2, 3, 3]


def test_each_voice_keeps_its_own_range(kodik: FakeKodik, source: Kodik) -> None:
    kodik.results = [
        result("serial-1", kinopoisk_id="5", voice=1, seasons=seasons(1, episodes=tuple(range(1, 13)))),
        result("serial-2", kinopoisk_id="5", voice=2, last_season=1, last_episode=5, episodes_count=5),
    ]

    title = source.title("kinopoisk:5")

    assert [one.episodes[-1].episode for one in title.translations] == [12, 5]


def test_a_kinopoisk_id_of_several_titles_opens_the_same_one_every_time(kodik: FakeKodik, source: Kodik) -> None:
    later = result("serial-7", title="Вторая", shikimori_id="1735", kinopoisk_id="283290")
    kodik.results = [later, *kodik.results]

    names = {source.title("kinopoisk:283290").card.name for _ in range(2)}
    hits = source.search("kp:283290")

    assert names == {"Наруто [ТВ-1]"}
    assert {hit.external_id for hit in hits} == {"shikimori:1735", "shikimori:20"}


@pytest.mark.parametrize("external_id", ["shikimori:999", "kinopoisk:1", "imdb:tt9999999", "kodik:serial-1", "kodik:x"])
def test_an_unknown_id_is_not_there(source: Kodik, external_id: str) -> None:
    with pytest.raises(NotFound) as caught:
        source.title(external_id)

    assert caught.value.code == "no_such_title"


@pytest.mark.parametrize(("error", "family"), [(NOTHING_TO_SEARCH, KodikRefused), (WRONG_TYPE, KodikRefused)])
def test_an_error_inside_a_500_is_read_and_not_asked_again(
    kodik: FakeKodik, source: Kodik, error: str, family: type[UpstreamFailed]
) -> None:
    kodik.error = error

    with pytest.raises(family, match=error):
        source.search("Наруто")

    assert len(kodik.asked) == 1


def test_a_500_without_its_json_is_trouble_on_the_way(kodik: FakeKodik, source: Kodik) -> None:
    kodik.api_answer = Response("<html>", 500, content_type="text/html")

    with pytest.raises(OutsideBadStatus):
        source.search("Наруто")


@pytest.mark.parametrize("body", ["<html>", "[]", '{"time": "1ms"}', '{"results": {}}', "\xff"])
def test_something_else_than_a_catalogue_is_garbled(kodik: FakeKodik, source: Kodik, body: str) -> None:
    kodik.api_answer = Response(body, 200)

    with pytest.raises(KodikGarbled):
        source.search("Наруто")


def test_a_missing_api_is_not_an_empty_answer(kodik: FakeKodik, source: Kodik) -> None:
    kodik.api_answer = Response("gone", 404)

    with pytest.raises(KodikGarbled, match="KINODOM_KODIK_API_URL"):
        source.search("Наруто")


def test_a_refused_connection_is_could_not_ask(kodik: FakeKodik, source: Kodik) -> None:
    options = {"kodik_token": TOKEN, "kodik_api_url": "http://127.0.0.1:1", "kodik_player_hosts": "127.0.0.1"}
    made = Kodik.build({**options, "shikimori_url": "http://127.0.0.1:1"}, outside_for("http://127.0.0.1:1"))

    assert made is not None
    with pytest.raises(OutsideUnreachable):
        made.search("Наруто")


def test_a_slow_answer_is_could_not_ask() -> None:
    class Slow:
        def post_form(self, url: str, fields: object, **_: object) -> Any:
            raise OutsideTimeout("took too long")

        get = get_json = post_json = post_form

    options = {"kodik_token": TOKEN, "kodik_api_url": "http://k.test", "kodik_player_hosts": "k.test"}
    made = Kodik.build({**options, "shikimori_url": "http://s.test"}, Slow())

    assert made is not None
    with pytest.raises(OutsideTimeout):
        made.search("Наруто")


def test_without_a_token_there_is_no_source_and_no_outcome_in_a_search() -> None:
    listed = [Listed.of(Kodik, Kodik.build({"kodik_api_url": "http://k.test"}, outside_for()))]

    reply = finding.search("Наруто", listed=listed, wall=Wall(), deadline_s=60)

    assert reply.sources == ()
    assert listed[0].note == f"Not configured. {Kodik.needs}"


def test_a_link_at_an_old_host_is_named_and_not_opened(kodik: FakeKodik, source: Kodik) -> None:
    kodik.old_host = True
    assert len(source.title("shikimori:20").translations) == 3

    with pytest.raises(KodikMoved, match=r"kodik\.info"):
        source.offers("shikimori:20", 1, 1, "735")


def test_of_two_results_the_one_at_a_known_host_is_opened(kodik: FakeKodik, source: Kodik) -> None:
    old, new = result("movie-1", kinopoisk_id="5"), result("movie-2", kinopoisk_id="5")
    old["link"] = old["link"].replace("kodikplayer.com", "kodik.info")
    kodik.results = [old, new]

    assert [one.height_px for one in source.offers("kinopoisk:5", None, None, "610")] == [720, 480, 360]


def test_a_token_that_may_not_search_finds_titles_at_shikimori(
    kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori
) -> None:
    kodik.may = {"get-player"}

    hits = source.search("Кулинарные скитания")

    assert [hit.external_id for hit in hits] == ["shikimori:53446", "shikimori:57025"]
    assert hits[0].name == "Кулинарные скитания в параллельном мире"
    assert hits[0].original_name == "Tondemo Skill de Isekai Hourou Meshi"
    assert hits[0].genres[:2] == ("приключения", "комедия")
    assert hits[1].description is None
    assert shikimori.asked == ["POST /api/graphql"]


def test_a_token_that_may_not_search_opens_a_title_by_its_player_page(
    kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori
) -> None:
    kodik.may, kodik.get_player = {"get-player"}, {"53446": SERIAL}

    title = source.title("shikimori:53446")

    assert (title.card.name, title.card.kind) == ("Кулинарные скитания в параллельном мире", "series")
    voices = {one.translation_id: one for one in title.translations}
    assert [one.episode for one in voices["923"].episodes] == list(range(1, 29))
    assert len(voices["3603"].episodes) == 11
    assert [one.kind for one in title.translations][-1] == "subtitles"


@pytest.mark.parametrize("voice", ["923", "963"])
def test_a_token_that_may_not_search_gets_offers_of_any_voice(kodik: FakeKodik, source: Kodik, voice: str) -> None:
    kodik.may, kodik.get_player = {"get-player"}, {"283290": SERIAL}

    offers = source.offers("kinopoisk:283290", 1, 2, voice)

    assert [one.height_px for one in offers] == [720, 480, 360]
    assert kodik.posted[0]["hash"] == "bc9be41bf9fdf1c487f6c66aa1e52465"
    opened = "/serial/53973" if voice == "923" else "/serial/54132"
    assert list(kodik.player_asked)[-2].startswith(opened) or list(kodik.player_asked)[-1].startswith(opened)


def test_a_token_that_may_not_search_opens_a_film_by_an_id_that_was_typed(kodik: FakeKodik, source: Kodik) -> None:
    kodik.may, kodik.get_player = {"get-player"}, {"tt0409591": FILM}

    (hit,) = source.search("tt0409591")
    offers = source.offers("imdb:tt0409591", None, None, "818")

    assert (hit.external_id, hit.kind, len(hit.dubs)) == ("imdb:tt0409591", "film", 9)
    assert len(offers) == 3
    assert kodik.posted[0]["hash"] == "9c161034342aff5e14dacd613f21c209"


def test_an_episode_or_voice_that_the_page_does_not_list_has_no_offers(kodik: FakeKodik, source: Kodik) -> None:
    kodik.may, kodik.get_player = {"get-player"}, {"5": SERIAL}

    assert list(source.offers("kinopoisk:5", 1, 12, "3603")) == []
    assert list(source.offers("kinopoisk:5", 1, 1, "1")) == []
    assert list(source.offers("kinopoisk:5", None, None, "923")) == []
    with pytest.raises(NotFound):
        source.title("kinopoisk:6")


def test_a_token_that_may_do_nothing_is_named_instead_of_giving_titles_that_cannot_be_opened(
    kodik: FakeKodik, source: Kodik
) -> None:
    kodik.may = set()

    for question in (
        lambda: source.search("Кулинарные скитания"),
        lambda: source.title("shikimori:20"),
        lambda: source.offers("shikimori:20", 1, 1, "735"),
    ):
        with pytest.raises(KodikTokenRefused, match="KINODOM_KODIK_TOKEN"):
            question()


@pytest.mark.parametrize("status", [429, 451, 503, 520])
def test_when_shikimori_fails_too_that_is_could_not_ask(
    kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori, status: int
) -> None:
    kodik.may, shikimori.status = {"get-player"}, status

    with pytest.raises(ShikimoriTrouble):
        source.search("Кулинарные скитания")


def test_graphql_errors_and_a_move_to_another_site_are_could_not_ask(
    kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori
) -> None:
    kodik.may, shikimori.graphql_errors = {"get-player"}, True
    with pytest.raises(ShikimoriTrouble):
        source.search("Кулинарные скитания")
    shikimori.moved_to = "http://127.0.0.1:1"

    with pytest.raises(ShikimoriTrouble):
        source.search("Кулинарные скитания")

    assert shikimori.asked == ["POST /api/graphql"] * 2  # the redirect was not followed, back to itself neither


def test_a_title_opens_also_when_shikimori_tells_nothing_of_it(
    kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori
) -> None:
    kodik.may, kodik.get_player, shikimori.status = {"get-player"}, {"53446": SERIAL}, 503

    assert source.title("shikimori:53446").card.name == "Фрирен [ТВ-1]"


def test_odd_cards_of_shikimori_lose_what_is_odd(kodik: FakeKodik, source: Kodik, shikimori: FakeShikimori) -> None:
    kodik.may = {"get-player"}
    shikimori.cards = [
        {
            "id": "z20",
            "name": "Скитания",
            "russian": "",
            "poster": None,
            "english": [None],
            "score": "0.0",
            "kind": "movie",
        },
        {"id": None, "name": "Скитания", "russian": "Скитания"},
        {
            "id": "7",
            "name": "Скитания",
            "russian": "А",
            "description": "[i]x[/i] [character=1]y[/character]",
            "genres": 5,
        },
    ]

    hits = source.search("Скитания")

    assert [(hit.external_id, hit.name, hit.kind, hit.poster_url, hit.description) for hit in hits] == [
        ("shikimori:20", "Скитания", "film", None, None),
        ("shikimori:7", "А", "unknown", None, "x y"),
    ]


def test_without_shikimori_a_token_that_may_not_search_is_named(kodik: FakeKodik) -> None:
    kodik.may = {"get-player"}
    options = {"kodik_token": TOKEN, "kodik_api_url": kodik.places["api"], "kodik_player_hosts": "127.0.0.1"}
    made = Kodik.build({**options, "shikimori_url": "http://s.test"}, outside_for(*kodik.places.values()))

    assert made is not None
    with pytest.raises(KodikTokenRefused):
        made.search("Наруто")


def test_the_token_stands_in_no_log_no_answer_and_no_error(
    kodik: FakeKodik, source: Kodik, logged: io.StringIO
) -> None:
    told: list[str] = []

    def note(question: Any) -> None:
        try:
            value = question()
            told.extend(one.model_dump_json() for one in (value if isinstance(value, list) else [value]))
        except KinodomError as exc:
            told.extend((repr(exc), str(exc.facts), repr(exc.__cause__), str(getattr(exc.__cause__, "facts", ""))))

    # A catalogue that hands the token back in every place that is shown.
    leaking = result(
        "movie-5", title=f"Film {TOKEN}", kinopoisk_id="5", material_data={"description": f"see ?token={TOKEN}"},
        screenshots=[f"https://i.test/x?token={TOKEN}"], other_title=TOKEN,
    )  # fmt: skip
    leaking["link"] += f"?token={TOKEN}"
    leaking["translation"]["title"] = TOKEN
    kodik.results.append(leaking)
    questions = [
        lambda: list(source.search("Film")),
        lambda: source.title("kinopoisk:5"),
        lambda: list(source.offers("kinopoisk:5", None, None, "610")),
        lambda: list(source.search("Наруто")),
        lambda: source.title("shikimori:20"),
    ]
    for question in questions:
        note(question)
    for trouble in (
        json_answer({"error": f"token {TOKEN} is bad"}, 500),
        json_answer({"error": f"bad question {TOKEN}"}, 500),
        json_answer({"error": f"bad question {TOKEN}"}),
        Response(f"<html>{TOKEN}", 500),
        Response(f"<html>{TOKEN}", 200),
        Response("", 302, {"Location": f"{kodik.places['api']}/search?token={TOKEN}"}),
        Response(TOKEN, 404),
    ):
        kodik.api_answer = trouble
        for question in questions:
            note(question)

    assert len(told) > 35
    assert "kodik" in logged.getvalue()
    assert [text for text in told if TOKEN in text] == []
    assert TOKEN not in logged.getvalue()
    assert TOKEN not in repr(vars(source))
    assert all(form["token"] == TOKEN for _, form in kodik.asked)


def test_a_recorded_next_page_loses_its_token(kodik: FakeKodik, source: Kodik) -> None:
    answer = sample("list_anime_serial.json")
    answer["next_page"] = answer["next_page"].replace("TOKEN", TOKEN)
    kodik.api_answer = json_answer(answer)

    hits = source.search("любая")

    assert len(hits) == 2
    assert TOKEN not in str(hits)
    assert TOKEN_ERROR not in str(hits)
