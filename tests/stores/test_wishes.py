"""Wishes on both engines: races between processes, lists, and a queue that is long."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kinodom_common.store import change, open_store
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import wishes as rules
from tests.support.wish_racers import add_the_same, take_all
from tests.support.works import request_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = 2000
RACERS = 4


@pytest.fixture
def wishes(url: str) -> Iterator[StoredWishes]:
    store = open_store(url)
    made = StoredWishes(store)
    made.migrate()
    yield made
    store.close()


def a_wish(number: int, **changes: object) -> rules.StoredWish:
    wish = rules.new_wish(request_for(number), now_s=float(number), request_id="")
    return replace(wish, **changes)  # type: ignore[arg-type]


def names(found: list[rules.StoredWish]) -> list[str]:
    return [wish.request.title.name for wish in found]


def race(url: str, what: Callable[..., None]) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(RACERS), context.Queue()
    racers = [context.Process(target=what, args=(url, number, barrier, results)) for number in range(RACERS)]
    for racer in racers:
        racer.start()
    told = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    return told


def test_of_sixty_four_who_ask_from_several_processes_one_makes_the_wish(url: str, wishes: StoredWishes) -> None:
    made = race(url, add_the_same)

    assert sum(made) == 1
    assert len(wishes.newest(9)) == 1


def test_several_processes_take_each_wish_once(url: str, wishes: StoredWishes) -> None:
    for number in range(40):
        wishes.add(a_wish(number))

    taken = race(url, take_all)

    ids = [wish_id for one in taken for wish_id in one]
    assert len(ids) == len(set(ids)) == 40


def test_what_is_ripe_is_the_best_placed_of_what_is_due_and_all_that_is_held_or_watched(wishes: StoredWishes) -> None:
    for number in range(6):
        wishes.add(a_wish(number, position=float(-number)))
    wishes.add(a_wish(10, state="waiting", next_try_at_s=50.0))
    wishes.add(a_wish(11, state="waiting", next_try_at_s=150.0))
    wishes.add(a_wish(12, state="running", token="t", lease_until_s=120.0))
    wishes.add(a_wish(13, position=99.0, viewed_at_s=90.0))
    wishes.add(a_wish(14, state="ready", viewed_at_s=90.0))

    ripe = wishes.ripe(now_s=100.0, limit=2)

    assert set(names(ripe)) == {"Film 5", "Film 4", "Film 10", "Film 12", "Film 13"}
    assert names(wishes.held()) == ["Film 12"]


def test_the_line_begins_with_what_runs_and_what_needs_somebody(wishes: StoredWishes) -> None:
    for number, state in enumerate(["wanted", "ready", "refused", "running", "paused", "waiting", "ready"]):
        wishes.add(a_wish(number, state=state, position=float(-number), changed_at_s=float(number)))

    assert names(wishes.line(9)) == ["Film 3", "Film 2", "Film 5", "Film 4", "Film 0"]
    assert names(wishes.line(3)) == ["Film 3", "Film 2", "Film 5"]
    assert names(wishes.done(9)) == ["Film 6", "Film 1"]
    assert names(wishes.of_title("test:film-5", 9)) == ["Film 5"]


def test_a_wish_of_an_older_schema_has_its_place_and_its_title(url: str) -> None:
    store = open_store(url)
    wishes = StoredWishes(store)
    wishes.add(a_wish(7))
    newer = ("position", "title_key", "viewed_at_s")
    change(store.collection("wishes"), a_wish(7).wish_id, lambda found: {k: found[k] for k in found if k not in newer})

    wishes.migrate()

    assert names(wishes.of_title("test:film-7", 9)) == ["Film 7"]
    assert wishes.ripe(now_s=9.0, limit=1)[0].position == 7.0
    store.close()


class Counted:
    """A store that counts the documents it gives out."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url)
        self.given = 0

    def collection(self, name: str, **declared: Any) -> Any:
        documents, outer = self.store.collection(name, **declared), self

        class Reading:
            def __getattr__(self, call: str) -> Any:
                return getattr(documents, call)

            def find(self, *asked: Any, **more: Any) -> list[dict[str, Any]]:
                found = documents.find(*asked, **more)
                outer.given += len(found)
                return found

        return Reading()


def test_a_long_queue_is_not_read_through_to_find_the_next_wish(url: str) -> None:
    counted: Any = Counted(url)
    wishes = StoredWishes(counted)
    for number in range(MANY):
        wishes.add(a_wish(number))

    ripe = wishes.ripe(now_s=float(MANY), limit=8)

    assert names(ripe) == [f"Film {number}" for number in range(8)]
    assert counted.given <= 16
    assert sum(wishes.counts().values()) == MANY
    counted.store.close()
