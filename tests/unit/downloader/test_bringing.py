"""From the offers to the shelf: which one is tried, what counts as its failure, and what a run owes to others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.wishes import Progress
from kinodom_common.errors import UpstreamFailed
from kinodom_downloader.domain import asking
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.checks import DurationWrong
from kinodom_downloader.domain.codecs import NotPlayable
from kinodom_downloader.domain.room import GB
from tests.support.wish_world import REQUEST, WISH_ID, World

BAD = Offer(source="demo", url="http://demo/bad.m3u8", delivery="hls")
GOOD = Offer(source="demo", url="http://demo/good.m3u8", delivery="hls")


@pytest.fixture
def world() -> World:
    made = World()
    made.resolver.offers_now = (BAD, GOOD)
    return made


def a_neighbour(world: World, *, began_s: float, total_bytes: int) -> None:
    request = REQUEST.model_copy(update={"translation_id": "other"})
    wish = rules.new_wish(request, now_s=began_s, request_id="r" * 32)
    held = rules.claim(wish, token="neighbour", now_s=began_s)
    world.wishes.add(
        replace(held, lease_until_s=world.now_s + 10, progress=Progress(stage="fetching", total_bytes=total_bytes))
    )


def test_an_offer_that_cannot_be_packaged_gives_way_to_the_next_one(world: World) -> None:
    world.folders.unpackable = {BAD.url: DurationWrong("half of it is missing")}

    wish = world.work()

    assert (wish.state, world.fetch.asked) == ("ready", [BAD.url, GOOD.url])
    assert world.resolver.told == [(BAD.url, False), (GOOD.url, True)]


def test_a_codec_that_nobody_plays_is_refused_at_once(world: World) -> None:
    world.folders.unpackable = dict.fromkeys((BAD.url, GOOD.url), NotPlayable("coded as svq3"))

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("refused", "codec_not_supported")


def test_an_offer_too_large_for_the_disk_gives_way_to_a_smaller_one(world: World) -> None:
    world.resolver.offers_now = (BAD.model_copy(update={"size_bytes": 10**15}), GOOD)

    wish = world.work()

    assert (wish.state, world.fetch.asked) == ("ready", [GOOD.url])


def test_a_wish_waits_for_space_when_no_offer_fits(world: World) -> None:
    world.resolver.offers_now = tuple(offer.model_copy(update={"size_bytes": 10**15}) for offer in (BAD, GOOD))

    wish = world.work()

    assert (wish.state, wish.reason_code, world.fetch.asked) == ("waiting", "no_space", [])


def test_a_film_leaves_room_for_one_that_was_begun_before_it(world: World) -> None:
    world.folders.room, world.fetch.planned_bytes = 100 * GB, 20 * GB
    a_neighbour(world, began_s=999.0, total_bytes=30 * GB)

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("waiting", "no_space")


def test_a_film_does_not_wait_for_one_that_was_begun_after_it(world: World) -> None:
    world.folders.room, world.fetch.planned_bytes = 100 * GB, 20 * GB
    a_neighbour(world, began_s=1001.0, total_bytes=30 * GB)

    assert world.work().state == "ready"


def test_the_line_is_shared_by_the_films_that_are_fetched(world: World) -> None:
    shares: list[int] = []
    world.tools = replace(world.tools, share_line=shares.append)
    a_neighbour(world, began_s=999.0, total_bytes=1)

    world.work()

    assert shares[0] == 2


def test_runs_that_get_on_do_not_use_up_the_tries(world: World) -> None:
    world.resolver.offers_now = (BAD,)
    for number in range(rules.MAX_WAITS + 2):
        world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="t", now_s=world.now_s))
        got = Progress(stage="fetching", fetched_bytes=10 * (number + 1))
        world.wishes.change(
            WISH_ID, lambda wish, got=got: rules.renewed(wish, token="t", now_s=world.now_s, progress=got)
        )
        world.wishes.change(
            WISH_ID, lambda wish: rules.waiting(wish, code="link_expired", reason="r", now_s=world.now_s)
        )
        world.now_s += rules.LONGEST_WAIT_S

    assert (world.wishes.get(WISH_ID).state, world.wishes.get(WISH_ID).waits) == ("waiting", 1)


def test_a_run_that_gets_no_further_than_another_one_uses_up_a_try(world: World) -> None:
    world.fetch.broken = dict.fromkeys((BAD.url, GOOD.url), UpstreamFailed("no answer"))

    for _ in range(rules.MAX_WAITS):
        wish = world.work()
        world.now_s += rules.LONGEST_WAIT_S

    assert wish.state == "refused"


def test_a_ready_film_whose_folder_is_gone_is_fetched_again_when_somebody_asks(world: World) -> None:
    world.work()
    world.folders.shown = None

    wish, created = asking.ask(REQUEST, desk=world.desk, request_id="r" * 32)

    assert (wish.state, created, world.work().state) == ("wanted", False, "ready")
    assert len(world.fetch.asked) == 2


def test_a_ready_film_that_is_there_stays_as_it_is_when_somebody_asks(world: World) -> None:
    world.work()

    wish, _ = asking.ask(REQUEST, desk=world.desk, request_id="r" * 32)

    assert wish.state == "ready"


def test_a_wish_that_is_deleted_while_somebody_asks_for_it_is_stored_anew(world: World) -> None:
    add, answers = world.wishes.add, iter([False])

    class Deleted(type(world.wishes)):  # type: ignore[misc]
        def add(self, wish: rules.StoredWish) -> bool:
            if next(answers, True):
                return add(wish)
            world.wishes.kept.clear()  # between the look and the change
            return False

    desk = replace(world.desk, wishes=Deleted(kept=world.wishes.kept))

    wish, created = asking.ask(REQUEST, desk=desk, request_id="r" * 32)

    assert (wish.state, created, list(world.wishes.kept)) == ("wanted", True, [WISH_ID])


def test_a_cancel_that_comes_with_the_fence_does_not_lose_a_film_that_is_shown(world: World) -> None:
    class Slow(type(world.wishes)):  # type: ignore[misc]
        def get(self, wish_id: str) -> rules.StoredWish:
            read = self.kept[wish_id]
            if read.state == "running":  # the worker passes the fence right after the look
                self.kept[wish_id] = rules.publishing(read, token="t", now_s=world.now_s)
            return read

    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="t", now_s=world.now_s))
    desk = replace(world.desk, wishes=Slow(kept=world.wishes.kept))

    with pytest.raises(rules.WishBusy):
        asking.forget(WISH_ID, desk=desk)

    assert world.wishes.get(WISH_ID).state == "publishing"
