from __future__ import annotations

from collections.abc import Iterator

import pytest

from kinodom_common.contracts.offers import Offer
from kinodom_common.contracts.titles import SearchReply, SourceTitle
from kinodom_common.egress import AddressRefused
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_common.logs import bound_request_id, request_id
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.ports import Listed
from kinodom_resolver.domain.wall import SourceBroke, SourceSilent, Wall
from tests.support.fake_sources import FakeSource, Hanging, PatientInbox, StillClock, film, hit, listed


class Shelf:
    """A source without search."""

    name = label = "shelf"
    weight = 5
    schemes = frozenset({"shelf"})

    def title(self, external_id: str) -> SourceTitle:
        return film(external_id)

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> list[Offer]:
        return []


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    answer = Hanging()
    yield answer
    answer.let_go.set()


def search(query: str, *sources: FakeSource) -> SearchReply:
    return finding.search(query, listed=listed(*sources), wall=Wall(), deadline_s=60)


def test_hits_stand_in_the_order_of_weight_whoever_answers_first() -> None:
    light = FakeSource("light", [hit("light:1")], weight=1)
    heavy = FakeSource("heavy", [hit("heavy:1"), hit("heavy:2")], weight=9)

    reply = search("  moon ", light, heavy)

    assert reply.query == "moon"
    assert [(one.source, one.external_id) for one in reply.hits] == [
        ("heavy", "heavy:1"),
        ("heavy", "heavy:2"),
        ("light", "light:1"),
    ]
    assert [(one.source, one.state, one.count) for one in reply.sources] == [
        ("heavy", "answered", 2),
        ("light", "answered", 1),
    ]


def test_a_hanging_source_is_silent_at_the_deadline_and_the_rest_is_complete(hanging: Hanging) -> None:
    clock = StillClock()
    wall = Wall(clock=clock, make_inbox=lambda: PatientInbox(clock, expected=1))
    rows = listed(FakeSource("slow", hanging, weight=90), FakeSource("quick", [hit("quick:1")]))

    reply = finding.search("moon", listed=rows, wall=wall, deadline_s=4)

    assert [one.external_id for one in reply.hits] == ["quick:1"]
    assert [(one.source, one.state, one.code, one.took_ms) for one in reply.sources] == [
        ("slow", "silent", "source_silent", 4000),
        ("quick", "answered", None, 0),
    ]
    assert reply.sources[0].detail == "Slow gave no answer in 4 s. Try again in a minute."
    assert clock.now_s == 1004.0


def test_a_source_with_too_many_open_questions_is_not_asked_again(hanging: Hanging) -> None:
    clock = StillClock()
    source = FakeSource("slow", hanging)
    wall = Wall(at_once=2, clock=clock, make_inbox=lambda: PatientInbox(clock, expected=0))

    codes = [finding.search(q, listed=listed(source), wall=wall, deadline_s=4).sources[0].code for q in "abcd"]

    assert codes == ["source_silent", "source_silent", "source_busy", "source_busy"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (UpstreamFailed("It is down."), "upstream_failed"),
        (AddressRefused("Not there."), "address_refused"),
        (KeyError("title"), "source_broke"),
        (RecursionError(), "source_broke"),
        (None, "source_broke"),
        ({"hits": []}, "source_broke"),
        ("text", "source_broke"),
    ],
)
def test_a_source_that_fails_is_silent_with_a_code_and_words(answer: object, code: str) -> None:
    bad = FakeSource("bad", answer)

    reply = search("moon", bad, FakeSource("good", [hit("good:1")]))

    outcome = next(one for one in reply.sources if one.source == "bad")
    assert (outcome.state, outcome.code, outcome.count) == ("silent", code, 0)
    assert outcome.detail
    assert [one.external_id for one in reply.hits] == ["good:1"]


def test_nothing_there_is_an_answer() -> None:
    reply = search("moon", FakeSource("gone", NotFound("Nothing at this address.")), FakeSource("empty", []))

    assert [(one.state, one.count, one.code) for one in reply.sources] == [("answered", 0, None)] * 2


