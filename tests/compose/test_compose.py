"""The house in containers: it opens by one command, keeps its secrets, and its inner parts stay inside."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.containers import Containers, inspected

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]


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
    assert before.count("\n") == 10  # five keys, four passwords, the rights


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
