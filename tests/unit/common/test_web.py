"""The frame of every service: ids, the inner key, health, figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import request_id

if TYPE_CHECKING:
    from tests.unit.common.conftest import Sample

OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json")


def test_a_request_without_an_id_gets_one(sample: Sample) -> None:
    first, second = (sample.call("GET", "/healthz").headers["X-Request-ID"] for _ in range(2))

    assert first != second
    assert len(first) == 32


def test_a_given_id_is_kept_in_the_answer_and_bound_into_the_log(
    sample: Sample, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    reply = sample.call("GET", "/ends/not_found", headers={"X-Request-ID": "page-12345"})

    assert reply.headers["X-Request-ID"] == "page-12345"
    assert reply.get_json()["request_id"] == "page-12345"
    (line,) = [line for line in log_lines() if line["event"] == "request_served"]
    assert (line["request_id"], line["method"], line["path"], line["status"]) == (
        "page-12345", "GET", "/ends/not_found", 404,
    )  # fmt: skip
    assert line["took_ms"] >= 0


@pytest.mark.parametrize("odd", ["short", "x" * 65, "two words here", 'quote"quote"', "Ы" * 10])
def test_an_odd_id_is_replaced(sample: Sample, odd: str) -> None:
    reply = sample.call("GET", "/healthz", headers={"X-Request-ID": odd})

    assert reply.headers["X-Request-ID"] != odd
    assert len(reply.headers["X-Request-ID"]) == 32


def test_the_id_is_gone_after_the_request(sample: Sample) -> None:
    sample.call("GET", "/healthz")

    assert request_id() == ""


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "Basic an invented key", "Bearer ключ"])
@pytest.mark.parametrize("path", ["/films/1?q=x", "/nowhere"])
def test_without_the_inner_key_every_door_is_shut(sample: Sample, path: str, given: str | None) -> None:
    sample.bearer = {} if given is None else {"Authorization": given}

    reply = sample.call("GET", path)

    assert (reply.status_code, reply.get_json()["code"]) == (401, "key_missing")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert reply.headers["X-Request-ID"]


@pytest.mark.parametrize("path", OPEN)
def test_the_open_paths_need_no_key(sample: Sample, path: str) -> None:
    sample.bearer = {}

    assert sample.call("GET", path).status_code == 200


def test_health_says_that_the_process_lives(sample: Sample) -> None:
    sample.missing["store"] = UpstreamFailed("The store is away.")

    reply = sample.call("GET", "/healthz")

    assert (reply.status_code, reply.get_json()) == (200, {"status": "alive", "service": "sample"})


def test_readiness_names_what_is_missing(sample: Sample) -> None:
    before = sample.call("GET", "/readyz")
    sample.missing["store"] = UpstreamFailed("The store is away.")
    after = sample.call("GET", "/readyz")

    assert (before.status_code, before.get_json()) == (200, {"status": "ready", "missing": {}})
    assert (after.status_code, after.get_json()) == (
        503,
        {"status": "missing", "missing": {"store": "The store is away."}},
    )


def test_requests_are_counted_by_route_and_not_by_what_somebody_typed(sample: Sample) -> None:
    for film in ("a", "b"):
        sample.call("GET", f"/films/{film}?q=x")
    sample.call("GET", "/typed-by-somebody")
    sample.call("INVENTED", "/films/a")

    text = sample.call("GET", "/metrics").get_data(as_text=True)

    counted = 'kinodom_requests_total{method="GET",route="/films/<film_id>",service="sample",status="200"} 2.0'
    assert counted in text
    assert "typed-by-somebody" not in text
    assert "INVENTED" not in text
    assert 'kinodom_request_seconds_count{route="/films/<film_id>",service="sample"}' in text