def test_wrong_items_and_ids_of_other_sources_are_dropped() -> None:
    source = FakeSource("mine", [hit("mine:1"), {"external_id": "mine:2"}, None, hit("other:3")])

    reply = search("moon", source)

    assert [(one.external_id, one.source) for one in reply.hits] == [("mine:1", "mine")]


def test_an_address_goes_only_to_sources_that_read_addresses() -> None:
    words = FakeSource("words")
    both = FakeSource("both", reads=frozenset({"words", "address"}))

    reply = search("https://example.org/film.mp4?token=1", words, both)

    assert words.asked == []
    assert [one.source for one in reply.sources] == ["both"]


def test_a_source_may_lack_search() -> None:
    rows = [Listed(name="shelf", label="Shelf", weight=5, source=Shelf()), *listed(FakeSource("other"))]

    reply = finding.search("moon", listed=rows, wall=Wall(), deadline_s=60)

    assert [one.source for one in reply.sources] == ["other"]


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(finding.EmptyQuery):
        search("   ", FakeSource("any"))


def test_the_request_id_goes_along_to_the_source() -> None:
    source = FakeSource("any", lambda: [hit("any:1", request_id())])

    with bound_request_id("abcdefgh12345678"):
        reply = search("moon", source)

    assert reply.hits[0].name == "abcdefgh12345678"


def test_the_scheme_chooses_the_source() -> None:
    one, two = FakeSource("one", film("one:x%2Fy")), FakeSource("two", film("two:1"))

    title = finding.title("one:x%2Fy", listed=listed(one, two), wall=Wall(), deadline_s=60)

    assert (title.source, one.asked, two.asked) == ("one", [("one:x%2Fy",)], [])


def test_an_unknown_scheme_is_no_such_source() -> None:
    with pytest.raises(finding.NoSuchSource, match="kodik:"):
        finding.title("kodik:1", listed=listed(FakeSource("one")), wall=Wall(), deadline_s=60)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (NotFound("x"), finding.NoSuchTitle),
        (UpstreamFailed("x"), UpstreamFailed),
        (ValueError("x"), SourceBroke),
        ({"card": {}}, SourceBroke),
        (film("two:1"), SourceBroke),
    ],
)
def test_a_title_that_cannot_be_had_says_why(answer: object, error: type[Exception]) -> None:
    rows = listed(FakeSource("one", answer))

    with pytest.raises(error):
        finding.title("one:1", listed=rows, wall=Wall(), deadline_s=60)


def test_a_title_of_a_hanging_source_is_an_upstream_failure(hanging: Hanging) -> None:
    clock = StillClock()
    wall = Wall(clock=clock, make_inbox=lambda: PatientInbox(clock, expected=0))

    with pytest.raises(SourceSilent):
        finding.title("slow:1", listed=listed(FakeSource("slow", hanging)), wall=wall, deadline_s=8)


def test_offers_carry_their_source_and_wrong_ones_are_dropped() -> None:
    offer = Offer(source="?", url="https://example.org/a.m3u8", delivery="hls")
    source = FakeSource("one", [offer, {"url": "x"}])

    reply = finding.offers("one:1", 1, 0, "dub", listed=listed(source), wall=Wall(), deadline_s=60)

    assert source.asked == [("one:1", 1, 0, "dub")]
    assert [(one.source, one.url) for one in reply.offers] == [("one", "https://example.org/a.m3u8")]
    assert (reply.season, reply.episode, reply.translation_id) == (1, 0, "dub")


def test_no_offers_and_no_answer_are_different() -> None:
    none = finding.offers("one:1", None, None, "x", listed=listed(FakeSource("one", [])), wall=Wall(), deadline_s=60)

    assert none.offers == ()
    with pytest.raises(UpstreamFailed):
        finding.offers(
            "one:1", None, None, "x", listed=listed(FakeSource("one", UpstreamFailed("x"))), wall=Wall(), deadline_s=60
        )
