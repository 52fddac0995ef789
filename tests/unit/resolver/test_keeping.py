"""Answers that are kept: by rules with a clock of our own, and in a real Redis."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.titles import SearchReply
from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.adapters.redis_line import PREFIX, REST_S, RedisLine, connect
from kinodom_resolver.adapters.redis_shelf import Bounds, RedisShelf
from kinodom_resolver.adapters.saved_file import read_saved
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.keeping import Keeper, Life, import_answers
from kinodom_resolver.domain.questions import KINDS
from kinodom_resolver.domain.wall import Wall
from tests.support.fake_sources import FakeSource, Hanging, film, hit, listed
from tests.support.redis_server import RedisServer

LIVES = {kind: Life(fresh_s=60, kept_s=600) for kind in KINDS}


class Watched(Wall):
    """A wall whose background questions can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []

    def start(self, question, inbox, *, ends_s):  # type: ignore[no-untyped-def]
        if inbox is None:
            self.begun.append(question.words)
        return super().start(question, inbox, ends_s=ends_s)

    def idle(self) -> None:
        """Return when no question is open."""
        for thread in threading.enumerate():
            if thread.name.startswith("ask-"):
                thread.join(30)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    one = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield one
    one.stop()


@pytest.fixture
def clean(server: RedisServer) -> RedisServer:
    with server.client() as client:
        client.flushall()
    return server


class House:
    """One replica of the resolver, as far as keeping goes."""

    def __init__(self, server: RedisServer, clock: Clock, **options: bool) -> None:
        self.wall = Watched()
        self.client = connect(server.url)
        bounds = Bounds(count=1000, total_bytes=1_000_000)
        self.shelf = RedisShelf(RedisLine(self.client), bounds=bounds)
        self.keeper = Keeper(wall=self.wall, shelf=self.shelf, lives=LIVES, now=clock, clock=lambda: 0.0, **options)

    def search(self, query: str, *sources: FakeSource) -> SearchReply:
        return finding.search(query, listed=listed(*sources), wall=self.keeper, deadline_s=30)

    def close(self) -> None:
        self.wall.idle()
        if self.client is not None:
            self.client.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(clean: RedisServer, clock: Clock) -> Iterator[House]:
    one = House(clean, clock)
    yield one
    one.close()


def test_an_answer_is_kept_and_told_with_its_age(house: House, clock: Clock) -> None:
    source = FakeSource("one", [hit("one:1")])
    house.search("Moon", source)
    clock.now_s += 30

    again = house.search("  MOON ", source)

    assert [one.external_id for one in again.hits] == ["one:1"]
    assert [(one.state, one.count, one.age_s) for one in again.sources] == [("answered", 1, 30)]
    assert len(source.asked) == 1


def test_a_stale_answer_is_told_at_once_while_it_is_asked_for_again(house: House, clock: Clock) -> None:
    source = FakeSource("one", [hit("one:1", "Old")])
    house.search("moon", source)
    source.answer = [hit("one:1", "New")]
    clock.now_s += 61

    stale = house.search("moon", source)
    house.wall.idle()
    fresh = house.search("moon", source)

    assert [(reply.hits[0].name, reply.sources[0].age_s) for reply in (stale, fresh)] == [("Old", 61), ("New", 0)]
    assert len(source.asked) == 2


def test_a_stale_answer_outlives_a_source_that_fails(house: House, clock: Clock) -> None:
    source = FakeSource("one", [hit("one:1")])
    house.search("moon", source)
    source.answer = UpstreamFailed("It is down.")
    clock.now_s += 61

    replies = [house.search("moon", source) for _ in range(2)]

    assert [reply.sources[0].state for reply in replies] == ["answered", "answered"]


def test_an_answer_past_its_life_is_gone(house: House, clock: Clock) -> None:
    source = FakeSource("one", [hit("one:1")])
    house.search("moon", source)
    clock.now_s += 601

    reply = house.search("moon", source)

    assert reply.sources[0].age_s is None
    assert len(source.asked) == 2


def test_a_failure_is_not_kept(house: House) -> None:
    source = FakeSource("one", UpstreamFailed("x"))
    house.search("moon", source)
    source.answer = [hit("one:1")]

    reply = house.search("moon", source)

    assert reply.sources[0].count == 1


def offers(house: House, source: FakeSource, *, fresh: bool = False) -> int | None:
    rows = listed(source)
    return finding.offers("one:1", None, None, "x", listed=rows, wall=house.keeper, deadline_s=30, fresh=fresh).age_s


def test_links_are_kept_no_longer_than_they_live(house: House, clock: Clock) -> None:
    ends_at = datetime.fromtimestamp(clock.now_s + 90, UTC)
    offer = Offer(source="?", url="https://example.org/a.m3u8", delivery="hls", expires_at=ends_at)
    source = FakeSource("one", [offer])

    ages = [offers(house, source)]
    clock.now_s += 29
    ages.append(offers(house, source))
    clock.now_s += 1
    ages.append(offers(house, source))

    assert ages == [None, 29, None]


def test_a_fresh_link_is_never_a_kept_one_and_is_kept_itself(house: House, clock: Clock) -> None:
    offer = Offer(source="?", url="https://example.org/a.m3u8", delivery="hls")
    source = FakeSource("one", [offer])
    offers(house, source)
    clock.now_s += 10

    ages = [offers(house, source, fresh=True), offers(house, source)]

    assert ages == [None, 0]
    assert len(source.asked) == 2


def test_a_title_page_is_kept(house: House) -> None:
    source = FakeSource("one", film("one:1"))

    ages = [finding.title("one:1", listed=listed(source), wall=house.keeper, deadline_s=30).age_s for _ in range(2)]

    assert ages == [None, 0]


