"""Remakes on both engines: of several workers one holds one, and what is stored comes back as it was."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from kinodom_common.store import open_store
from kinodom_downloader.adapters.remake_store import StoredRemakes
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import remakes as rules
from kinodom_downloader.domain.ladder import Ladder
from kinodom_downloader.domain.remake_ports import Maker, Tools
from kinodom_downloader.domain.remaking import take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_downloader.domain.ports import Shelf

WORKERS, FILMS = 6, 3


def ids() -> list[str]:
    return [f"{number:064x}" for number in range(FILMS)]


@pytest.fixture
def tools(url: str) -> Iterator[Callable[[], Tools]]:
    """Return what makes the tools of one more worker, each with a store of its own."""
    with ExitStack() as stack:

        def made() -> Tools:
            store = stack.enter_context(closing(open_store(url)))
            nobody = cast("Maker", None), cast("Shelf", None)  # to take one asks neither
            return Tools(
                remakes=StoredRemakes(store),
                wishes=StoredWishes(store),
                maker=nobody[0],
                shelf=nobody[1],
                ladder=Ladder(),
                clock=lambda: 100.0,
            )

        yield made


def side_by_side(what: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=what, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_six_workers_that_ask_at_once_one_holds_one(tools: Callable[[], Tools]) -> None:
    for number, video_id in enumerate(ids()):
        tools().remakes.add(rules.new_remake(video_id, "Salt", (480,), now_s=float(number)))
    barrier, taken = threading.Barrier(WORKERS), list[rules.Remake]()

    def work(number: int) -> None:
        mine = tools()
        barrier.wait()
        found = take(token=f"worker-{number}", tools=mine)
        if found is not None:
            taken.append(found)

    side_by_side(work)

    held = [one for one in tools().remakes.every() if one.token]
    assert [one.video_id for one in taken] == [one.video_id for one in held]
    assert len(held) == 1


def test_a_remake_comes_back_as_it_was_and_is_there_once(tools: Callable[[], Tools]) -> None:
    store = tools().remakes
    made = rules.new_remake(ids()[0], "Соль", (720, 480), now_s=5.0)

    added = store.add(made), store.add(made)
    changed = store.change(made.video_id, lambda found: rules.refused(found, code="x", reason="y", now_s=6.0))

    assert added == (True, False)
    assert replace(changed, version=0) == rules.refused(made, code="x", reason="y", now_s=6.0)
    assert store.in_line() == []
    assert store.every() == [store.get(made.video_id)]
    store.drop(made.video_id)
    assert store.every() == []
