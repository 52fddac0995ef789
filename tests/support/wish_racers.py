"""What racing processes do with wishes. Run by `spawn`, so it is importable and takes plain values."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kinodom_common.store import open_store
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.taking import take
from tests.support.works import request_for

ASKERS_EACH = 16
QUIET_ROUNDS = 20


class Silent:
    """Announces nothing."""

    def announce(self, event: object) -> None:
        """Say nothing."""

    def tell_queue(self) -> None:
        """Say nothing."""


def add_the_same(url: str, number: int, barrier: Any, results: Any) -> None:
    """Ask for one film from several threads; put how often this process made the wish."""
    store = open_store(url)
    wishes = StoredWishes(store)
    barrier.wait()
    with ThreadPoolExecutor(ASKERS_EACH) as pool:
        asked = [rules.new_wish(request_for(1), now_s=float(number), request_id="") for _ in range(ASKERS_EACH)]
        made = list(pool.map(wishes.add, asked))
    results.put(sum(made))
    store.close()


def take_all(url: str, number: int, barrier: Any, results: Any) -> None:
    """Take one wish after another until there are none; put the ids of those taken."""
    store = open_store(url)
    wishes, taken, nothing = StoredWishes(store), [], 0
    barrier.wait()
    while nothing < QUIET_ROUNDS:
        token = f"{number}-{len(taken)}-{nothing}"
        wish = take(token=token, parallel=1000, wishes=wishes, announcer=Silent(), clock=lambda: 100.0)
        nothing = nothing + 1 if wish is None else 0
        taken += [wish.wish_id] if wish else []
    results.put(taken)
    store.close()
