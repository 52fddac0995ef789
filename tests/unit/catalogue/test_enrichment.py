from __future__ import annotations

from datetime import timedelta

import pytest

from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.domain.enrichment import (
    OMDB,
    SHIKIMORI,
    TRIES,
    enrich,
    fits,
    note_crash,
    pause_after,
    providers_for,
    wake,
    wanted_of,
)
from kinodom_catalogue.domain.ports import ProviderFacts, ProviderPaused, StoredTitle, Wanted
from kinodom_catalogue.domain.videos import register_video
from kinodom_catalogue.jobs import each, enrich_job, sweep
from kinodom_catalogue.wiring import WorkerDeps
from kinodom_common.contracts.videos import Title
from kinodom_common.errors import UpstreamFailed
from tests.support.catalogue_parts import NOW, Clock, FakeCovers, FakeHints, FakeProvider, card, video_id, video_in

FACTS = ProviderFacts(
    provider="OMDb",
    name="Metropolis",
    original_name="Metropolis",
    other_names=("Метрополис",),
    year=1927,
    kind="film",
    description="A city.",
    genres=("Drama", "Sci-Fi"),
    score=8.3,
    score_by="IMDb",
    imdb_id="tt0017136",
    poster_url="https://posters.example/m.jpg",
)


def a_title(shelf: StoreShelf, **more: object) -> str:
    wanted = video_in(card(**more))  # type: ignore[arg-type]
    made, _ = register_video(video_id(1), wanted, shelf=shelf, hints=FakeHints(), now=NOW)
    return made.title_id


def stored(shelf: StoreShelf, title_id: str) -> StoredTitle:
    found = shelf.title(title_id)
    assert found is not None
    return found


def test_facts_fill_a_title_and_its_own_name_stays(shelf: StoreShelf) -> None:
    title_id = a_title(shelf, name="Метрополис (1927)", description="From the source.")
    covers = FakeCovers()

    state = enrich(title_id, shelf=shelf, providers={OMDB: FakeProvider(FACTS)}, covers=covers, now=NOW)

    title = stored(shelf, title_id).title
    assert state == title.enrich_state == "done"
    assert (title.name, title.original_name, title.year, title.kind) == (
        "Метрополис (1927)",
        "Metropolis",
        1927,
        "film",
    )
    assert (title.description, title.score, title.score_by) == ("A city.", 8.3, "IMDb")
    assert (title.cover, title.enriched_by, title.imdb_id) == ("cover.jpg", "OMDb", "tt0017136")
    assert stored(shelf, title_id).other_names == ("Метрополис",)
    assert shelf.title_id_of("imdb:tt0017136") == title_id
    assert covers.asked == ["https://posters.example/m.jpg"]


def test_what_was_found_once_is_not_asked_again(shelf: StoreShelf) -> None:
    title_id, provider = a_title(shelf), FakeProvider(FACTS)
    enrich(title_id, shelf=shelf, providers={OMDB: provider}, covers=FakeCovers(), now=NOW)

    again = enrich(title_id, shelf=shelf, providers={OMDB: provider}, covers=FakeCovers(), now=NOW)

    assert again is None
    assert len(provider.asked) == 1


def test_nothing_from_anybody_is_an_end_and_the_source_s_poster_is_still_taken(shelf: StoreShelf) -> None:
    title_id = a_title(shelf, poster_url="https://source.example/p.jpg")
    omdb, shikimori = FakeProvider(None), FakeProvider(None)

    state = enrich(title_id, shelf=shelf, providers={OMDB: omdb, SHIKIMORI: shikimori}, covers=FakeCovers(), now=NOW)

    assert state == "nothing"
    assert stored(shelf, title_id).title.cover == "cover.jpg"
    assert len(omdb.asked) == len(shikimori.asked) == 1


def test_the_second_provider_is_asked_only_when_the_first_says_nothing(shelf: StoreShelf) -> None:
    title_id, other = a_title(shelf), FakeProvider(FACTS)
    broken = FakeProvider(UpstreamFailed("away"))

    state = enrich(title_id, shelf=shelf, providers={OMDB: broken, SHIKIMORI: other}, covers=FakeCovers(), now=NOW)

    assert state == "waiting"
    assert other.asked == []


