"""The catalogue's shelf on both engines, and several downloaders that register one film at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.domain.ports import NoSuchTitle, Which
from kinodom_catalogue.domain.videos import add_title, delete_video, new_title, register_video
from kinodom_common.store import change, open_store
from tests.support.catalogue_parts import NOW, Clock, FakeHints, card, video_id, video_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(url: str, clock: Clock) -> Iterator[StoreShelf]:
    store = open_store(url)
    shelf = StoreShelf(store, clock)
    shelf.migrate()
    yield shelf
    store.close()


def test_a_title_comes_back_whole(shelf: StoreShelf) -> None:
    start = new_title("t1", "ia:x", card("ia:x", genres=("Drama",), year=1927, poster_url="https://p/x"), now=NOW)

    made = shelf.change_title("t1", lambda found: found, start=start)

    assert made == start == shelf.title("t1")


def test_a_change_of_a_title_that_is_not_there_is_said_so(shelf: StoreShelf) -> None:
    with pytest.raises(NoSuchTitle):
        shelf.change_title("t-gone", lambda found: found)


def test_due_titles_come_the_longest_waiting_first(shelf: StoreShelf) -> None:
    for number, minutes in enumerate([5, -5, -60, 0]):
        start = new_title(f"t{number}", f"ia:{number}", card(), now=NOW + timedelta(minutes=minutes))
        shelf.change_title(f"t{number}", lambda found: found, start=start)

    due = [stored.title.title_id for stored in shelf.due(NOW, 10)]

    assert due == ["t2", "t1", "t3"]
    assert [stored.title.title_id for stored in shelf.due(NOW, 1)] == ["t2"]


def test_an_alias_has_one_owner(shelf: StoreShelf) -> None:
    assert shelf.claim_alias("imdb:tt0000001", "t1") == "t1"
    assert shelf.claim_alias("imdb:tt0000001", "t2") == "t1"
    assert shelf.title_id_of("imdb:tt0000001") == "t1"
    assert shelf.title_id_of("imdb:tt0000002") is None


def test_what_changed_is_told_from_an_instant_on(shelf: StoreShelf, clock: Clock) -> None:
    shelf.change_title("t1", lambda found: found, start=new_title("t1", "ia:1", card(), now=NOW))
    before = shelf.mark()
    clock.forward(hours=1)
    shelf.change_title("t2", lambda found: found, start=new_title("t2", "ia:2", card(), now=NOW))

    assert shelf.mark().changes == before.changes + 1
    assert [found.title.title_id for found in shelf.touched_since(clock())] == ["t2"]
    assert len(shelf.touched_since(None)) == 2


def race_to_register(url: str, number: int, barrier: Any, results: Any) -> None:
    """Register six videos; every process calls the film by a name of its own, and all share its IMDb id."""
    store = open_store(url)
    shelf = StoreShelf(store, Clock())
    title_ids = set()
    barrier.wait()
    for n in range(6):
        wanted = video_in(card(f"site{number}:film", imdb_id="tt0017136"), episode=n)
        made, _ = register_video(video_id(number * 100 + n), wanted, shelf=shelf, hints=FakeHints(), now=NOW)
        title_ids.add(made.title_id)
    if number == 0:
        delete_video(video_id(0), shelf=shelf)
    results.put(title_ids)
    store.close()


def test_racing_downloaders_make_one_title_and_lose_no_video(url: str, shelf: StoreShelf) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(6), context.Queue()
    racers = [context.Process(target=race_to_register, args=(url, n, barrier, results)) for n in range(6)]
    for racer in racers:
        racer.start()
    title_ids = set().union(*(results.get(timeout=90) for _ in racers))
    for racer in racers:
        racer.join(30)

    assert len(title_ids) == 1
    stored = shelf.title(title_ids.pop())
    assert stored is not None
    assert stored.title.videos_count == 6 * 6 - 1
    assert stored.title.size_bytes == (6 * 6 - 1) * 1000
    assert sorted(stored.title.external_ids) == [f"site{number}:film" for number in range(6)]
    assert shelf.titles_count(Which()) == 1


def three_titles(shelf: StoreShelf, clock: Clock) -> None:
    """Put a film of 1927 without a video, a series of 1922 and a film of 2001 on the shelf, in this order."""
    for number, (name, year, kind) in enumerate(
        [("metropolis", 1927, "film"), ("Dr. M", 1922, "series"), ("Ж", 2001, "film")]
    ):
        clock.forward(seconds=1)
        title = card(f"ia:{number}", name, year=year, kind=kind)
        add_title(title, shelf=shelf, hints=FakeHints(), now=clock())
        if number:
            wanted = video_in(title, size_bytes=10 * number, published_at=clock())
            register_video(video_id(number), wanted, shelf=shelf, hints=FakeHints(), now=clock())


def names(shelf: StoreShelf, which: Which, limit: int = 9, after: str | None = None) -> list[str]:
    return [stored.title.name for stored in shelf.listed(which, limit, after)]


def test_titles_are_listed_in_each_order_and_sifted(shelf: StoreShelf, clock: Clock) -> None:
    three_titles(shelf, clock)

    assert names(shelf, Which()) == ["Ж", "Dr. M", "metropolis"]
    assert names(shelf, Which(order="name")) == ["Dr. M", "metropolis", "Ж"]
    assert names(shelf, Which(order="year")) == ["Ж", "metropolis", "Dr. M"]
    assert names(shelf, Which(order="size")) == ["Ж", "Dr. M", "metropolis"]
    assert names(shelf, Which(on_disk=False)) == ["metropolis"]
    assert names(shelf, Which(on_disk=True, kind="film")) == ["Ж"]
    assert shelf.titles_count(Which(kind="film")) == 2


def test_a_sorted_list_goes_on_behind_its_last_title(shelf: StoreShelf, clock: Clock) -> None:
    three_titles(shelf, clock)
    first = shelf.listed(Which(order="name"), 2, None)

    assert names(shelf, Which(order="name"), after=first[-1].title.title_id) == ["Ж"]


def test_videos_are_listed_the_newest_first(shelf: StoreShelf, clock: Clock) -> None:
    three_titles(shelf, clock)

    newest = shelf.newest_videos(1, None)

    assert [found.video_id for found in newest] == [video_id(2)]
    assert [found.video_id for found in shelf.newest_videos(9, video_id(2))] == [video_id(1)]
    assert shelf.videos_count() == 2


def test_titles_stored_before_there_were_lists_stand_in_them(url: str, clock: Clock) -> None:
    store = open_store(url)
    shelf = StoreShelf(store, clock)
    three_titles(shelf, clock)
    older = store.collection("titles")
    for document in older.find():
        change(
            older,
            document["_id"],
            lambda found: {k: found[k] for k in found if k not in ("name_key", "on_disk", "kept")},
        )

    shelf.migrate()

    assert names(shelf, Which(order="name", on_disk=True)) == ["Dr. M", "Ж"]
    assert not shelf.listed(Which(), 1, None)[0].kept
    store.close()
