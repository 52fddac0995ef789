"""Every way to fail gives one document: RFC 9457 with our code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.common.conftest import Sample


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("not_found", 404, "no_such_film"),
        ("rejected", 400, "rejected"),
        ("conflict", 409, "conflict"),
        ("forbidden", 403, "forbidden"),
        ("upstream", 502, "upstream_failed"),
        ("no_space", 507, "no_space"),
        ("unknown_family", 500, "internal"),
    ],
)
def test_a_family_has_its_status_and_a_leaf_its_code(sample: Sample, how: str, status: int, code: str) -> None:
    reply = sample.call("GET", f"/ends/{how}")

    assert reply.status_code == status
    assert reply.content_type == "application/problem+json"
    assert (reply.get_json()["status"], reply.get_json()["code"]) == (status, code)


def test_facts_stand_under_their_names_and_overwrite_nothing(sample: Sample) -> None:
    told = sample.call("GET", "/ends/not_found").get_json()
    odd = sample.call("GET", "/ends/odd_facts").get_json()

    assert (told["title"], told["detail"], told["film"]) == ("No such film", "It is not here.", "salt")
    assert (odd["status"], odd["code"]) == (400, "rejected")


@pytest.mark.parametrize(("how", "after"), [("upstream", "30"), ("conflict", "1"), ("odd_facts", None)])
def test_retry_after_is_whole_seconds_and_never_too_early(sample: Sample, how: str, after: str | None) -> None:
    reply = sample.call("GET", f"/ends/{how}")

    assert reply.headers.get("Retry-After") == after
    assert reply.status_code != 500


def test_a_wrong_shape_names_the_fields_and_repeats_nothing(sample: Sample) -> None:
    body = {"name": "x" * 21, "year": "nineteen", "secret_word": "hush"}

    reply = sample.call("POST", "/films", json=body)

    problem = reply.get_json()
    assert (reply.status_code, problem["code"]) == (400, "bad_request")
    assert {mistake["field"] for mistake in problem["mistakes"]} == {"name", "year", "secret_word"}
    assert not {"xxxxx", "nineteen", "hush"} & set(reply.get_data(as_text=True).split('"'))


def test_the_name_of_an_unknown_field_is_cut(sample: Sample) -> None:
    reply = sample.call("POST", "/films", json={"name": "Salt", "y" * 5000: 1})

    assert reply.status_code == 400
    assert len(reply.get_data()) < 1000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000])
def test_what_is_not_json_is_a_bad_request(sample: Sample, body: bytes) -> None:
    reply = sample.call("POST", "/films", data=body)

    assert (reply.status_code, reply.get_json()["code"]) == (400, "bad_request")
    assert "JSON" in reply.get_json()["detail"]


def test_flask_own_errors_are_problems_too(sample: Sample) -> None:
    gone = sample.call("GET", "/nowhere")
    method = sample.call("DELETE", "/films")
    large = sample.call("POST", "/films", data=b" " * (256 * 1024 + 1))

    found = [(reply.status_code, reply.get_json()["code"], reply.content_type) for reply in (gone, method, large)]
    assert found == [
        (404, "no_such_page", "application/problem+json"),
        (405, "method_not_allowed", "application/problem+json"),
        (413, "body_too_large", "application/problem+json"),
    ]
    assert set(method.headers["Allow"].replace(" ", "").split(",")) == {"POST", "OPTIONS"}


def test_an_unexpected_error_hides_its_words_and_gives_the_request_id(
    sample: Sample, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    reply = sample.call("GET", "/ends/broken", headers={"X-Request-ID": "abcdef0123"})

    problem = reply.get_json()
    assert (reply.status_code, problem["code"], problem["request_id"]) == (500, "internal", "abcdef0123")
    assert "secret of the house" not in reply.get_data(as_text=True)
    broke = next(line for line in log_lines() if line["event"] == "request_broke")
    assert "the secret of the house" in broke["exception"]
    assert broke["request_id"] == "abcdef0123"


def test_a_wrong_shape_of_our_own_is_our_mistake_and_not_the_callers(
    sample: Sample, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    reply = sample.call("GET", "/ends/broken_shape")

    assert (reply.status_code, reply.get_json()["code"]) == (500, "internal")
    assert any(line["event"] == "request_broke" for line in log_lines())
