"""A worker's run over one wish, with every neighbour played by a small class."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.errors import KinodomError, Rejected, UpstreamFailed
from kinodom_downloader.adapters.disk import told_when_full
from kinodom_downloader.domain import asking, taking, working
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.room import MediaFolderUnusable
from tests.support.wish_world import REQUEST, SHOWN, WISH_ID, Fetch, MemoryWishes, World, void


@pytest.fixture
def world() -> World:
    return World()


def test_a_wish_is_fetched_shown_registered_and_ready(world: World) -> None:
    wish = world.work()

    assert wish.state == "ready"
    assert [video_id for video_id, _ in world.shelf.told] == [WISH_ID]
    assert world.folders.cleared == [WISH_ID]
    assert [event.type for event in world.news.said][-1] == "task_completed"


def test_a_wish_whose_process_is_known_to_be_dead_goes_to_the_next_worker_at_once(world: World) -> None:
    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="dead", now_s=world.now_s))
    nothing = world.work(token="early")

    taking.let_go("dead", wishes=world.wishes)
    wish = world.work(token="next")

    assert (nothing.state, nothing.token) == ("running", "dead")
    assert (wish.state, wish.attempt) == ("ready", 2)


def test_the_third_death_in_a_row_refuses_the_wish(world: World) -> None:
    for number in range(3):
        taking.take(token=str(number), parallel=2, wishes=world.wishes, announcer=world.news, clock=lambda: world.now_s)
        taking.let_go(str(number), wishes=world.wishes)

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("refused", "crashes_the_worker")


def test_a_death_that_comes_late_takes_nothing_from_the_next_holder(world: World) -> None:
    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="next", now_s=world.now_s))

    taking.let_go("dead", wishes=world.wishes)

    assert rules.is_held(world.wishes.get(WISH_ID), now_s=world.now_s)


def test_sixty_four_askers_make_one_wish(world: World) -> None:
    created = [asking.ask(REQUEST, desk=world.desk, request_id="")[1] for _ in range(64)]

    assert (sum(created), len(world.wishes.kept)) == (0, 1)


def test_a_finished_wish_is_not_worked_on_again(world: World) -> None:
    world.work()

    world.work(token="again")

    assert len(world.fetch.asked) == 1


def test_the_next_offer_is_taken_when_one_fails(world: World) -> None:
    bad, good = (Offer(source="demo", url=f"http://demo/{n}", delivery="hls") for n in ("bad", "good"))
    world.resolver.offers_now = (bad, good)
    world.fetch.broken[bad.url] = UpstreamFailed("no answer")

    wish = world.work()

    assert (wish.state, world.fetch.asked) == ("ready", [bad.url, good.url])
    assert world.resolver.told == [(bad.url, False), (good.url, True)]


def test_a_protected_offer_does_not_stop_the_next_one(world: World) -> None:
    locked, free = (Offer(source="demo", url=f"http://demo/{n}", delivery="hls") for n in ("locked", "free"))
    world.resolver.offers_now = (locked, free)
    world.fetch.broken[locked.url] = Rejected("This film is protected (DRM).")

    assert world.work().state == "ready"


def test_trouble_that_may_pass_outweighs_a_refusal(world: World) -> None:
    locked, slow = (Offer(source="demo", url=f"http://demo/{n}", delivery="hls") for n in ("locked", "slow"))
    world.resolver.offers_now = (slow, locked)
    world.fetch.broken = {locked.url: Rejected("protected"), slow.url: UpstreamFailed("no answer")}

    assert world.work().state == "waiting"


def test_no_offer_at_all_refuses_in_words(world: World) -> None:
    world.resolver.offers_now = ()

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("refused", "no_offer")


def test_a_silent_resolver_lets_the_wish_wait(world: World) -> None:
    world.resolver.error = UpstreamFailed("The resolver does not answer.", retry_after_s=30)

    wish = world.work()

    assert (wish.state, wish.reason) == ("waiting", "The resolver does not answer.")
    assert wish.next_try_at_s == world.now_s + 30


def test_what_can_never_work_is_refused_at_once(world: World) -> None:
    world.fetch.broken["http://demo/a.m3u8"] = Rejected("This film is protected (DRM).")

    assert world.work().state == "refused"


def engine_on_a_full_disk() -> BaseException:
    with pytest.raises(KinodomError) as caught, told_when_full():
        raise OSError(errno.ENOSPC, "No space left on device")
    return caught.value


@pytest.mark.parametrize("full", ["before", "during", "as the engine tells it"])
def test_a_full_disk_makes_the_wish_wait_for_space(world: World, full: str) -> None:
    if full == "before":
        world.folders.room = 5
    elif full == "during":
        world.fetch.broken["http://demo/a.m3u8"] = OSError(errno.ENOSPC, "No space left on device")
    else:
        world.fetch.broken["http://demo/a.m3u8"] = engine_on_a_full_disk()

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("waiting", "no_space")


def test_a_wish_that_waits_for_space_goes_on_by_itself_when_there_is_room(world: World) -> None:
    world.resolver.offers_now = (Offer(source="demo", url="http://demo/a.m3u8", delivery="hls", size_bytes=10**11),)
    world.folders.room = 10**11
    full = world.work()
    early, fetched = world.work(), list(world.fetch.asked)
    world.now_s, world.folders.room = full.next_try_at_s, 10**12
    asking.sweep(desk=world.desk)

    ready = world.work()

    assert (full.state, full.reason_code, fetched) == ("waiting", "no_space", [])
    assert early == full
    assert world.hints.given[-1] == (WISH_ID, full.attempt)
    assert (ready.state, ready.reason) == ("ready", None)


@pytest.mark.parametrize("trouble", [errno.EROFS, errno.EIO, errno.EACCES])
def test_a_disk_that_is_away_makes_the_wish_wait_for_it(world: World, trouble: int) -> None:
    world.fetch.broken["http://demo/a.m3u8"] = OSError(trouble, "No way to write")

    wish = world.work()

    assert (wish.state, wish.reason_code, wish.waits) == ("waiting", "media_folder_unusable", 0)


def test_a_media_folder_that_is_missing_makes_the_wish_wait_for_it(world: World) -> None:
    world.folders.error = MediaFolderUnusable("The media folder cannot be read.")

    assert (world.work().state, world.work().reason_code) == ("waiting", "media_folder_unusable")


def test_a_folder_that_outlived_its_worker_is_not_fetched_again(world: World) -> None:
    world.folders.shown = SHOWN

    wish = world.work()

    assert (wish.state, world.fetch.asked) == ("ready", [])


def test_a_silent_catalogue_does_not_lose_the_film(world: World) -> None:
    world.shelf.error = UpstreamFailed("The catalogue does not answer.")
    waiting = world.work()
    world.shelf.error, world.now_s = None, waiting.next_try_at_s

    ready = world.work()

    assert (waiting.state, ready.state, len(world.fetch.asked)) == ("waiting", "ready", 1)


def test_a_worker_that_lost_its_lease_shows_nothing(world: World) -> None:
    def lose() -> None:
        world.now_s += rules.LEASE_S
        world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="other", now_s=world.now_s))

    world.folders.before_fence = lose

    wish = world.work()

    assert (wish.state, wish.token, world.folders.shown) == ("running", "other", None)


def test_a_worker_that_is_told_to_stop_hands_the_wish_back(world: World) -> None:
    world.fetch.broken["http://demo/a.m3u8"] = working.HandedBack("stop")

    with pytest.raises(working.HandedBack):
        world.work()

    assert world.wishes.get(WISH_ID).state == "wanted"


def test_a_wish_that_kills_its_workers_is_refused_by_the_next_one(world: World) -> None:
    for _ in range(rules.MAX_DEATHS):
        world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="dead", now_s=world.now_s))
        world.now_s += rules.LEASE_S

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("refused", "crashes_the_worker")


def test_the_sweep_finds_what_no_hint_names(world: World) -> None:
    world.hints.given.clear()
    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="dead", now_s=world.now_s))

    early = asking.sweep(desk=world.desk)
    world.now_s += rules.LEASE_S
    late = asking.sweep(desk=world.desk)

    assert (early, late, world.hints.given) == (0, 1, [(WISH_ID, 1)])


def test_a_wish_that_is_being_shown_cannot_be_deleted_or_paused_any_more(world: World) -> None:
    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="t", now_s=world.now_s))
    world.wishes.change(WISH_ID, lambda wish: rules.publishing(wish, token="t", now_s=world.now_s))

    for stop in (asking.forget, asking.pause):
        with pytest.raises(rules.WishBusy):
            stop(WISH_ID, desk=world.desk)


def test_a_stopped_wish_is_deleted_with_its_parts(world: World) -> None:
    world.wishes.change(WISH_ID, lambda wish: rules.refused(wish, code="c", reason="r", now_s=world.now_s))

    asking.forget(WISH_ID, desk=world.desk)

    assert (WISH_ID in world.wishes.kept, world.folders.cleared) == (False, [WISH_ID])


def test_the_worker_of_a_cancelled_wish_shows_nothing_and_deletes_its_parts(world: World) -> None:
    cleared_by_the_desk: list[list[str]] = []

    def cancel() -> None:
        asking.forget(WISH_ID, desk=world.desk)
        cleared_by_the_desk.append(list(world.folders.cleared))

    world.folders.before_fence = cancel

    done = working.fulfil(token="t", tools=world.tools)

    assert (done, world.folders.shown, world.wishes.kept) == (None, None, {})
    assert (cleared_by_the_desk, world.folders.cleared) == ([[]], [WISH_ID])


def test_the_worker_of_a_paused_wish_shows_nothing_and_keeps_its_parts(world: World) -> None:
    world.folders.before_fence = lambda: void(asking.pause(WISH_ID, desk=world.desk))

    wish = world.work()

    assert (wish.state, world.folders.shown, world.folders.cleared) == ("paused", None, [])


def test_a_paused_wish_goes_on_when_it_is_resumed(world: World) -> None:
    asking.pause(WISH_ID, desk=world.desk)
    paused = world.work()
    asking.resume(WISH_ID, desk=world.desk)

    ready = world.work()

    assert (paused.state, ready.state) == ("paused", "ready")
    assert len(world.hints.given) == 2


def test_a_failure_of_a_cancelled_wish_is_no_state(world: World) -> None:
    class Cancelled(Fetch):
        def __call__(self, *args: object, **options: object) -> Fetched:
            asking.forget(WISH_ID, desk=world.desk)
            raise UpstreamFailed("no answer")

    tools = replace(world.tools, fetch=Cancelled())

    done = working.fulfil(token="t", tools=tools)

    assert (done, world.wishes.kept, world.folders.cleared) == (None, {}, [WISH_ID])


def test_the_worker_takes_the_best_place_and_not_the_oldest_wish(world: World) -> None:
    other, _ = asking.ask(REQUEST.model_copy(update={"episode": 2}), desk=world.desk, request_id="")
    asking.move(other.wish_id, WISH_ID, desk=world.desk)

    done = working.fulfil(token="t", tools=world.tools)

    assert done is not None
    assert (done.wish_id, world.wishes.get(WISH_ID).state) == (other.wish_id, "wanted")


def test_no_more_wishes_are_worked_on_than_the_house_allows(world: World) -> None:
    for number in (2, 3):
        asking.ask(REQUEST.model_copy(update={"episode": number}), desk=world.desk, request_id="")
    for token in ("one", "two"):
        assert taking.take(
            token=token, parallel=2, wishes=world.wishes, announcer=world.news, clock=lambda: world.now_s
        )
    world.hints.given.clear()

    done = working.fulfil(token="three", tools=world.tools)
    due = asking.sweep(desk=world.desk)

    assert (done, due, world.hints.given) == (None, 1, [])


def test_a_claim_in_a_turn_that_has_passed_is_given_back(world: World) -> None:
    other, _ = asking.ask(REQUEST.model_copy(update={"episode": 2}), desk=world.desk, request_id="")

    class Raced(MemoryWishes):
        def ripe(self, *, now_s: float, limit: int) -> list[rules.StoredWish]:
            before = super().ripe(now_s=now_s, limit=limit)
            if self.turns == 0:  # somebody else claims after this one has counted
                self.change(other.wish_id, lambda wish: rules.claim(wish, token="faster", now_s=world.now_s))
                self.pass_turn(0)
            return before

    wishes = Raced(kept=world.wishes.kept)

    taken = taking.take(token="late", parallel=1, wishes=wishes, announcer=world.news, clock=lambda: world.now_s)

    assert taken is None
    assert (wishes.get(WISH_ID).state, wishes.get(WISH_ID).token) == ("wanted", None)


def test_a_worker_gives_up_and_hands_back_the_wish_that_it_holds(world: World) -> None:
    for token, let_go in (("a", working.hand_back), ("b", working.give_up)):
        taking.take(token=token, parallel=1, wishes=world.wishes, announcer=world.news, clock=lambda: world.now_s)
        let_go(token="a stranger's", tools=world.tools)
        assert world.wishes.get(WISH_ID).state == "running"
        let_go(token=token, tools=world.tools)

    assert (world.wishes.get(WISH_ID).state, world.wishes.get(WISH_ID).reason_code) == ("refused", "internal")


@pytest.mark.parametrize("told", ["declared", "planned"])
def test_a_film_that_would_eat_into_the_floor_waits_before_or_as_soon_as_its_size_is_known(
    world: World, told: str
) -> None:
    size_bytes = 10**10
    world.folders.room = 2 * size_bytes + 2 * 10**10  # 2 % of the disk stay free; 2.2 times its size do not fit
    if told == "declared":
        [offer] = world.resolver.offers_now
        world.resolver.offers_now = (offer.model_copy(update={"size_bytes": size_bytes}),)
    else:
        world.fetch.planned_bytes = size_bytes

    wish = world.work()

    assert (wish.state, wish.reason_code) == ("waiting", "no_space")
    assert len(world.fetch.asked) == (0 if told == "declared" else 1)


def test_parts_that_are_there_already_need_no_room_again(world: World) -> None:
    size_bytes = 10**10
    [offer] = world.resolver.offers_now
    world.resolver.offers_now = (offer.model_copy(update={"size_bytes": size_bytes}),)
    world.folders.room, world.folders.parts = 2 * size_bytes + 2 * 10**10, size_bytes

    assert world.work().state == "ready"


def test_a_wish_that_waited_for_space_goes_on_when_there_is_room(world: World) -> None:
    world.folders.room = 10**9
    waiting = world.work()
    world.folders.room, world.now_s = 10**12, waiting.next_try_at_s

    assert world.work().state == "ready"


def told(world: World) -> list[tuple[str, str]]:
    return [(event.type, event.state) for event in world.news.said]


def test_a_run_is_told_from_its_start_to_its_end(world: World) -> None:
    world.work()

    assert told(world) == [
        ("queue_status", "wanted"),
        ("task_started", "running"),
        ("task_progress", "running"),
        ("task_completed", "ready"),
    ]


@pytest.mark.parametrize(
    ("error", "state"), [(UpstreamFailed("No answer."), "waiting"), (Rejected("Protected."), "refused")]
)
def test_a_run_that_stops_is_told_with_its_reason(world: World, error: KinodomError, state: str) -> None:
    world.fetch.broken["http://demo/a.m3u8"] = error

    world.work()

    assert told(world)[-1] == ("task_failed", state)
    assert world.news.said[-1].reason == error.detail


def test_a_wish_that_is_handed_back_is_told(world: World) -> None:
    world.fetch.broken["http://demo/a.m3u8"] = working.HandedBack("stop")

    with pytest.raises(working.HandedBack):
        world.work()

    assert told(world)[-1] == ("queue_status", "wanted")


def test_a_wish_whose_worker_was_told_to_stop_is_told(world: World) -> None:
    world.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="t", now_s=world.now_s))

    working.hand_back(token="t", tools=world.tools)

    assert told(world)[-1] == ("queue_status", "wanted")


def test_what_is_done_with_a_wish_in_the_queue_is_told(world: World) -> None:
    asking.pause(WISH_ID, desk=world.desk)
    asking.resume(WISH_ID, desk=world.desk)
    asking.move(WISH_ID, None, desk=world.desk)
    asking.forget(WISH_ID, desk=world.desk)

    assert told(world)[1:] == [("queue_status", state) for state in ("paused", "wanted", "wanted", "wanted")]
    assert [event.gone for event in world.news.said] == [False, False, False, False, True]


def test_a_film_that_came_before_its_lease_was_renewed_keeps_what_was_told_of_it(world: World) -> None:
    world.fetch.endless = True

    wish = world.work()

    assert (wish.state, wish.progress.endless, wish.progress.duration_s) == ("ready", True, 40.0)
