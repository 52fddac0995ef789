"""Foreign JSON with fields of any type: a bad item is dropped, the rest of the answer stands."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest

from kinodom_common.contracts.titles import SearchReply, SourceTitle
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.internet_archive import InternetArchive
from tests.support.fake_archive import RECORDED_ITEM, sample

ROUNDS = 150
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", " ", "x" * 20_000, "\ud800", "a\x00b", "<b>",
    "&#0;", [], [None], [[]], ["a", 1], {}, {"a": {}}, "../..", "12:61", "9" * 5000,
)  # fmt: skip


class Told:
    """Stands for the way out; gives the values it was made with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_json(self, url: str) -> Any:
        return self.value

    def get(self, url: str, **_: object) -> Any:
        raise AssertionError("not asked for")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found


def mutated(value: Any, chance: random.Random) -> Any:
    copy = deepcopy(value)
    for _ in range(chance.randint(1, 12)):
        container, key = chance.choice(places(copy))
        container[key] = deepcopy(chance.choice(ODD))
        if not places(copy):
            break
    return copy


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_mutated_search_reply_gives_sendable_hits_or_an_upstream_failure(seed: int) -> None:
    reply = mutated(sample("advancedsearch.json"), random.Random(seed))
    source = InternetArchive("https://archive.test", Told(reply))

    try:
        hits = source.search("toys")
    except UpstreamFailed:
        hits = ()

    SearchReply(query="toys", hits=tuple(hits)).model_dump_json()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_mutated_item_gives_a_sendable_title_or_a_known_error(seed: int) -> None:
    reply = mutated(sample("metadata_video_item.json"), random.Random(seed))
    source = InternetArchive("https://archive.test", Told(reply))

    try:
        title: SourceTitle | None = source.title(f"ia:{RECORDED_ITEM}")
        offers = source.offers(f"ia:{RECORDED_ITEM}", None, None, "original")
    except (UpstreamFailed, NotFound):
        title, offers = None, ()

    if title is not None:
        title.model_dump_json()
    for offer in offers:
        offer.model_dump_json()


def test_one_bad_film_costs_only_itself() -> None:
    docs = [{"identifier": "good", "title": "Good"}, {"identifier": ["a/b"], "title": "Bad"}, 7, {"title": "Nameless"}]
    source = InternetArchive("https://archive.test", Told({"response": {"docs": docs}}))

    hits = source.search("any")

    assert [hit.external_id for hit in hits] == ["ia:good"]
