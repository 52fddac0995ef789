"""The store's suite on the image that the house is deployed with, and a sign of life of its Redis."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import redis
from testcontainers.core.container import DockerContainer  # type: ignore[import-untyped]

from kinodom_common.ids import new_id
from tests.support.documents_suite import DocumentsSuite
from tests.support.mongod import wait_for_ping

pytestmark = [pytest.mark.containers, pytest.mark.filterwarnings("ignore::DeprecationWarning:testcontainers")]

START_TIMEOUT_S = 30.0


@pytest.fixture(scope="module", autouse=True)
def ryuk_off() -> Iterator[None]:
    """Each test stops its own containers; the helper that would do it needs an image and a privileged socket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        patch.setattr("testcontainers.core.config.testcontainers_config.ryuk_disabled", True, raising=False)
        yield


@pytest.fixture(scope="module")
def mongo_server(ryuk_off: None) -> Iterator[str]:
    container = DockerContainer("mongo:8.0").with_exposed_ports(27017)
    try:
        container.start()
        url = f"mongodb://{container.get_container_host_ip()}:{container.get_exposed_port(27017)}"
        wait_for_ping(url, START_TIMEOUT_S)
        yield url
    finally:
        container.stop()


class TestMongoContainer(DocumentsSuite):
    """The image; a database of its own for each test."""

    @pytest.fixture
    def url(self, mongo_server: str) -> str:
        return f"{mongo_server}/t{os.getpid()}{new_id()[:6].lower().replace('-', 'x')}"


def test_the_redis_image_answers(ryuk_off: None) -> None:
    container = DockerContainer("redis:8").with_exposed_ports(6379)
    try:
        container.start()
        host, port = container.get_container_host_ip(), int(container.get_exposed_port(6379))
        deadline_s = time.monotonic() + START_TIMEOUT_S
        answered = False
        with redis.Redis(host=host, port=port, socket_timeout=1, socket_connect_timeout=1) as client:
            while not answered and time.monotonic() < deadline_s:
                try:
                    answered = bool(client.ping())
                except redis.exceptions.RedisError:
                    answered = False
    finally:
        container.stop()

    assert answered