def test_200_equal_searches_in_two_replicas_ask_each_source_once(clean: RedisServer, clock: Clock) -> None:
    houses = [House(clean, clock), House(clean, clock)]
    hanging = Hanging()
    slow = FakeSource("slow", lambda: [*hanging(), hit("slow:1")])
    quick = FakeSource("quick", [hit("quick:1")])
    counts: list[int] = []

    def ask(house: House) -> None:
        counts.append(len(house.search("moon", slow, quick).hits))

    threads = [threading.Thread(target=ask, args=(houses[number % 2],)) for number in range(200)]
    for thread in threads:
        thread.start()
    hanging.begun.wait(30)
    hanging.let_go.set()
    for thread in threads:
        thread.join(60)

    assert counts == [2] * 200
    assert (len(slow.asked), len(quick.asked)) == (1, 1)
    for house in houses:
        house.close()


def test_answers_survive_a_restart_of_everything(tmp_path: Path, clock: Clock) -> None:
    server = RedisServer(tmp_path, config="appendfsync always").start()
    source = FakeSource("one", [hit("one:1")])
    first = House(server, clock)
    first.search("moon", source)
    first.close()
    server.stop()
    server.start()
    second = House(server, clock)

    reply = second.search("moon", source)

    assert reply.sources[0].age_s == 0
    second.close()
    server.stop()


def test_the_oldest_make_room_in_number_and_in_bytes(clean: RedisServer, clock: Clock) -> None:
    client = connect(clean.url)
    many = RedisShelf(RedisLine(client), bounds=Bounds(count=3, total_bytes=1_000_000))
    small = RedisShelf(RedisLine(client), bounds=Bounds(count=1000, total_bytes=2000))
    house = House(clean, clock)
    keys = [("search", "one", str(number)) for number in range(6)]

    def keep(shelf: RedisShelf, key: tuple[str, str, str], letters: int = 10) -> None:
        clock.now_s += 1
        reply = SearchReply(query="x" * letters)
        import_answers([(key, reply, clock.now_s)], shelf=shelf, lives=LIVES, now_s=clock.now_s)  # type: ignore[list-item]

    for key in keys[:4]:
        keep(many, key)
    kept_by_count = [one is not None for one in many.read(keys[:4])]
    for key in keys[4:]:
        keep(small, key, 1000)
    kept_by_bytes = [one is not None for one in small.read(keys)]

    assert kept_by_count == [False, True, True, True]
    assert kept_by_bytes == [False] * 5 + [True]
    with clean.client() as reader:
        total = sum(int(one) for one in reader.hvals(f"{PREFIX}bytes:search"))
        assert int(reader.get(f"{PREFIX}total:search") or 0) == total <= 2000
    house.close()
    assert client is not None
    client.close()


def test_saving_and_using_can_be_switched_off_apart(clean: RedisServer, clock: Clock) -> None:
    both, use_only, save_only = (
        House(clean, clock),
        House(clean, clock, save=False),
        House(clean, clock, use=False),
    )
    source = FakeSource("one", [hit("one:1")])

    use_only.search("moon", source)
    after_use_only = both.search("moon", source).sources[0].age_s
    save_only.search("moon", source)
    asked_by_save_only = len(source.asked)
    age_in_use_only = use_only.search("moon", source).sources[0].age_s

    assert after_use_only is None
    assert (asked_by_save_only, age_in_use_only) == (3, 0)
    for one in (both, use_only, save_only):
        one.close()


def test_without_redis_all_works_and_is_said_once(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    server = RedisServer(tmp_path)  # never started
    house = House(server, clock)
    source = FakeSource("one", [hit("one:1")])

    replies = [house.search("moon", source) for _ in range(3)]

    assert [len(reply.hits) for reply in replies] == [1, 1, 1]
    assert len(source.asked) == 3
    told = capsys.readouterr()
    assert (told.out + told.err + caplog.text).count("memory_lost") == 1
    house.close()


def test_a_line_that_was_cut_is_tried_again_after_a_rest(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    clock = Clock()
    client = connect(server.url)
    line = RedisLine(client, clock=clock)

    cut = line.do(lambda one: bool(one.ping()), False)
    server.start()
    resting = line.do(lambda one: bool(one.ping()), False)
    clock.now_s += REST_S
    back = line.do(lambda one: bool(one.ping()), False)

    assert (cut, resting, back) == (False, False, True)
    assert client is not None
    client.close()
    server.stop()


def test_a_file_of_saved_answers_is_read_row_by_row(tmp_path: Path, house: House, clock: Clock) -> None:
    good = {
        "kind": "search",
        "source": "one",
        "question": "moon",
        "given_at": datetime.fromtimestamp(clock.now_s - 100, UTC).isoformat(),
        "answer": {"query": "moon", "hits": [{"external_id": "one:1", "name": "Saved", "source": "one"}]},
    }
    rows = [good, {**good, "kind": "magic"}, {**good, "given_at": "yesterday"}, 7, {**good, "answer": {"hits": 1}}]
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"format": "kinodom-saved-1", "answers": rows}))
    source = FakeSource("one", [hit("one:1", "New")])

    done = import_answers(read_saved(path), shelf=house.shelf, lives=LIVES, now_s=clock.now_s)
    reply = house.search("moon", source)

    assert done == 1
    assert [(one.name, reply.sources[0].age_s) for one in reply.hits] == [("Saved", 100)]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "other", "answers": []}', "[" * 100_000])
def test_a_file_that_is_no_file_of_answers_has_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "saved.json"
    path.write_text(content)

    assert read_saved(path) == []
