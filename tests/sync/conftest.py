from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.redis_server import RedisServer
from tests.support.sync_service import SyncService, Viewer


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def replicas(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SyncService, SyncService]]:
    folder = tmp_path_factory.mktemp("sync")
    pair = SyncService(folder, redis_server.url), SyncService(folder, redis_server.url)
    yield pair
    for service in pair:
        service.stop()
    for service in pair:
        assert "Traceback" not in service.log.read_text()


@pytest.fixture(scope="module")
def service(replicas: tuple[SyncService, SyncService]) -> SyncService:
    return replicas[0]


@pytest.fixture
def viewer() -> Iterator[Callable[..., Viewer]]:
    """Makes viewers and lets them go at the end."""
    made: list[Viewer] = []

    def make(service: SyncService, name: str, room_id: str | None = None, **options: object) -> Viewer:
        made.append(Viewer(service, name, **options))  # type: ignore[arg-type]
        if room_id is not None:
            made[-1].enter(room_id)
        return made[-1]

    yield make
    for one in made:
        one.leave()
