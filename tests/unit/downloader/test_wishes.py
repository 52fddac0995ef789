"""The life of a wish, as pure steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import Progress, WishRequest
from kinodom_downloader.domain import pausing
from kinodom_downloader.domain import wishes as rules

CARD = TitleCard(external_id="demo:salt-and-moon", name="Salt and Moon", year=2021, kind="film")


def a_request(**changes: object) -> WishRequest:
    return WishRequest(external_id="demo:salt-and-moon", title=CARD).model_copy(update=changes)


def a_wish(**changes: object) -> rules.StoredWish:
    wish = rules.new_wish(a_request(), now_s=100.0, request_id="r" * 32)
    return replace(wish, **changes)  # type: ignore[arg-type]


def test_the_same_content_has_the_same_id_whoever_asks() -> None:
    one = rules.wish_id_of(a_request(asked_by="ira"))
    two = rules.wish_id_of(a_request(asked_by="timka"))

    assert one == two


@pytest.mark.parametrize(
    "change",
    [
        {"external_id": "demo:paper-fleet"},
        {"season": 1},
        {"episode": 0},
        {"translation_id": "prichal"},
        {"height_px": 720},
    ],
)
def test_other_content_has_another_id(change: dict[str, object]) -> None:
    assert rules.wish_id_of(a_request(**change)) != rules.wish_id_of(a_request())


def test_a_claim_gives_a_lease_and_counts_the_attempt() -> None:
    held = rules.claim(a_wish(), token="one", now_s=200.0)

    assert (held.state, held.token, held.attempt) == ("running", "one", 1)
    assert held.lease_until_s == 200.0 + rules.LEASE_S


def test_a_running_wish_cannot_be_claimed_before_its_lease_lapses() -> None:
    held = rules.claim(a_wish(), token="one", now_s=200.0)

    with pytest.raises(rules.NotClaimable):
        rules.claim(held, token="two", now_s=200.0 + rules.LEASE_S - 0.1)


def test_who_lost_the_lease_can_change_nothing() -> None:
    lapsed = rules.claim(a_wish(), token="one", now_s=200.0)
    taken = rules.claim(lapsed, token="two", now_s=200.0 + rules.LEASE_S)

    for step in (
        lambda: rules.renewed(taken, token="one", now_s=230.0, progress=Progress()),
        lambda: rules.publishing(taken, token="one", now_s=230.0),
        lambda: rules.ready(taken, token="one", now_s=230.0, size_bytes=1),
        lambda: rules.handed_back(taken, token="one", now_s=230.0),
    ):
        with pytest.raises(rules.LeaseLost):
            step()


def test_the_third_death_of_a_worker_over_a_wish_stops_it() -> None:
    wish, now_s = a_wish(), 0.0
    for _ in range(rules.MAX_DEATHS):
        wish = rules.claim(wish, token="t", now_s=now_s)
        now_s += rules.LEASE_S

    with pytest.raises(rules.CrashesWorker, match="died 3 times"):
        rules.claim(wish, token="t", now_s=now_s)


def test_a_wish_that_is_handed_back_counts_no_death() -> None:
    wish = a_wish()
    for _ in range(rules.MAX_DEATHS + 2):
        wish = rules.handed_back(rules.claim(wish, token="t", now_s=0.0), token="t", now_s=1.0)

    assert (wish.state, wish.deaths) == ("wanted", 0)


def test_waiting_grows_longer_and_ends_refused_with_the_same_reason() -> None:
    wish, pauses = a_wish(), []
    while wish.state != "refused":
        held = rules.claim(replace(wish, next_try_at_s=0.0), token="t", now_s=1000.0)
        wish = rules.waiting(held, code="outside_timeout", reason="No answer.", now_s=1000.0)
        pauses.append(wish.next_try_at_s - 1000.0 if wish.state == "waiting" else None)

    assert pauses[:4] == [10.0, 20.0, 40.0, 80.0]
    assert wish.reason_code == "outside_timeout"
    assert wish.reason is not None
    assert wish.reason.startswith("No answer.")


def test_a_source_that_names_its_pause_is_believed_up_to_a_quarter_of_an_hour() -> None:
    held = rules.claim(a_wish(), token="t", now_s=0.0)

    patient = rules.waiting(held, code="c", reason="r", now_s=0.0, retry_after_s=120.0)
    absurd = rules.waiting(held, code="c", reason="r", now_s=0.0, retry_after_s=1e9)

    assert (patient.next_try_at_s, absurd.next_try_at_s) == (120.0, rules.LONGEST_WAIT_S)


def test_a_wish_waits_for_space_for_ever() -> None:
    wish = a_wish(waits=rules.MAX_WAITS - 1)
    held = rules.claim(wish, token="t", now_s=0.0)

    waiting = rules.waiting_for_disk(held, code="no_space", reason="Full.", now_s=0.0)

    assert (waiting.state, waiting.reason_code, waiting.waits) == ("waiting", "no_space", wish.waits)


@pytest.mark.parametrize("state", ["refused", "waiting", "paused"])
def test_asking_again_lets_a_stopped_wish_try_at_once(state: str) -> None:
    again = rules.asked_again(a_wish(state=state, waits=5, deaths=2, reason="r", next_try_at_s=9e9), now_s=300.0)

    assert (again.state, again.waits, again.deaths, again.reason) == ("wanted", 0, 0, None)


@pytest.mark.parametrize("state", ["wanted", "running", "publishing", "ready"])
def test_asking_again_changes_nothing_else(state: str) -> None:
    wish = a_wish(state=state)

    assert rules.asked_again(wish, now_s=300.0) is wish


@pytest.mark.parametrize("state", ["wanted", "waiting", "running"])
def test_a_paused_wish_is_held_by_nobody_and_not_due(state: str) -> None:
    wish = pausing.paused(a_wish(state=state, token="t", lease_until_s=320.0, reason="r"), now_s=300.0)

    assert (wish.state, wish.token, wish.reason, rules.is_due(wish, now_s=9e9)) == ("paused", None, None, False)


@pytest.mark.parametrize("state", ["ready", "refused"])
def test_what_has_ended_cannot_be_paused(state: str) -> None:
    with pytest.raises(pausing.NothingToPause):
        pausing.paused(a_wish(state=state), now_s=300.0)


def test_a_wish_that_is_being_shown_can_be_paused_when_its_worker_has_died() -> None:
    dying = a_wish(state="publishing", token="t", lease_until_s=320.0)

    with pytest.raises(rules.WishBusy):
        pausing.paused(dying, now_s=319.0)

    assert pausing.paused(dying, now_s=320.0).state == "paused"


def test_only_a_paused_wish_is_resumed() -> None:
    refused = a_wish(state="refused")

    assert pausing.resumed(a_wish(state="paused"), now_s=300.0).state == "wanted"
    assert pausing.resumed(refused, now_s=300.0) is refused
