"""Wishes on a real store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_common.store import change, open_store
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.taking import take as take_next

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def wishes(tmp_path: Path) -> Iterator[StoredWishes]:
    store = open_store(f"sqlite:///{tmp_path}/downloader.sqlite")
    yield StoredWishes(store)
    store.close()


def a_wish(number: int = 1, **changes: object) -> rules.StoredWish:
    card = TitleCard(external_id=f"demo:film-{number}", name=f"Film {number}", genres=("drama",))
    request = WishRequest(external_id=card.external_id, title=card, episode=0, height_px=720)
    wish = rules.new_wish(request, now_s=float(number), request_id="r" * 32)
    return replace(wish, **changes)  # type: ignore[arg-type]


def test_a_wish_comes_back_as_it_was_stored(wishes: StoredWishes) -> None:
    wish = a_wish(progress=Progress(stage="fetching", fraction=0.25, fetched_bytes=7), waits=2)

    wishes.add(wish)

    assert replace(wishes.get(wish.wish_id), version=wish.version) == wish


def test_of_many_who_ask_at_once_one_makes_the_wish(wishes: StoredWishes) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: wishes.add(a_wish()), range(64)))

    assert made.count(True) == 1


def test_a_step_that_changes_nothing_writes_nothing(wishes: StoredWishes) -> None:
    wishes.add(a_wish())

    same = wishes.change(a_wish().wish_id, lambda wish: rules.asked_again(wish, now_s=9.0))

    assert same == wishes.get(a_wish().wish_id)
    assert same.version == 1


def test_of_many_who_claim_at_once_one_gets_it(wishes: StoredWishes) -> None:
    wish = a_wish()
    wishes.add(wish)

    def claim(number: int) -> bool:
        try:
            wishes.change(wish.wish_id, lambda found: rules.claim(found, token=str(number), now_s=5.0))
        except rules.NotClaimable:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(32)))

    assert won.count(True) == 1


def test_the_newest_come_first_and_the_unfinished_the_oldest_first(wishes: StoredWishes) -> None:
    for number in (2, 1, 3):
        wishes.add(a_wish(number))
    wishes.change(a_wish(2).wish_id, lambda wish: rules.refused(wish, code="c", reason="r", now_s=9.0))

    newest = [wish.request.title.name for wish in wishes.newest(2)]
    unfinished = [wish.request.title.name for wish in wishes.unfinished()]

    assert newest == ["Film 3", "Film 2"]
    assert unfinished == ["Film 1", "Film 3"]


def test_a_deleted_wish_is_gone(wishes: StoredWishes) -> None:
    wishes.add(a_wish())
    stored = wishes.get(a_wish().wish_id)

    gone = wishes.forget(stored)

    with pytest.raises(rules.NoSuchWish):
        wishes.get(a_wish().wish_id)
    assert (gone, wishes.forget(stored)) == (True, False)
    assert wishes.some([a_wish().wish_id]) == []


def test_a_wish_that_changed_since_it_was_read_is_not_deleted(wishes: StoredWishes) -> None:
    wishes.add(a_wish())
    read = wishes.get(a_wish().wish_id)
    wishes.change(read.wish_id, lambda wish: rules.claim(wish, token="t", now_s=200.0))

    gone = wishes.forget(read)

    assert (gone, wishes.get(read.wish_id).state) == (False, "running")


def test_of_many_who_take_at_once_no_more_get_a_wish_than_are_allowed(wishes: StoredWishes) -> None:
    class Silent:
        def announce(self, event: object) -> None:
            """Say nothing."""

        def tell_queue(self) -> None:
            """Say nothing."""

    for number in range(12):
        wishes.add(a_wish(number))

    def take(number: int) -> bool:
        taken = take_next(token=str(number), parallel=3, wishes=wishes, announcer=Silent(), clock=lambda: 100.0)
        return taken is not None

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(take, range(24)))

    held = [wish.wish_id for wish in wishes.unfinished() if wish.token]
    assert won.count(True) == 3
    assert len(held) == 3  # which ones is a race: a claim that is given back stands in the way for a moment


def test_a_wish_stored_before_there_were_places_has_the_one_of_its_time(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/older.sqlite")
    wishes, wish = StoredWishes(store), a_wish(7)
    wishes.add(wish)
    documents = store.collection("wishes", indexed=("state", "asked_at_s"))
    change(documents, wish.wish_id, lambda found: {key: value for key, value in found.items() if key != "position"})

    position = wishes.get(wish.wish_id).position

    store.close()
    assert position == 7.0
