"""Logs: one JSON line per event, whoever speaks and whatever they say."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kinodom_common.logs import bound_request_id, get_log, request_id, set_up_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("sample", stream=stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_facts(stream: io.StringIO) -> None:
    get_log("kinodom.sample").info("wish_taken", wish_id="ab", attempt=2)

    (line,) = lines(stream)
    facts = {"event": "wish_taken", "wish_id": "ab", "attempt": 2, "level": "info", "service": "sample"}
    assert facts.items() <= line.items()
    assert line["logger"] == "kinodom.sample"
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("odd", ["a\nb", "a\r\x1b[2Jb", "a\x9b2Jb", "a\x7fb", "a\u2028b\u0085c"])
def test_control_characters_are_escaped(stream: io.StringIO, odd: str) -> None:
    get_log("kinodom.sample").info("name_seen", name=odd)

    (line,) = lines(stream)
    assert line["name"] == odd
    assert all(character.isprintable() for character in stream.getvalue().removesuffix("\n"))


def test_russian_stays_readable_and_half_a_character_does_no_harm(stream: io.StringIO) -> None:
    get_log("kinodom.sample").info("file_seen", name="Маяк \udcff")

    assert "Маяк" in stream.getvalue()
    assert stream.getvalue().encode()
    assert lines(stream)[0]["name"] == "Маяк \udcff"


def test_logs_of_libraries_are_lines_too(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("slow\nanswer from %s", "there")

    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("slow\nanswer from there", "some.library", "warning")
    assert line["service"] == "sample"


def test_a_traceback_stays_in_its_line(stream: io.StringIO) -> None:
    try:
        int("odd")
    except ValueError as exc:
        get_log("kinodom.sample").error("job_broke", exc_info=exc)

    (line,) = lines(stream)
    assert "ValueError: invalid literal" in line["exception"]


def test_a_thread_that_came_later_names_the_service_too(stream: io.StringIO) -> None:
    thread = threading.Thread(target=lambda: get_log("kinodom.sample").info("thread_began"))
    thread.start()
    thread.join()

    assert lines(stream)[0]["service"] == "sample"


def test_the_request_id_is_bound_inside_the_block_only(stream: io.StringIO) -> None:
    with bound_request_id("12345678"):
        get_log("kinodom.sample").info("inside_seen")
        assert request_id() == "12345678"
    get_log("kinodom.sample").info("outside_seen")

    inside, outside = lines(stream)
    assert inside["request_id"] == "12345678"
    assert "request_id" not in outside
    assert request_id() == ""


def test_the_level_is_kept(stream: io.StringIO) -> None:
    set_up_logs("sample", "WARNING", stream)

    logging.getLogger("some.library").info("chat")

    assert lines(stream) == []
