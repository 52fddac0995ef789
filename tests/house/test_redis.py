"""The real Redis with the generated files: what each user may do, and that nothing is lost over a kill."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from kinodom_house.prepare import write_secrets
from kinodom_house.probes import RedisProbe
from tests.support.free_ports import free_port

USERS = {"sync": "kd:room", "downloader": "rq:", "catalogue": "rq:", "resolver": "kd:resolver:"}


class RunningRedis:
    """Redis over one folder, which can be killed and started again."""

    def __init__(self, root: Path) -> None:
        self.secrets = root / "secrets"
        self.port = free_port()
        for folder in (self.secrets, root / "redis"):
            folder.mkdir()
        write_secrets(
            self.secrets,
            redis_host="127.0.0.1",
            redis_port=self.port,
            redis_bind="127.0.0.1",
            redis_folder=str(root / "redis"),
        )
        self.log = root / "redis.log"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = ["redis-server", str(self.secrets / "redis.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(200):
            if RedisProbe(self.port).is_ready():
                return
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def as_user(self, user: str) -> Redis:
        url = (self.secrets / f"redis_url_{user}").read_text().strip()
        return Redis.from_url(url, decode_responses=True)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    running = RunningRedis(tmp_path_factory.mktemp("redis"))
    yield running
    running.kill()


def test_no_write_of_any_user_is_lost_by_a_kill(redis: RunningRedis) -> None:
    for user, keys in USERS.items():
        with redis.as_user(user) as connection:
            connection.set(f"{keys}plain", user)
            with connection.pipeline(transaction=True) as pipe:
                pipe.set(f"{keys}multi", user).execute()
            connection.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, f"{keys}lua", user)
    time.sleep(1.2)  # everysec: the promise begins a second after the write

    redis.kill()
    redis.start()

    for user, keys in USERS.items():
        with redis.as_user(user) as connection:
            assert [connection.get(f"{keys}{way}") for way in ("plain", "multi", "lua")] == [user] * 3
    assert "NOPERM" not in redis.log.read_text()


@pytest.mark.parametrize("user", USERS)
def test_a_user_may_not_touch_the_keys_of_others(redis: RunningRedis, user: str) -> None:
    with redis.as_user(user) as connection:
        for other in set(USERS.values()) - {USERS[user]}:
            with pytest.raises(NoPermissionError):
                connection.get(f"{other}x")


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("command", [("CONFIG", "GET", "*"), ("FLUSHALL",), ("ACL", "LIST"), ("DEBUG", "SLEEP", "0")])
def test_nobody_may_govern_redis(redis: RunningRedis, user: str, command: tuple[str, ...]) -> None:
    with redis.as_user(user) as connection, pytest.raises((NoPermissionError, ResponseError)):
        connection.execute_command(*command)


@pytest.mark.parametrize("user", ["sync", "downloader", "catalogue"])
def test_services_with_news_may_tell_and_hear_them(redis: RunningRedis, user: str) -> None:
    with redis.as_user(user) as connection, connection.pubsub() as hearing:
        hearing.subscribe("kd:downloads")
        hearing.get_message(timeout=2)
        connection.publish("kd:downloads", "news")
        heard = hearing.get_message(timeout=2)

    assert heard is not None
    assert heard["data"] == "news"


def test_the_resolver_has_no_channel(redis: RunningRedis) -> None:
    with redis.as_user("resolver") as connection, pytest.raises(NoPermissionError):
        connection.publish("kd:downloads", "x")


def test_the_clock_of_redis_can_be_read_by_scripts(redis: RunningRedis) -> None:
    with redis.as_user("sync") as connection:
        moment = connection.eval("return redis.call('TIME')[1]", 0)

    assert str(moment).isdecimal()


def test_a_queue_user_can_do_what_a_queue_needs(redis: RunningRedis) -> None:
    with redis.as_user("downloader") as connection:
        connection.client_list()
        connection.info("server")
        connection.client_setname("worker")
        connection.rpush("rq:queue:hints", "a")
        assert connection.blmove("rq:queue:hints", "rq:queue:hints:intermediate", 1, "RIGHT", "LEFT") == "a"
        connection.zadd("rq:wip", {"a": 1})
        connection.hset("rq:job:a", mapping={"status": "queued"})


def test_nobody_gets_in_without_a_name(redis: RunningRedis) -> None:
    with Redis(port=redis.port) as nobody, pytest.raises(AuthenticationError):
        nobody.get("x")


def test_the_health_user_may_ping_and_nothing_else(redis: RunningRedis) -> None:
    with Redis(port=redis.port, username="health", password="x") as health, pytest.raises(NoPermissionError):
        health.get("kd:room")
