"""Kodik's player and media host: from a page to playlists that are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from flask import Response

from kinodom_common.contracts.offers import Offer, Skip
from kinodom_common.egress import AddressRefused
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.kodik import Kodik
from kinodom_resolver.sources.kodik.player import HOSTS_KEPT, KodikBlockedHere, KodikMoved, KodikPlayerFailed
from tests.support.fake_kodik import BLOCKED, TOKEN, TOKEN_ERROR, FakeKodik, result
from tests.support.outside import outside_for
from tests.support.served import served

NARUTO = ("shikimori:20", 1, 2, "735")  # by the player page of the episode
OTHER_VOICE = ("shikimori:20", 1, 2, "609")  # by the page of the whole serial: the result has no seasons
FILM = ("kinopoisk:5", None, None, "610")
POSTED = ("type", "hash", "id", "d", "d_sign", "pd", "pd_sign", "ref", "ref_sign", "bad_user", "cdn_is_working", "info")


@pytest.fixture
def source(kodik: FakeKodik, kodik_source: Kodik) -> Kodik:
    kodik.results.append(result("movie-1", kinopoisk_id="5"))
    return kodik_source


def made(kodik: FakeKodik, *more: str) -> Kodik:
    """Return a source that may also call these sites."""
    options = {"kodik_token": TOKEN, "kodik_api_url": kodik.places["api"], "kodik_player_hosts": "127.0.0.1"}
    source = Kodik.build({**options, "shikimori_url": "http://s.test"}, outside_for(*kodik.places.values(), *more))
    assert source is not None
    return source


def heights(offers: Sequence[Offer]) -> list[int | None]:
    return [one.height_px for one in offers]


def test_an_episode_has_a_playlist_for_each_height_the_highest_first(kodik: FakeKodik, source: Kodik) -> None:
    offers = source.offers(*NARUTO)

    assert heights(offers) == [720, 480, 360]
    best = offers[0]
    assert best.url.startswith(f"{kodik.places['media']}/useruploads/")
    assert best.url.endswith("/720.mp4:hls:manifest.m3u8")
    assert (best.delivery, best.duration_s, best.source) == ("hls", 12.0, "kodik")
    assert best.expires_at == datetime(2099, 1, 1, 9, tzinfo=UTC)


def test_the_request_for_links_holds_what_the_page_signed(kodik: FakeKodik, source: Kodik) -> None:
    source.offers(*NARUTO)

    (form,) = kodik.posted
    assert tuple(sorted(form)) == tuple(sorted(POSTED))
    assert (form["type"], form["id"], form["hash"]) == ("seria", "176239", "9710691db246ca2506446dd34951b402")
    assert form["d_sign"].endswith(":2609140747")
    assert form["ref"].startswith("https://")
    assert (form["bad_user"], form["cdn_is_working"], form["info"]) == ("true", "true", "{}")
    assert kodik.referrers == [f"{kodik.places['player']}/"]


def test_a_voice_without_a_list_of_seasons_is_opened_by_the_page_of_the_serial(kodik: FakeKodik, source: Kodik) -> None:
    offers = source.offers(*OTHER_VOICE)

    assert heights(offers) == [720, 480, 360]
    assert kodik.posted[0]["hash"] == "bc9be41bf9fdf1c487f6c66aa1e52465"  # of the second line of the page's list


@pytest.mark.parametrize("voices_box", [True, False])
def test_a_film_is_opened_with_many_voices_or_one(kodik: FakeKodik, source: Kodik, voices_box: bool) -> None:
    kodik.voices_box = voices_box

    offers = source.offers(*FILM)

    assert heights(offers) == [720, 480, 360]
    assert kodik.posted[0]["type"] == "video"


@pytest.mark.parametrize("wanted", [("shikimori:20", 1, 221, "735"), ("shikimori:20", 2, 1, "735"), (*NARUTO[:3], "1")])
def test_an_episode_that_is_not_there_has_no_offers(
    kodik: FakeKodik, source: Kodik, wanted: tuple[str, int, int, str]
) -> None:
    assert list(source.offers(*wanted)) == []
    assert kodik.posted == []


def test_an_episode_past_the_list_of_the_page_has_no_offers(source: Kodik) -> None:
    assert list(source.offers("shikimori:20", 1, 200, "609")) == []


@pytest.mark.parametrize("name", ["app.serial", "app.player_single", "app.player_new"])
def test_the_script_is_found_under_all_its_names(kodik: FakeKodik, source: Kodik, name: str) -> None:
    kodik.scripts = {"serial": name, "video": name}

    assert heights(source.offers(*NARUTO)) == [720, 480, 360]


def test_an_unknown_script_is_a_failure_with_words(kodik: FakeKodik, source: Kodik) -> None:
    kodik.scripts = {"serial": "bundle", "video": "bundle"}

    with pytest.raises(KodikPlayerFailed, match="newer Kinodom"):
        source.offers(*NARUTO)


def test_the_path_is_looked_up_once_and_again_when_it_changed(kodik: FakeKodik, source: Kodik) -> None:
    source.offers(*NARUTO)
    source.offers(*NARUTO)
    assert kodik.player_asked["script"] == 1
    kodik.post_path = "/gvi"

    offers = source.offers(*NARUTO)

    assert heights(offers) == [720, 480, 360]
    assert kodik.player_asked["script"] == 2


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>500</html>", 500),
        Response("<html>200</html>", 200),
        Response("[]", 200),
        Response('{"links": []}', 200),
        Response("", 302, {"Location": "/x"}),
    ],
)
def test_an_answer_without_links_is_a_failure_and_not_an_endless_search(
    kodik: FakeKodik, source: Kodik, answer: Response
) -> None:
    source.offers(*NARUTO)
    kodik.post_answer = answer
    kodik.posted.clear()

    with pytest.raises(KodikPlayerFailed):
        source.offers(*NARUTO)

    assert len(kodik.posted) == 2


def test_stale_signatures_are_fetched_afresh_once(kodik: FakeKodik, source: Kodik) -> None:
    kodik.stale_times = 1

    offers = source.offers(*NARUTO)

    assert heights(offers) == [720, 480, 360]
    assert sum(count for path, count in kodik.player_asked.items() if path != "script") == 2


def test_signatures_that_stay_stale_are_a_failure_of_the_player_and_not_of_the_token(
    kodik: FakeKodik, source: Kodik
) -> None:
    kodik.stale_times = 10

    with pytest.raises(UpstreamFailed) as caught:
        source.offers(*NARUTO)

    assert caught.value.code == "kodik_player_failed"
    assert TOKEN_ERROR not in caught.value.detail
    assert len(kodik.posted) == 2


def test_rotations_may_change_between_two_calls(kodik: FakeKodik, source: Kodik) -> None:
    for rotation in (18, 13, 0, 25, 18, None, 7):
        kodik.rotation = rotation

        assert heights(source.offers(*NARUTO)) == [720, 480, 360]


def test_proxied_links_work_as_direct_ones(kodik: FakeKodik, source: Kodik) -> None:
    kodik.proxied = True

    offers = source.offers(*NARUTO)

    assert offers[0].url.startswith(f"{kodik.places['media']}/s/m/")
    assert offers[0].expires_at is not None


def test_links_that_cannot_be_read_are_a_failure(kodik: FakeKodik, source: Kodik) -> None:
    links = {"720": [{"src": "rubbish"}], "480": 5, "x": [{}], "360": [{"src": 1}]}
    kodik.post_answer = Response(json.dumps({"links": links}), content_type="application/json")

    with pytest.raises(KodikPlayerFailed, match="newer Kinodom"):
        source.offers(*NARUTO)


def test_a_video_without_links_has_no_offers(kodik: FakeKodik, source: Kodik) -> None:
    kodik.heights = []

    assert list(source.offers(*NARUTO)) == []


@pytest.mark.parametrize("rows", [[240, 360, 480], [360]])
def test_a_missing_height_is_stepped_over(kodik: FakeKodik, source: Kodik, rows: list[int]) -> None:
    kodik.heights = rows

    assert heights(source.offers(*NARUTO)) == sorted(rows, reverse=True)


@pytest.mark.parametrize(
    ("gone", "left"), [({720}, [480, 360]), ({720, 480}, [360]), ({720, 480, 360}, []), ({480}, [720, 480, 360])]
)
def test_a_height_whose_playlist_is_gone_is_stepped_over(
    kodik: FakeKodik, source: Kodik, gone: set[int], left: list[int]
) -> None:
    kodik.gone_heights = gone

    assert heights(source.offers(*NARUTO)) == left


def test_a_playlist_may_be_at_another_host(kodik: FakeKodik, source: Kodik) -> None:
    kodik.node = kodik.places["node"]

    offers = source.offers(*NARUTO)

    assert offers[0].duration_s == 12.0
    assert offers[0].url.startswith(kodik.places["media"])


def test_a_media_host_in_trouble_does_not_cost_the_offers(kodik: FakeKodik, source: Kodik) -> None:
    kodik.expired = True

    offers = source.offers(*NARUTO)

    assert heights(offers) == [720, 480, 360]
    assert offers[0].duration_s is None
    assert sum(kodik.media_asked.values()) == 1


def test_the_opening_and_the_ending_come_with_the_offers(kodik: FakeKodik, source: Kodik) -> None:
    kodik.segment_s = 800.0

    offers = source.offers(*OTHER_VOICE)

    assert offers[0].duration_s == 1600.0
    assert offers[2].skips == (
        Skip(kind="opening", start_s=0.0, end_s=90.0),
        Skip(kind="ending", start_s=1460.0, end_s=1559.0),
    )


def test_an_episode_without_parts_to_skip_has_none(kodik: FakeKodik, source: Kodik) -> None:
    kodik.skip_button = ""

    assert source.offers(*NARUTO)[0].skips == ()


def test_an_offer_of_an_older_resolver_has_no_skips() -> None:
    offer = Offer.model_validate({"source": "kodik", "url": "https://a.test/x", "delivery": "hls"})

    assert offer.skips == ()


def test_a_block_by_country_is_told_as_one(kodik: FakeKodik, source: Kodik) -> None:
    kodik.page_failure = BLOCKED

    with pytest.raises(KodikBlockedHere, match="country"):
        source.offers(*NARUTO)


def test_a_page_that_is_gone_is_not_there(kodik: FakeKodik, source: Kodik) -> None:
    kodik.page_failure = "Извините, но данной страницы не существует"

    with pytest.raises(NotFound):
        source.offers(*NARUTO)


def test_another_error_of_the_page_is_told_in_its_words(kodik: FakeKodik, source: Kodik) -> None:
    for words in ("Технические работы", "Страница временно недоступна"):
        kodik.page_failure = words

        with pytest.raises(KodikPlayerFailed, match=words):
            source.offers(*NARUTO)


def test_a_player_page_that_leads_into_the_home_is_refused(kodik: FakeKodik, source: Kodik) -> None:
    kodik.page_redirect = "http://192.168.1.1/admin"

    with pytest.raises(AddressRefused):
        source.offers(*NARUTO)


def test_a_player_page_that_leads_to_a_host_off_the_list_is_not_read(kodik: FakeKodik) -> None:
    elsewhere = kodik.places["player"].replace("127.0.0.1", "localhost")
    source = made(kodik, elsewhere)
    kodik.page_redirect = f"{elsewhere}/assets/js/x.js"

    with pytest.raises(KodikMoved, match="localhost"):
        source.offers(*NARUTO)

    assert kodik.posted == []


def test_the_paths_of_a_few_hosts_only_are_remembered(kodik: FakeKodik) -> None:
    with ExitStack() as stack:
        players = [stack.enter_context(served(kodik.player_app())) for _ in range(HOSTS_KEPT + 1)]
        source = made(kodik, *players)
        for player in (*players, players[-1], players[0]):
            kodik.places["player"] = player
            source.offers(*NARUTO)

    assert kodik.player_asked["script"] == HOSTS_KEPT + 2
