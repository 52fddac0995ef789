"""Titles, downloads and the queue as a script of the operator asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kinodom_common.errors import UpstreamFailed
from kinodom_common.ids import content_key, title_id_of, video_id_of
from tests.support.gateway import EXTERNAL, TITLE_ID, House, a_house, a_video, a_wish

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

MINE = "an-invented-token-of-a-test"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path, api_tokens=MINE)


def call(house: House, method: str, path: str, body: dict[str, object] | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {MINE}"}
    return house.client().open(f"/api/v1{path}", method=method, json=body, headers=headers)


def told(reply: TestResponse) -> tuple[int, Any]:
    return reply.status_code, reply.get_json()


def test_a_title_is_added_by_its_id_without_a_download(house: House) -> None:
    reply = call(house, "POST", "/titles", {"address": EXTERNAL})

    title_id = title_id_of(EXTERNAL)
    assert (reply.status_code, reply.headers["Location"]) == (201, f"/api/v1/titles/{title_id}")
    assert reply.get_json()["name"] == "The Tin Lighthouse"
    assert house.downloader.asked == []


def test_a_title_that_is_there_is_told_with_its_size(house: House) -> None:
    house.put_on_disk(a_video(1))

    status, problem = told(call(house, "POST", "/titles", {"address": EXTERNAL}))

    assert (status, problem["code"], problem["title_id"], problem["videos_count"]) == (409, "title_there", TITLE_ID, 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"address": "demo:nothing"}, 404, "not_found"),
        ({"address": "https://films.example/nothing"}, 404, "no_such_title"),
        ({"address": EXTERNAL, "source": "nobody"}, 404, "unknown_source"),
        ({"address": EXTERNAL, "source": "kodik"}, 404, "no_such_title"),
        ({"address": "some words"}, 400, "not_an_address"),
        ({"address": ""}, 400, "bad_request"),
        ({}, 400, "bad_request"),
    ],
)
def test_what_cannot_be_added_is_refused_by_name(house: House, body: dict[str, object], status: int, code: str) -> None:
    house.resolver.all_answer = True

    reply = call(house, "POST", "/titles", body)

    assert (reply.status_code, reply.get_json()["code"]) == (status, code)


def test_an_address_that_nobody_could_be_asked_about_is_not_an_unknown_one(house: House) -> None:
    status, problem = told(call(house, "POST", "/titles", {"address": "https://films.example/nothing"}))

    assert (status, problem["code"], problem["detail"]) == (502, "upstream_failed", "No answer in 4 s.")


def test_titles_are_searched_sifted_sorted_and_paged(house: House) -> None:
    query = "?q=tin&sort=size&on_disk=true&kind=film&limit=5&after=t1"

    reply = call(house, "GET", f"/titles{query}")

    assert reply.status_code == 200
    assert house.catalogue.asked == [{"sort": "size", "on_disk": True, "kind": "film", "limit": 5, "after": "t1"}]


def test_a_title_is_refreshed_from_its_source(house: House) -> None:
    house.put_on_disk(a_video(1))

    status, _ = told(call(house, "POST", f"/titles/{TITLE_ID}/refresh"))

    assert status == 202
    assert [(title_id, card.year) for title_id, card in house.catalogue.refreshed] == [(TITLE_ID, 2026)]


def test_a_refresh_says_that_the_source_could_not_be_asked(house: House) -> None:
    house.put_on_disk(a_video(1))
    house.resolver.error = UpstreamFailed("The demo site does not answer.")

    status, problem = told(call(house, "POST", f"/titles/{TITLE_ID}/refresh"))

    assert (status, problem["detail"]) == (502, "The demo site does not answer.")


def test_a_batch_tells_what_came_of_each_item(house: House) -> None:
    house.put_on_disk(a_video(1))
    body: dict[str, object] = {"add": [EXTERNAL, "demo:nothing"], "refresh": [TITLE_ID], "delete": ["gone"]}

    status, reply = told(call(house, "POST", "/titles/batch", body))

    assert status == 200
    assert [(one["act"], one["outcome"], one["code"]) for one in reply["results"]] == [
        ("add", "refused", "title_there"),
        ("add", "refused", "not_found"),
        ("refresh", "done", None),
        ("delete", "refused", "not_found"),
    ]
    assert reply["results"][0]["title_id"] == TITLE_ID


def test_a_title_leaves_with_its_films_and_the_answer_names_them(house: House) -> None:
    house.put_on_disk(a_video(1), a_video(2))

    status, removed = told(call(house, "DELETE", f"/titles/{TITLE_ID}"))

    gone = [a_video(number).video_id for number in (1, 2)]
    assert (status, [one["video_id"] for one in removed["videos"]]) == (200, gone)
    assert house.downloader.done == [("remove", video_id) for video_id in gone]
    assert house.catalogue.pages == {}


def test_a_title_without_films_leaves_and_then_is_unknown(house: House) -> None:
    house.put_on_disk()

    answers = [told(call(house, "DELETE", f"/titles/{TITLE_ID}")) for _ in range(2)]

    assert answers[0] == (200, {"title_id": TITLE_ID, "videos": []})
    assert (answers[1][0], answers[1][1]["code"]) == (404, "not_found")


def test_a_batch_has_an_end(house: House) -> None:
    reply = call(house, "POST", "/titles/batch", {"delete": ["t"] * 51})

    assert (reply.status_code, reply.get_json()["code"]) == (400, "bad_request")


def test_a_download_begins_with_202_and_the_place_to_look(house: House) -> None:
    reply = call(house, "POST", "/downloads", {"address": EXTERNAL, "episodes": "1-2"})

    [first, second] = reply.get_json()["results"]
    assert (reply.status_code, first["outcome"], second["outcome"]) == (202, "made", "made")
    assert reply.headers["Location"] == f"/api/v1/wishes/{first['wish_id']}"
    assert [request.translation_id for request in house.downloader.asked] == ["prichal", "prichal"]


def wish_id(episode: int, height_px: int | None = None) -> str:
    return video_id_of(content_key(EXTERNAL, 1, episode, "prichal", height_px))


def test_what_is_on_its_way_is_refused_with_its_wish(house: House) -> None:
    house.downloader.kept = [a_wish("waiting", 2, wish_id=wish_id(2))]

    status, problem = told(call(house, "POST", "/downloads", {"address": EXTERNAL, "episodes": "2"}))

    assert (status, problem["code"], problem["wish_id"], problem["state"]) == (
        409, "download_there", wish_id(2), "waiting",
    )  # fmt: skip
    assert house.downloader.asked == []


def test_what_is_on_the_disk_is_refused_with_its_size(house: House) -> None:
    house.put_on_disk(a_video(1))
    house.downloader.kept = [a_wish("ready", 1, wish_id=wish_id(1, 720))]
    body: dict[str, object] = {"address": TITLE_ID, "episodes": "1", "height_px": 720}

    status, problem = told(call(house, "POST", "/downloads", body))

    assert (status, problem["code"], problem["size_bytes"]) == (409, "download_there", 5_000_000)


def test_of_a_range_only_what_is_not_there_is_asked_for(house: House) -> None:
    house.downloader.kept = [a_wish("paused", 2, wish_id=wish_id(2))]

    status, reply = told(call(house, "POST", "/downloads", {"address": EXTERNAL, "episodes": "1-4"}))

    assert status == 202
    assert [(one["episode"], one["outcome"]) for one in reply["results"]] == [
        (1, "made"), (2, "there"), (3, "made"), (4, "refused"),
    ]  # fmt: skip
    assert [request.episode for request in house.downloader.asked] == [1, 3]


def test_what_was_refused_before_may_be_asked_for_again(house: House) -> None:
    house.downloader.kept = [a_wish("refused", 2, wish_id=wish_id(2))]

    status, reply = told(call(house, "POST", "/downloads", {"address": EXTERNAL, "episodes": "2"}))

    assert (status, reply["created"], len(house.downloader.asked)) == (202, 1, 1)


def test_what_is_ready_and_not_on_the_disk_any_more_may_be_asked_for_again(house: House) -> None:
    house.downloader.kept = [a_wish("ready", 2, wish_id=wish_id(2))]

    status, reply = told(call(house, "POST", "/downloads", {"address": EXTERNAL, "episodes": "2"}))

    assert (status, reply["created"], len(house.downloader.asked)) == (202, 1, 1)


def test_what_is_on_the_disk_is_listed_and_told(house: House) -> None:
    house.put_on_disk(a_video(1), a_video(2))

    listed = call(house, "GET", "/videos?limit=1").get_json()
    one = call(house, "GET", f"/videos/{a_video(2).video_id}")

    assert (len(listed["videos"]), listed["total"]) == (1, 2)
    assert one.get_json()["size_bytes"] == 5_000_000
    assert call(house, "GET", f"/videos/{'0' * 64}").status_code == 404


def test_the_queue_says_how_it_stands(house: House) -> None:
    states = ["running", *["wanted"] * 3, "paused", "paused"]
    house.downloader.kept = [a_wish(state, number) for number, state in enumerate(states)]

    status, queue = told(call(house, "GET", "/queue"))

    assert status == 200
    assert (queue["running"], queue["wanted"], queue["paused"], queue["parallel"]) == (1, 3, 2, 2)
    assert (queue["free_bytes"], queue["total_bytes"]) == (5, 9)
