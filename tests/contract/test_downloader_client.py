"""The typed client against the real app with a real store, on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from openapi_spec_validator import validate
from pydantic import HttpUrl, SecretStr

from kinodom_common.clients.downloader import DownloaderClient
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import DiskRoom, QueueStatus, WishEvent, WishRequest
from kinodom_common.errors import Conflict, NotFound, Rejected, UpstreamFailed
from kinodom_common.http import HttpClient
from kinodom_common.logs import bound_request_id
from kinodom_common.store import open_store
from kinodom_downloader.adapters.errands import StoredErrands
from kinodom_downloader.adapters.live_pieces import LivePieces
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.app import create_app
from kinodom_downloader.domain import asking
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.door import Door
from kinodom_downloader.domain.ports import Library
from kinodom_downloader.domain.room import Disk
from kinodom_downloader.settings import WebSettings
from kinodom_downloader.wiring import web
from tests.support.served import served
from tests.support.wants import LoopWants
from tests.support.wish_world import Hints

KEY = "an invented key"
CARD = TitleCard(external_id="demo:salt", name="Соль & moon", poster_url="http://demo/p.jpg")
REQUEST = WishRequest(
    external_id="demo:salt", season=1, episode=0, translation_id="dub_1", height_px=1080, title=CARD, asked_by="v1"
)
NOW_S = 1_790_000_000.0


@dataclass
class News:
    said: list[str] = field(default_factory=list)

    def announce(self, event: WishEvent) -> None:
        self.said.append(event.type)

    def tell_queue(self) -> None:
        self.said.append("the queue")


@dataclass
class Folders:
    """The media folder as far as the desk needs it."""

    cleared: list[str] = field(default_factory=list)

    def clear(self, wish_id: str) -> None:
        self.cleared.append(wish_id)

    def disk(self) -> Disk:
        return Disk(free_bytes=5, total_bytes=9)

    def library_bytes(self) -> int:
        return 3

    def reap(self, is_current: Callable[[str], bool]) -> list[str]:
        return []


@dataclass
class House:
    """The downloader and what its neighbours saw."""

    hints: Hints
    news: News
    folders: Folders
    wishes: StoredWishes
    errands: StoredErrands
    app: Any


@pytest.fixture
def house(tmp_path: Path) -> House:
    url = f"sqlite:///{tmp_path / 'downloader.sqlite'}"
    hints, news, folders, wishes = Hints(), News(), Folders(), StoredWishes(open_store(url))
    desk = asking.Desk(
        wishes=wishes, hints=hints, announcer=news, library=cast("Library", folders), clock=lambda: NOW_S
    )
    settings = WebSettings(
        inner_key=SecretStr(KEY),
        store=url,
        redis_url=SecretStr("redis://nowhere/0"),
        media_root=tmp_path,
        catalogue_url=HttpUrl("http://127.0.0.1:9"),
    )
    pieces = LivePieces(tmp_path)
    door = Door(desk=desk, pieces=pieces, wants=LoopWants(), clock=time.monotonic, pause=time.sleep)
    app = create_app(settings, deps=replace(web(settings), desk=desk, door=door, ready={}))
    errands = StoredErrands(open_store(url))
    return House(hints=hints, news=news, folders=folders, wishes=wishes, errands=errands, app=app)


@pytest.fixture
def url(house: House) -> Iterator[str]:
    with served(house.app) as address:
        yield address


@pytest.fixture
def client(url: str) -> DownloaderClient:
    return DownloaderClient(HttpClient("downloader", url, inner_key=KEY))


def test_a_wish_arrives_whole_and_is_stored_before_the_answer(client: DownloaderClient, house: House) -> None:
    with bound_request_id("page-12345"):
        reply = client.wish(REQUEST)

    assert reply.created
    assert reply.wish.request == REQUEST
    assert (reply.wish.state, reply.wish.attempt) == ("wanted", 0)
    assert house.wishes.get(reply.wish.wish_id).request_id == "page-12345"
    assert house.hints.given == [(reply.wish.wish_id, 0)]
    assert house.news.said == ["queue_status"]


def test_the_same_content_is_one_wish(client: DownloaderClient) -> None:
    first = client.wish(REQUEST)
    again = client.wish(REQUEST.model_copy(update={"asked_by": "v2"}))

    assert (first.created, again.created) == (True, False)
    assert again.wish.wish_id == first.wish.wish_id
    assert len(client.wishes().wishes) == 1


def test_wishes_are_listed_by_id_in_the_order_asked(client: DownloaderClient) -> None:
    made = [client.wish(REQUEST.model_copy(update={"episode": number})).wish.wish_id for number in range(3)]

    listed = client.wishes([made[2], "gone", made[0]])

    assert [wish.wish_id for wish in listed.wishes] == [made[2], made[0]]
    assert len(client.wishes(limit=2).wishes) == 2


@pytest.mark.parametrize("wish_id", ["gone", "a?b", "a b", "a#b", "%2e%2e", "a%2Fretry"])
def test_a_wish_that_is_not_there_is_not_found_under_any_name(client: DownloaderClient, wish_id: str) -> None:
    for call in (client.one, client.retry, client.pause, client.resume, client.forget):
        with pytest.raises(NotFound) as caught:
            call(wish_id)
        assert caught.value.code == "no_such_wish"


def test_an_odd_id_reaches_no_other_wish(client: DownloaderClient) -> None:
    made = client.wish(REQUEST).wish.wish_id

    with pytest.raises(NotFound):
        client.forget(f"{made}?x=1")

    assert client.one(made).wish_id == made


def test_a_refused_wish_tries_again(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id
    house.wishes.change(made, lambda wish: rules.refused(wish, code="no_offer", reason="Nobody.", now_s=NOW_S))
    refused = client.one(made)

    wish = client.retry(made)

    assert (refused.state, refused.reason_code, refused.reason) == ("refused", "no_offer", "Nobody.")
    assert (wish.state, wish.reason) == ("wanted", None)
    assert len(house.hints.given) == 2


def test_a_wish_that_is_being_shown_cannot_be_deleted(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id
    house.wishes.change(made, lambda wish: rules.claim(wish, token="t", now_s=NOW_S))
    house.wishes.change(made, lambda wish: rules.publishing(wish, token="t", now_s=NOW_S))

    with pytest.raises(Conflict) as caught:
        client.forget(made)

    assert caught.value.code == "wish_busy"
    assert house.folders.cleared == []


def test_a_wish_that_runs_is_cancelled_and_its_worker_clears_up(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id
    house.wishes.change(made, lambda wish: rules.claim(wish, token="t", now_s=NOW_S))

    client.forget(made)

    assert (client.wishes().wishes, house.folders.cleared) == ((), [])


def test_a_wish_is_paused_and_resumed(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id

    paused, resumed = client.pause(made), client.resume(made)

    assert (paused.state, resumed.state) == ("paused", "wanted")
    assert len(house.hints.given) == 2


def test_a_wish_is_put_before_another(client: DownloaderClient) -> None:
    first, second = (client.wish(REQUEST.model_copy(update={"episode": n})).wish.wish_id for n in (1, 2))

    moved = client.move(second, first)
    with pytest.raises(Conflict) as caught:
        client.move(first, "gone")

    assert moved.position < client.one(first).position
    assert caught.value.code == "not_in_queue"


def test_the_line_and_what_is_done_are_listed_apart(client: DownloaderClient, house: House) -> None:
    made = [client.wish(REQUEST.model_copy(update={"episode": n})).wish.wish_id for n in range(4)]
    for number in (1, 2):
        house.wishes.change(made[number], lambda wish: rules.claim(wish, token="t", now_s=NOW_S))
    house.wishes.change(made[1], lambda wish: rules.ready(wish, token="t", now_s=NOW_S, size_bytes=5))
    client.move(made[3], made[0])

    line, done = client.wishes(part="line"), client.wishes(part="done")

    assert [wish.wish_id for wish in line.wishes] == [made[2], made[3], made[0]]
    assert [wish.wish_id for wish in done.wishes] == [made[1]]


def test_the_wishes_of_a_title_are_listed(client: DownloaderClient) -> None:
    client.wish(REQUEST)
    other = REQUEST.model_copy(update={"external_id": "demo:" + "x" * 2000})
    made = client.wish(other).wish

    assert client.wishes_of(other.external_id).wishes == (made,)
    assert client.wishes_of("demo:nothing").wishes == ()


def test_more_wishes_than_fit_into_one_line_are_asked_for_in_parts(client: DownloaderClient) -> None:
    made = [client.wish(REQUEST.model_copy(update={"episode": n})).wish.wish_id for n in range(120)]

    listed = client.wishes(made)

    assert [wish.wish_id for wish in listed.wishes] == made


def test_one_press_pauses_resumes_and_tries_all_again(client: DownloaderClient, house: House) -> None:
    made = [client.wish(REQUEST.model_copy(update={"episode": n})).wish.wish_id for n in range(5)]
    house.wishes.change(made[0], lambda wish: rules.claim(wish, token="t", now_s=NOW_S))
    house.wishes.change(made[1], lambda wish: rules.refused(wish, code="c", reason="r", now_s=NOW_S))
    house.wishes.change(made[2], lambda wish: rules.claim(wish, token="u", now_s=NOW_S))
    house.wishes.change(made[2], lambda wish: rules.publishing(wish, token="u", now_s=NOW_S))

    paused = client.change_all("pause").changed
    states = [wish.state for wish in client.wishes(made).wishes]
    retried, resumed = client.change_all("retry").changed, client.change_all("resume").changed

    assert (paused, retried, resumed) == (3, 1, 3)
    assert states == ["paused", "refused", "publishing", "paused", "paused"]
    assert client.queue().wanted == 4


def test_the_queue_is_counted_by_what_is_done_with_its_wishes(client: DownloaderClient, house: House) -> None:
    made = [client.wish(REQUEST.model_copy(update={"episode": n})).wish.wish_id for n in range(5)]
    house.wishes.change(made[0], lambda wish: rules.claim(wish, token="t", now_s=NOW_S))
    house.wishes.change(made[1], lambda wish: rules.claim(wish, token="t", now_s=NOW_S))
    house.wishes.change(made[1], lambda wish: rules.publishing(wish, token="t", now_s=NOW_S))
    house.wishes.change(made[2], lambda wish: rules.refused(wish, code="c", reason="r", now_s=NOW_S))
    client.pause(made[3])

    assert client.queue() == QueueStatus(
        wanted=1, running=2, paused=1, refused=1, parallel=2, free_bytes=5, total_bytes=9
    )


def test_the_disk_is_told(client: DownloaderClient) -> None:
    assert client.disk() == DiskRoom(free_bytes=5, total_bytes=9, library_bytes=3, keep_free_bytes=5 * 10**9)


def test_a_refused_wish_cannot_be_paused(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id
    house.wishes.change(made, lambda wish: rules.refused(wish, code="no_offer", reason="Nobody.", now_s=NOW_S))

    with pytest.raises(Conflict) as caught:
        client.pause(made)

    assert caught.value.code == "nothing_to_pause"


def test_a_deleted_wish_is_gone_with_its_unfinished_files(client: DownloaderClient, house: House) -> None:
    made = client.wish(REQUEST).wish.wish_id

    client.forget(made)

    assert client.wishes().wishes == ()
    assert house.folders.cleared == [made]


def test_without_the_inner_key_nothing_is_stored(url: str, house: House) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        DownloaderClient(HttpClient("downloader", url, inner_key="another")).wish(REQUEST)

    assert caught.value.code == "key_missing"
    assert house.wishes.newest(9) == []


def test_the_openapi_document_is_valid_and_names_every_path(house: House) -> None:
    document = house.app.test_client().get("/openapi.json").get_json()

    validate(document)
    assert set(document["paths"]) == {
        "/disk",
        "/live/{wish_id}/{file}",
        "/live/{wish_id}/{generation}/{file}",
        "/live/{wish_id}/{generation}/pieces/{track}/{index}",
        "/live/{wish_id}/{generation}/slices/{offset}",
        "/queue",
        "/queue/retry",
        "/queue/pause",
        "/queue/resume",
        "/renditions",
        "/renditions/{video_id}/retry",
        "/videos/{video_id}",
        "/videos/{video_id}/file",
        "/videos/{video_id}/restore",
        "/wishes",
        "/wishes/{wish_id}/keep",
        "/wishes/{wish_id}/holes",
        "/wishes/{wish_id}/view",
        "/wishes/{wish_id}",
        "/wishes/{wish_id}/retry",
        "/wishes/{wish_id}/pause",
        "/wishes/{wish_id}/resume",
        "/wishes/{wish_id}/move",
    }


def test_a_removal_is_remembered_while_the_catalogue_is_away(client: DownloaderClient, house: House) -> None:
    removed = client.remove_video("ab" * 32)

    assert removed.restorable_until is None
    assert house.errands.every()[0].video_id == "ab" * 32


def test_what_is_not_in_the_trash_cannot_be_brought_back(client: DownloaderClient) -> None:
    with pytest.raises(NotFound) as caught:
        client.restore_video("ab" * 32)

    assert caught.value.code == "not_in_trash"


@pytest.mark.parametrize("video_id", ["gone", "AB" * 32, "..%2f.." + "a" * 58])
def test_an_id_of_no_video_is_a_bad_request(client: DownloaderClient, video_id: str) -> None:
    with pytest.raises(Rejected) as caught:
        client.remove_video(video_id)

    assert caught.value.code == "bad_request"
