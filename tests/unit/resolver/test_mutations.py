"""Foreign JSON with fields of any type: a bad item is dropped, the rest of the answer stands."""

from __future__ import annotations

import random

import pytest

from kinodom_common.contracts.titles import SearchReply, SourceTitle
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_resolver.sources.internet_archive import InternetArchive
from tests.support.fake_archive import RECORDED_ITEM, sample
from tests.support.mutations import Told, mutated

ROUNDS = 150


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
