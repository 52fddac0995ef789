"""The typed client against the real app, on loopback, over a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from kinodom_common.clients.sync import SyncClient
from kinodom_common.contracts.rooms import RoomItem, RoomRequest
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_common.http import HttpClient
from kinodom_sync.app import create_app
from kinodom_sync.settings import Settings
from tests.support.redis_server import RedisServer
from tests.support.served import served

KEY = "an invented key"
FIRST, SECOND = "a" * 64, "b" * 64


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path).start()
    yield server
    server.stop()


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[SyncClient]:
    settings = Settings(
        inner_key=SecretStr(KEY), redis_url=SecretStr(redis_server.url), member_key=SecretStr("another invented key")
    )
    with served(create_app(settings)) as url:
        yield SyncClient(HttpClient("sync", url, inner_key=KEY))


def request(item: str = FIRST, pos_ms: float = 0.0) -> RoomRequest:
    film = RoomItem(video_id=FIRST, label="Жестяной маяк & more", duration_ms=90_000.5)
    return RoomRequest(title_id="t1", name="Маяк", items=(film,), item=item, pos_ms=pos_ms, owner="ann")


def test_a_room_is_made_paused_where_its_maker_is_and_arrives_whole(client: SyncClient) -> None:
    made = client.create_room(request(pos_ms=1234.5))

    assert client.room(made.room_id) == made
    assert client.rooms().rooms == (made,)
    assert (made.name, made.title_id, made.items) == ("Маяк", "t1", request().items)
    assert (made.vec.item, made.vec.pos_ms, made.vec.rate, made.vec.v) == (FIRST, 1234.5, 0, 0)
    assert made.members == 0


def test_a_position_beyond_the_end_is_held_inside(client: SyncClient) -> None:
    made = client.create_room(request(pos_ms=1e9))

    assert made.vec.pos_ms == 89_900.5


@pytest.mark.parametrize("room_id", ["nothing", "../rooms", "a b?c=1&d#e"])
def test_a_room_that_is_not_there_is_not_found(client: SyncClient, room_id: str) -> None:
    with pytest.raises(NotFound):
        client.room(room_id)


def test_a_room_cannot_begin_with_a_video_it_does_not_hold(client: SyncClient) -> None:
    with pytest.raises(Rejected) as refused:
        client.create_room(request(item=SECOND))

    assert refused.value.code == "room_item_unknown"


def test_without_redis_the_rooms_could_not_be_asked(client: SyncClient, redis_server: RedisServer) -> None:
    redis_server.stop()

    with pytest.raises(UpstreamFailed) as away:
        client.rooms()

    assert away.value.code == "rooms_away"
