"""Breakers, and who is asked while one is open: by rules with a clock of our own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from kinodom_common.errors import NotFound, Rejected, UpstreamFailed
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine, connect
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.health import Health, Sentinel, after_failure, after_success
from kinodom_resolver.domain.wall import Wall
from tests.support.fake_sources import FakeSource, Hanging, PatientInbox, StillClock, film, hit, listed
from tests.support.redis_server import RedisServer


class Site:
    """A wall with a watch, on one clock."""

    def __init__(self, line: RedisLine | None = None) -> None:
        self.clock = StillClock()
        self.book = RedisHealth(line or RedisLine(None), clock=self.clock)
        self.watch = Sentinel(self.book, now=self.clock)
        self.wall = Wall(clock=self.clock, watch=self.watch)

    def code(self, *sources: FakeSource, query: str = "moon") -> str | None:
        reply = finding.search(query, listed=listed(*sources), wall=self.wall, deadline_s=4)
        return reply.sources[0].code


def idle() -> None:
    """Return when no question is open."""
    for thread in threading.enumerate():
        if thread.name.startswith("ask-"):
            thread.join(30)


def failed(times: int, *, each_s: float) -> Health:
    health = Health()
    for number in range(times):
        health = after_failure(health, code="x", now_s=1000 + number * each_s)
    return health


@pytest.mark.parametrize(
    ("times", "each_s", "state"),
    [(4, 1, "closed"), (5, 1, "open"), (5, 14, "open"), (5, 15, "closed"), (9, 20, "closed")],
)
def test_five_failures_within_a_minute_open_a_breaker(times: int, each_s: float, state: str) -> None:
    assert failed(times, each_s=each_s).state == state


def test_a_success_closes_it_and_begins_the_count_anew() -> None:
    health = after_success(failed(5, each_s=1), took_ms=100, now_s=1010)

    again = after_failure(health, code="x", now_s=1011)

    assert (health.state, again.state, again.failed_at_s) == ("closed", "closed", (1011,))


def test_the_time_to_answer_is_a_moving_average() -> None:
    health = Health()
    for took_ms in (100.0, 200.0):
        health = after_success(health, took_ms=took_ms, now_s=1000)

    assert health.took_ms == pytest.approx(120)


def test_a_sick_source_is_spared_but_for_one_probe_each_half_minute() -> None:
    site, source = Site(), FakeSource("sick", UpstreamFailed("It is down."))

    codes = [site.code(source, query=str(number)) for number in range(9)]
    idle()
    asked_at_first = len(source.asked)
    site.clock.now_s += 31
    later = [site.code(source, query=f"later {number}") for number in range(3)]
    idle()

    assert codes == ["upstream_failed"] * 5 + ["source_resting"] * 4
    assert later == ["source_resting"] * 3
    assert (asked_at_first, len(source.asked)) == (6, 7)  # five failures, then a probe at once and one later


def test_a_probe_that_is_answered_brings_the_source_back() -> None:
    site, source = Site(), FakeSource("sick", UpstreamFailed("It is down."))
    for number in range(7):
        site.code(source, query=str(number))
    idle()
    source.answer = [hit("sick:1")]
    site.clock.now_s += 31

    probing = site.code(source)
    idle()
    after = site.code(source)

    assert (probing, after) == ("source_resting", None)
    assert site.book.get("sick").last_code == "upstream_failed"


def test_who_opens_a_title_waits_for_the_probe() -> None:
    site, source = Site(), FakeSource("sick", UpstreamFailed("It is down."))
    for number in range(7):
        site.code(source, query=str(number))
    idle()
    source.answer = film("sick:1")
    site.clock.now_s += 31

    title = finding.title("sick:1", listed=listed(source), wall=site.wall, deadline_s=60)

    assert title.source == "sick"


def test_a_sick_source_leaves_the_healthy_alone() -> None:
    site = Site()
    sick, well = FakeSource("sick", KeyError("x"), weight=90), FakeSource("well", [hit("well:1")])

    codes = [site.code(sick, well) for _ in range(7)]

    assert codes[-1] == "source_resting"
    assert len(well.asked) == 7
    assert site.book.get("well").state == "closed"


@pytest.mark.parametrize("answer", [NotFound("x"), Rejected("x"), []])
def test_nothing_there_and_a_wrong_question_are_no_illness(answer: object) -> None:
    site, source = Site(), FakeSource("one", answer)

    for _ in range(9):
        site.code(source)

    assert len(source.asked) == 9


def test_addresses_that_people_type_say_nothing_of_the_source() -> None:
    site, source = Site(), FakeSource("direct", UpstreamFailed("x"), reads=frozenset({"address"}))

    codes = {site.code(source, query=f"https://example.org/{number}") for number in range(9)}

    assert codes == {"upstream_failed"}


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    answer = Hanging()
    yield answer
    answer.let_go.set()


def test_silence_is_a_failure_and_is_counted_once_for_all_who_waited(hanging: Hanging) -> None:
    site = Site()
    site.wall = Wall(clock=site.clock, watch=site.watch, make_inbox=lambda: PatientInbox(site.clock, expected=0))
    source = FakeSource("slow", hanging)

    for _ in range(3):
        site.code(source)

    assert len(site.book.get("slow").failed_at_s) == 1
    assert site.book.get("slow").last_code == "source_silent"


def test_health_is_shared_and_survives_in_redis(tmp_path: object) -> None:
    server = RedisServer(tmp_path).start()  # type: ignore[arg-type]
    clients = [connect(server.url), connect(server.url)]
    here, there = (Site(RedisLine(client)) for client in clients)
    source = FakeSource("sick", UpstreamFailed("x"))
    for number in range(5):
        here.code(source, query=str(number))

    code = there.code(source)
    idle()

    assert code == "source_resting"
    assert there.book.get("sick").last_code == "upstream_failed"
    for client in clients:
        assert client is not None
        client.close()
    server.stop()