def test_without_providers_enrichment_is_off(shelf: StoreShelf) -> None:
    title_id = a_title(shelf)

    assert enrich(title_id, shelf=shelf, providers={}, covers=FakeCovers(), now=NOW) == "off"


def test_a_demo_film_is_asked_about_nowhere_and_keeps_its_poster(shelf: StoreShelf) -> None:
    title_id = a_title(shelf, external_id="demo:bars", poster_url="http://demo/poster.jpg")
    provider, covers = FakeProvider(FACTS), FakeCovers()

    state = enrich(title_id, shelf=shelf, providers={OMDB: provider}, covers=covers, now=NOW)

    assert (state, provider.asked) == ("off", [])
    assert stored(shelf, title_id).title.cover is not None


def test_trouble_is_tried_again_later_and_ends_after_two_days(shelf: StoreShelf, clock: Clock) -> None:
    title_id, broken = a_title(shelf), FakeProvider(UpstreamFailed("away"))
    states = []

    for number in range(TRIES):
        states.append(enrich(title_id, shelf=shelf, providers={OMDB: broken}, covers=FakeCovers(), now=clock()))
        early = enrich(title_id, shelf=shelf, providers={OMDB: broken}, covers=FakeCovers(), now=clock())
        assert early is None
        clock.forward(seconds=pause_after(number).total_seconds())

    assert states == ["waiting"] * (TRIES - 1) + ["failed"]
    assert len(broken.asked) == TRIES
    assert timedelta(hours=24) < clock() - NOW < timedelta(days=3)


def test_a_paused_provider_is_left_alone_and_that_is_no_failed_try(shelf: StoreShelf) -> None:
    title_id, until = a_title(shelf), NOW + timedelta(hours=12)

    state = enrich(
        title_id, shelf=shelf, providers={OMDB: FakeProvider(ProviderPaused("limit", until))},
        covers=FakeCovers(), now=NOW,
    )  # fmt: skip

    assert (state, stored(shelf, title_id).tries, stored(shelf, title_id).next_try_at) == ("waiting", 0, until)


def test_a_picture_alone_does_not_hold_a_title_up_for_long(shelf: StoreShelf, clock: Clock) -> None:
    title_id, covers = a_title(shelf), FakeCovers(UpstreamFailed("away"))
    states = []

    for _ in range(3):
        states.append(enrich(title_id, shelf=shelf, providers={OMDB: FakeProvider(FACTS)}, covers=covers, now=clock()))
        clock.forward(hours=1)

    assert states == ["waiting", "waiting", "done"]
    assert stored(shelf, title_id).title.cover is None


def test_a_title_that_is_deleted_meanwhile_is_no_error(shelf: StoreShelf) -> None:
    assert enrich("t-gone", shelf=shelf, providers={}, covers=FakeCovers(), now=NOW) is None


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({}, OMDB),
        ({"imdb_id": "tt0017136"}, OMDB),
        ({"shikimori_id": 20}, SHIKIMORI),
        ({"genres": ("Аниме",)}, SHIKIMORI),
        ({"genres": ("Anime", "Drama")}, SHIKIMORI),
        ({"external_ids": ("shikimori:20",)}, SHIKIMORI),
    ],
)
def test_anime_is_shikimori_s_and_the_rest_omdb_s(more: dict[str, object], first: str) -> None:
    title = Title.model_validate({"title_id": "t", "name": "x", "added_at": NOW} | more)

    assert providers_for(title)[0] == first


def test_a_season_in_brackets_is_left_out_of_the_question() -> None:
    title = Title(title_id="t", name="Наруто [ТВ-1]", added_at=NOW)

    assert wanted_of(StoredTitle(title=title)).names == ("Наруто", "Наруто [ТВ-1]")


