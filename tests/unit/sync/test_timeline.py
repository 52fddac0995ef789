from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_common.contracts.rooms import Op, Vec
from kinodom_sync.domain.timeline import Timeline, apply, position_at

FIRST, SECOND, MISSING = "a" * 64, "b" * 64, "c" * 64
LENGTHS_MS = {FIRST: 7_200_000.0, SECOND: 1_500_000.0}
NOW_MS = 1_700_000_000_000.0


def line(*, pos_ms: float = 1000.0, rate: float = 0.0, at_ms: float = NOW_MS, v: int = 5) -> Timeline:
    vec = Vec(epoch="e", v=v, item=FIRST, pos_ms=pos_ms, rate=rate, at_ms=at_ms, by="ann", op="seek")
    return Timeline(vec=vec, lengths_ms=LENGTHS_MS)


def op(kind: str, *, opid: str = "opid-0001", base_v: int = 5, epoch: str = "e", **fields: object) -> Op:
    return Op.model_validate({"opid": opid, "epoch": epoch, "base_v": base_v, "kind": kind, **fields})


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        # (pos, rate), operation → (pos, rate, at - now)
        ((1000, 0), op("play"), (1000, 1, 400)),
        ((1000, 0), op("play", lead_ms=700), (1000, 1, 700)),
        ((1000, 0), op("play", pos_ms=5000), (5000, 1, 400)),
        ((1000, 0), op("play", rate=1.5), (1000, 1.5, 400)),
        ((1000, 1), op("play"), (3000, 1, 0)),
        ((1000, 1), op("play", pos_ms=9000), (9000, 1, 400)),
        ((1000, 1), op("pause"), (3100, 0, 100)),
        ((1000, 2), op("pause"), (5200, 0, 100)),
        ((1000, 0), op("pause"), (1000, 0, 100)),
        ((1000, 1), op("seek", pos_ms=60_000), (60_000, 1, 400)),
        ((1000, 0), op("seek", pos_ms=60_000), (60_000, 0, 0)),
        ((1000, 0), op("seek", pos_ms=1e9), (7_199_900, 0, 0)),
        ((7_199_000, 1), op("pause"), (7_199_900, 0, 100)),
        ((1000, 1), op("rate", rate=2), (3000, 2, 0)),
        ((1000, 0), op("rate", rate=2), (1000, 0, 0)),
        ((1000, 1), op("item", item=SECOND), (0, 1, 400)),
        ((1000, 0), op("item", item=SECOND), (0, 0, 0)),
        ((1000, 0), op("item", item=SECOND, pos_ms=1e9), (1_499_900, 0, 0)),
    ],
)
def test_an_operation_makes_this_vector(
    before: tuple[float, float], asked: Op, expected: tuple[float, float, float]
) -> None:
    room = line(pos_ms=before[0], rate=before[1], at_ms=NOW_MS - 2000)

    after, answer = apply(room, asked, by="bob", now_ms=NOW_MS)

    assert answer.status == "applied"
    assert answer.vec == after.vec
    assert (after.vec.pos_ms, after.vec.rate, after.vec.at_ms - NOW_MS) == expected
    assert (after.vec.v, after.vec.by, after.vec.op) == (6, "bob", asked.kind)


def test_the_same_opid_gets_the_first_answer_and_changes_nothing() -> None:
    room, first = apply(line(), op("play"), by="ann", now_ms=NOW_MS)
    room, _ = apply(room, op("seek", opid="opid-0002", pos_ms=9000), by="bob", now_ms=NOW_MS + 50)

    again, answer = apply(room, op("play"), by="ann", now_ms=NOW_MS + 100)

    assert (answer.status, answer.vec) == ("duplicate", first.vec)
    assert again.vec == room.vec


def test_a_refusal_is_repeated_as_it_was() -> None:
    room, first = apply(line(), op("play", epoch="other"), by="ann", now_ms=NOW_MS)

    _, answer = apply(room, op("play"), by="ann", now_ms=NOW_MS + 100)

    assert answer == first
    assert answer.status == "stale"


def test_an_opid_of_somebody_else_is_another_operation() -> None:
    room, _ = apply(line(), op("play"), by="ann", now_ms=NOW_MS)

    _, answer = apply(room, op("pause"), by="bob", now_ms=NOW_MS + 100)

    assert answer.status == "applied"


def test_an_opid_is_forgotten_after_a_minute() -> None:
    room, _ = apply(line(), op("pause"), by="ann", now_ms=NOW_MS)

    _, answer = apply(room, op("pause"), by="ann", now_ms=NOW_MS + 60_000)

    assert answer.status == "applied"


@pytest.mark.parametrize(
    ("asked", "status", "detail"),
    [
        (op("play", epoch="before the restart"), "stale", "epoch"),
        (op("item", item=MISSING), "invalid", "item"),
        (op("item"), "invalid", "item"),
        (op("seek"), "invalid", "pos_ms"),
        (op("rate"), "invalid", "rate"),
    ],
)
def test_an_operation_that_cannot_be_done_leaves_the_room_alone(asked: Op, status: str, detail: str) -> None:
    room = line(rate=1)

    after, answer = apply(room, asked, by="bob", now_ms=NOW_MS)

    assert (answer.status, answer.detail, answer.vec) == (status, detail, room.vec)
    assert after.vec == room.vec


