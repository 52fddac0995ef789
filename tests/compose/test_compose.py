"""The house in containers: it opens by one command, keeps its secrets, and its inner parts stay inside."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_house.demo import Browser, make_films
from tests.support.free_ports import free_port

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).parents[2]
PROJECT = "kinodom-test"


class Containers:
    """The composition under a name and a port of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._environ = {"PATH": os.defpath, "HOME": "/root", "KINODOM_PORT": str(port)}

    def compose(self, *arguments: str, check: bool = True) -> str:
        command = ["docker", "compose", "-p", PROJECT, *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self._environ, capture_output=True, text=True, timeout=800, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def inside(self, service: str, script: str) -> str:
        return self.compose("exec", "-T", service, "bash", "-c", script, check=False)

    def secrets(self) -> str:
        return self.inside("gateway", "cd /run/kinodom && sha256sum *key redis_password_* users.acl")

    def get(self, path: str, host: str = "localhost") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()


def inspected(name: str) -> str:
    return subprocess.run(["docker", "inspect", name], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    running = Containers(free_port())
    try:
        outcome = running.compose("up", "--detach", "--build", "--wait", check=False)
        states = running.compose("ps", "--all", "--format", "json", check=False)
        if running.get("/healthz")[0] != 200 or '"unhealthy"' in states or '"restarting"' in states:
            pytest.fail(
                states[-6000:] + outcome[-2000:] + running.compose("logs", "--no-color", "--tail", "30", check=False)
            )
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout", "10", check=False)


def test_the_first_page_is_served_through_the_one_port(containers: Containers) -> None:
    status, headers, body = containers.get("/")

    assert status == 200
    assert b"Kinodom" in body
    assert "content-security-policy" in headers


def test_another_name_is_refused(containers: Containers) -> None:
    status, _, _ = containers.get("/", host="evil.example")

    assert status == 421


def test_only_the_door_is_published(containers: Containers) -> None:
    lines = containers.compose("ps", "--format", "json").splitlines()

    published = {
        part["Service"]
        for part in map(json.loads, lines)
        for port in part.get("Publishers") or ()
        if port["PublishedPort"]
    }
    assert published == {"nginx"}


def test_a_second_start_keeps_every_secret(containers: Containers) -> None:
    before = containers.secrets()
    containers.compose("up", "--detach", "--wait")

    assert containers.secrets() == before
    assert before.count("\n") == 9


@pytest.mark.parametrize("service", ["gateway", "catalogue", "downloader", "sync", "demo", "redis", "mongo"])
def test_services_that_fetch_nothing_are_on_inner_networks_alone(containers: Containers, service: str) -> None:
    number = containers.compose("ps", "--quiet", service).strip()
    networks = json.loads(inspected(number))[0]["NetworkSettings"]["Networks"]

    # The engine keeps packets of an internal network inside by its packet filter.
    assert [json.loads(inspected(name))[0]["Internal"] for name in networks] == [True] * len(networks)
    assert networks


def test_no_process_may_write_outside_its_folders_or_is_root(containers: Containers) -> None:
    for service in ("gateway", "resolver", "downloader-worker", "nginx"):
        told = containers.inside(service, "id -u; touch /etc/x 2>&1; grep CapEff /proc/self/status")

        assert not told.startswith("0\n")
        assert "Read-only file system" in told
        assert "0000000000000000" in told


def test_what_the_workers_write_nginx_can_read(containers: Containers) -> None:
    containers.inside("downloader-worker", "echo film > /media/library/probe.txt")
    containers.inside("catalogue-worker", "echo cover > /covers/files/probe.txt")

    told = containers.inside(
        "nginx", "cat /media/library/probe.txt /covers/files/probe.txt; touch /media/library/x 2>&1"
    )

    assert told.startswith("film\ncover\n")
    assert "Read-only file system" in told


def test_a_service_that_dies_comes_back(containers: Containers) -> None:
    containers.inside("sync", "kill -9 -1")

    for _ in range(120):
        if containers.get("/socket.io/?EIO=4&transport=polling")[0] != 503:
            return
        time.sleep(0.5)
    pytest.fail("sync did not come back")


def test_a_demo_film_is_made_fetched_packaged_and_served_by_a_signed_link(containers: Containers) -> None:
    address = f"http://127.0.0.1:{containers.port}"
    said: list[str] = []

    make_films(address, say=said.append, limit_s=500)

    browser = Browser(address)
    token = {"X-CSRF-Token": browser.csrf()}
    wishes = browser.ask("/api/v1/wishes")["wishes"]
    assert isinstance(wishes, list)
    video_id = wishes[0]["wish_id"]
    link = browser.ask("/api/v1/links", token, json.dumps({"video_id": video_id}).encode())
    assert "<MPD" in browser.read(str(link["manifest_url"]), {}, None)
    assert containers.get(str(link["manifest_url"]))[0] == 403  # this one brings no cookie