@pytest.mark.parametrize(
    ("names", "year", "kind", "expected"),
    [
        (("metropolis",), None, "unknown", True),
        (("metropolis",), 1926, "film", True),
        (("metropolis",), 1928, "unknown", True),
        (("metropolis",), 2001, "film", False),
        (("metropolis",), 1927, "series", False),
        (("nosferatu",), 1927, "film", False),
        (("nosferatu", "метрополис"), 1927, "film", True),
    ],
)
def test_a_fit_needs_a_like_name_and_a_near_year(
    names: tuple[str, ...], year: int | None, kind: str, expected: bool
) -> None:
    wanted = Wanted(names=names, year=year, kind=kind, imdb_id=None, shikimori_id=None)  # type: ignore[arg-type]

    assert fits(wanted, FACTS) is expected


def test_titles_without_facts_wait_again_for_a_provider_that_was_switched_on(shelf: StoreShelf) -> None:
    title_id, demo = a_title(shelf), video_in(card("demo:bars"))
    register_video(video_id(2), demo, shelf=shelf, hints=FakeHints(), now=NOW)
    enrich(title_id, shelf=shelf, providers={SHIKIMORI: FakeProvider(None)}, covers=FakeCovers(), now=NOW)

    same = wake(shelf=shelf, providers=[SHIKIMORI], now=NOW)
    more = wake(shelf=shelf, providers=[SHIKIMORI, OMDB], now=NOW)

    assert (same, more) == (0, 1)
    assert stored(shelf, title_id).title.enrich_state == "waiting"


def test_a_source_that_brings_an_id_gives_an_unknown_title_another_try(shelf: StoreShelf) -> None:
    title_id = a_title(shelf)
    enrich(title_id, shelf=shelf, providers={OMDB: FakeProvider(None)}, covers=FakeCovers(), now=NOW)
    hints = FakeHints()

    wanted = video_in(card(imdb_id="tt0017136"), episode=2)
    register_video(video_id(2), wanted, shelf=shelf, hints=hints, now=NOW)

    assert stored(shelf, title_id).title.enrich_state == "waiting"
    assert hints.given == [(title_id, 0)]


def worker(shelf: StoreShelf, clock: Clock, provider: FakeProvider) -> WorkerDeps:
    return WorkerDeps(shelf=shelf, hints=FakeHints(), providers={OMDB: provider}, covers=FakeCovers(), clock=clock)


def test_a_lost_hint_is_given_again_by_the_sweeper(shelf: StoreShelf, clock: Clock) -> None:
    title_id = a_title(shelf)
    deps = worker(shelf, clock, FakeProvider(FACTS))
    assert sweep(deps) == 0  # its own hint has a moment to arrive

    clock.forward(seconds=11)
    given = sweep(deps)
    enrich_job(deps, title_id, "request-1")

    assert given == 1
    assert deps.hints.given == [(title_id, 0)]  # type: ignore[attr-defined]
    assert sweep(deps) == 0


def test_a_job_that_breaks_in_an_unforeseen_way_is_noted_and_tried_again(shelf: StoreShelf, clock: Clock) -> None:
    title_id = a_title(shelf)

    enrich_job(worker(shelf, clock, FakeProvider(ZeroDivisionError())), title_id, "request-1")

    found = stored(shelf, title_id)
    assert (found.title.enrich_state, found.tries) == ("waiting", 1)
    assert found.next_try_at == NOW + timedelta(seconds=30)


def test_a_crash_of_a_title_that_is_done_changes_nothing(shelf: StoreShelf) -> None:
    title_id = a_title(shelf)
    enrich(title_id, shelf=shelf, providers={}, covers=FakeCovers(), now=NOW)

    note_crash(title_id, shelf=shelf, now=NOW)
    note_crash("t-gone", shelf=shelf, now=NOW)

    assert stored(shelf, title_id).tries == 0


def test_the_sweeper_looks_every_fifteen_seconds() -> None:
    now_s, runs = [100.0], []
    maybe = each(15, lambda: runs.append(now_s[0]), lambda: now_s[0])

    for step_s in (0, 5, 5, 5, 14, 1):
        now_s[0] += step_s
        maybe()

    assert runs == [100.0, 115.0, 130.0]
