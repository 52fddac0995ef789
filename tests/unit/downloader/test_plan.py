from __future__ import annotations

from dataclasses import replace

import pytest

from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan, kept_tracks

SEGMENTS = (
    Segment(url="https://a/i?t=1", is_init=True, offset=0, length=700),
    Segment(url="https://a/1?t=1", duration_s=2.0, key_url="https://a/k?t=1", iv_hex="00" * 16),
    Segment(url="https://a/2?t=1", duration_s=1.5, breaks=True),
)
TRACK = TrackPlan(role="video", segments=SEGMENTS, height_px=720, bandwidth=1000, name="Имя")
PLAN = Plan(tracks=(TRACK, replace(TRACK, role="audio", language="ru")), duration_s=3.5, total_bytes=10)


def changed(**values: object) -> Plan:
    first = replace(SEGMENTS[1], **values)  # type: ignore[arg-type]
    return replace(PLAN, tracks=(replace(TRACK, segments=(SEGMENTS[0], first, SEGMENTS[2])), PLAN.tracks[1]))


def test_a_plan_is_the_same_after_json() -> None:
    assert Plan.from_json(PLAN.as_json()) == PLAN


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1, "tracks": [{}]}', "null"])
def test_a_plan_that_cannot_be_read_is_none(text: str) -> None:
    assert Plan.from_json(text) is None


def test_fresh_addresses_keep_what_is_finished() -> None:
    fresh = changed(url="https://b/1?t=2", key_url="https://b/k?t=2")

    assert kept_tracks(PLAN, fresh) == {0, 1}


@pytest.mark.parametrize(
    "values",
    [{"duration_s": 2.1}, {"key_url": None}, {"iv_hex": "01" * 16}, {"breaks": True}, {"offset": 5, "length": 9}],
)
def test_another_cut_of_the_film_starts_that_track_over(values: dict[str, object]) -> None:
    assert kept_tracks(PLAN, changed(**values)) == {1}


def test_another_height_starts_over() -> None:
    other = replace(PLAN, tracks=(replace(TRACK, height_px=1080), PLAN.tracks[1]))

    assert kept_tracks(PLAN, other) == {1}
    assert kept_tracks(None, PLAN) == frozenset()