def test_two_who_press_next_advance_once() -> None:
    room, first = apply(line(rate=1), op("item", item=SECOND), by="ann", now_ms=NOW_MS)

    room, second = apply(room, op("item", item=SECOND, opid="opid-0002"), by="bob", now_ms=NOW_MS + 30)

    assert (first.status, second.status, second.detail) == ("applied", "stale", "item")
    assert room.vec.v == 6


@pytest.mark.parametrize(
    ("by", "base_v", "after_ms", "status"),
    [
        ("bob", 5, 499, "stale"),
        ("bob", 5, 500, "applied"),
        ("bob", 6, 100, "applied"),  # bob has seen the pause
        ("ann", 5, 100, "applied"),  # it was ann's own
    ],
)
def test_a_fresh_pause_wins_over_a_play_that_had_not_seen_it(
    by: str, base_v: int, after_ms: float, status: str
) -> None:
    room, _ = apply(line(rate=1), op("pause"), by="ann", now_ms=NOW_MS)

    _, answer = apply(room, op("play", opid="opid-0002", base_v=base_v), by=by, now_ms=NOW_MS + after_ms)

    assert answer.status == status


def test_a_speed_chosen_while_paused_is_that_of_the_next_play() -> None:
    room, _ = apply(line(), op("rate", rate=1.25), by="ann", now_ms=NOW_MS)

    room, _ = apply(room, op("play", opid="opid-0002"), by="ann", now_ms=NOW_MS)

    assert room.vec.rate == 1.25


def test_a_start_that_is_still_to_come_stays_where_it_is() -> None:
    room, _ = apply(line(), op("play"), by="ann", now_ms=NOW_MS)

    after, _ = apply(room, op("rate", opid="opid-0002", rate=2), by="bob", now_ms=NOW_MS + 100)

    assert (after.vec.pos_ms, after.vec.at_ms, after.vec.rate) == (1000, NOW_MS + 400, 2)


STEPS = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["play", "pause", "seek", "rate", "item"]),
                "base_v": st.integers(0, 40),
                "epoch": st.sampled_from(["e", "e", "e", "e", "x"]),
                "opid": st.integers(0, 30).map(lambda n: f"opid-{n:04}"),
                "pos_ms": st.none() | st.floats(0, 1e9),
                "rate": st.none() | st.floats(0.5, 2),
                "item": st.sampled_from([None, FIRST, SECOND, MISSING]),
                "lead_ms": st.floats(0, 1500),
            }
        ),
        st.sampled_from(["ann", "bob"]),
        st.floats(0, 4000),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_is_asked_the_version_never_falls_and_the_room_stays_inside_the_item(
    steps: list[tuple[dict[str, object], str, float]],
) -> None:
    room, now_ms = line(), NOW_MS

    for fields, by, wait_ms in steps:
        now_ms += wait_ms
        before = room.vec
        room, answer = apply(room, Op.model_validate(fields), by=by, now_ms=now_ms)
        moved = answer.status == "applied"
        assert room.vec.v == before.v + moved
        assert moved or room.vec == before
        assert room.vec.epoch == "e"
        assert 0 <= room.vec.pos_ms <= LENGTHS_MS[room.vec.item] - 100
        assert room.vec.rate == 0 or 0.5 <= room.vec.rate <= 2


@given(
    pos_ms=st.floats(0, 7_000_000), rate=st.floats(0.5, 2), played_ms=st.floats(0, 60_000), rest_ms=st.floats(200, 1e6)
)
def test_a_pause_and_a_play_without_a_position_lose_and_gain_nothing(
    pos_ms: float, rate: float, played_ms: float, rest_ms: float
) -> None:
    room = line(pos_ms=pos_ms, rate=rate, at_ms=NOW_MS)
    pause_at_ms = NOW_MS + played_ms

    paused, _ = apply(room, op("pause"), by="ann", now_ms=pause_at_ms)
    played, _ = apply(paused, op("play", opid="opid-0002", base_v=6), by="ann", now_ms=pause_at_ms + rest_ms)

    stop_ms = paused.vec.at_ms
    assert paused.vec.pos_ms == pytest.approx(position_at(room.vec, stop_ms, LENGTHS_MS[FIRST]), abs=0.01)
    assert played.vec.pos_ms == paused.vec.pos_ms
    assert position_at(played.vec, played.vec.at_ms, LENGTHS_MS[FIRST]) == paused.vec.pos_ms


@given(st.floats(0, 7_200_000), st.floats(0, 2), st.floats(-1e9, 1e9), st.floats(0.001, 1e9))
def test_a_position_is_inside_the_item_and_never_goes_back(
    pos_ms: float, rate: float, wait_ms: float, more_ms: float
) -> None:
    vec = line(pos_ms=pos_ms, rate=rate).vec

    earlier = position_at(vec, NOW_MS + wait_ms, 7_200_000)
    later = position_at(vec, NOW_MS + wait_ms + more_ms, 7_200_000)

    assert 0 <= earlier <= later <= 7_200_000
