"""Places in the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import WishRequest
from kinodom_downloader.domain import order
from kinodom_downloader.domain import wishes as rules

NOW_S = 1_790_000_000.0


def a_queue(count: int = 4, gap_s: float = 60.0) -> list[rules.StoredWish]:
    """Return wishes named by letters, asked for one after the other."""
    card = TitleCard(external_id="demo:salt", name="Salt")
    wish = rules.new_wish(WishRequest(external_id="demo:salt", title=card), now_s=0.0, request_id="")
    return [
        replace(wish, wish_id="abcdefgh"[n], asked_at_s=NOW_S + n * gap_s, position=NOW_S + n * gap_s)
        for n in range(count)
    ]


def after(queue: list[rules.StoredWish], moves: list[tuple[str, str | None]]) -> list[rules.StoredWish]:
    """Return the queue in its order after these moves."""
    for wish_id, before in moves:
        positions = order.moved(queue, wish_id, before, now_s=NOW_S + 3600)
        queue = [rules.placed(one, position=positions.get(one.wish_id, one.position)) for one in queue]
    return sorted(queue, key=order.place)


def names(queue: list[rules.StoredWish]) -> str:
    return "".join(wish.wish_id for wish in queue)


@pytest.mark.parametrize(
    ("wish_id", "before", "expected"),
    [
        ("d", "a", "dabc"),
        ("d", "c", "abdc"),
        ("a", "c", "bacd"),
        ("b", None, "acdb"),
        ("d", None, "abcd"),
        ("b", "b", "abcd"),
        ("a", "b", "abcd"),
    ],
)
def test_a_wish_goes_where_it_is_put(wish_id: str, before: str | None, expected: str) -> None:
    assert names(after(a_queue(), [(wish_id, before)])) == expected


def test_places_never_run_out() -> None:
    swaps: list[tuple[str, str | None]] = [("c", "b"), ("b", "c")] * 100

    assert names(after(a_queue(gap_s=0.001), swaps)) == "abcd"


def test_what_is_asked_for_later_comes_last_also_after_moves() -> None:
    queue = after(a_queue(gap_s=0.0), [("d", "b"), ("a", None)])

    assert all(wish.position <= NOW_S + 3600 for wish in queue)


@pytest.mark.parametrize(("wish_id", "before"), [("gone", "a"), ("a", "gone"), ("gone", None)])
def test_what_is_not_in_the_queue_has_no_place(wish_id: str, before: str | None) -> None:
    with pytest.raises(order.NotInQueue):
        order.moved(a_queue(), wish_id, before, now_s=NOW_S)


def test_due_wishes_come_in_their_order_and_lapsed_leases_are_due_again() -> None:
    first, second, third, fourth = a_queue()
    held = replace(second, state="running", lease_until_s=NOW_S + 1)
    lapsed = replace(third, state="running", lease_until_s=NOW_S)
    unfinished = [replace(fourth, position=0.0), lapsed, held, replace(first, state="paused")]

    assert names(order.due_now(unfinished, now_s=NOW_S)) == "dc"
    assert order.held_now(unfinished, now_s=NOW_S) == 1
