from __future__ import annotations

from dataclasses import replace

import pytest

from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.domain.ports import NoSuchTitle, NoSuchVideo, TitleHasVideos
from kinodom_catalogue.domain.videos import (
    add_title,
    delete_title,
    delete_video,
    refresh_title,
    register_video,
    title_page,
    title_page_by_alias,
    video,
)
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.ids import title_id_of
from tests.support.catalogue_parts import NOW, Clock, FakeHints, card, video_id, video_in


def register(number: int, wanted: VideoIn, shelf: StoreShelf, hints: FakeHints) -> tuple[str, bool]:
    made, created = register_video(video_id(number), wanted, shelf=shelf, hints=hints, now=NOW)
    return made.title_id, created


def test_the_first_video_makes_its_title_and_asks_for_enrichment(shelf: StoreShelf, hints: FakeHints) -> None:
    title_id, created = register(1, video_in(card(year=1927, genres=("Drama",))), shelf, hints)

    page = title_page(title_id, shelf=shelf)
    assert (title_id, created) == (title_id_of("ia:metropolis"), True)
    assert (page.title.name, page.title.year, page.title.genres) == ("Metropolis", 1927, ("Drama",))
    assert (page.title.videos_count, page.title.size_bytes, page.title.enrich_state) == (1, 1000, "waiting")
    assert [found.video_id for found in page.videos] == [video_id(1)]
    assert hints.given == [(title_id, 0)]


def test_the_same_video_again_changes_nothing(shelf: StoreShelf, hints: FakeHints) -> None:
    title_id, _ = register(1, video_in(), shelf, hints)
    before, mark = title_page(title_id, shelf=shelf), shelf.mark()

    again, created = register(1, video_in(), shelf, hints)

    assert (again, created) == (title_id, False)
    assert title_page(title_id, shelf=shelf) == before
    assert shelf.mark() == mark


def test_a_further_episode_joins_its_title_and_fills_gaps(shelf: StoreShelf, hints: FakeHints) -> None:
    register(1, video_in(card(kind="unknown"), season=1, episode=2), shelf, hints)

    title_id, created = register(2, video_in(card(kind="series", year=1927), season=1, episode=1), shelf, hints)

    page = title_page(title_id, shelf=shelf)
    assert created
    assert [found.episode for found in page.videos] == [1, 2]
    assert (page.title.kind, page.title.year, page.title.videos_count, page.title.size_bytes) == (
        "series", 1927, 2, 2000,
    )  # fmt: skip


@pytest.mark.parametrize("shared", [{"imdb_id": "tt0017136"}, {"shikimori_id": 20}])
def test_two_sources_with_a_name_in_common_are_one_title(
    shelf: StoreShelf, hints: FakeHints, shared: dict[str, object]
) -> None:
    first, _ = register(1, video_in(card("ia:metropolis", **shared)), shelf, hints)

    second, _ = register(2, video_in(card("peertube:abc", "Метрополис", **shared)), shelf, hints)

    stored = shelf.title(first)
    assert second == first
    assert stored is not None
    assert stored.title.external_ids == ("ia:metropolis", "peertube:abc")
    assert stored.other_names == ("Метрополис",)


def test_the_external_id_counts_before_other_names(shelf: StoreShelf, hints: FakeHints) -> None:
    first, _ = register(1, video_in(card("ia:a")), shelf, hints)
    second, _ = register(2, video_in(card("ia:b", imdb_id="tt0000001")), shelf, hints)

    third, _ = register(3, video_in(card("ia:a", imdb_id="tt0000001")), shelf, hints)

    assert first != second
    assert third == first


def test_a_title_goes_with_its_last_video_and_comes_back_under_its_id(shelf: StoreShelf, hints: FakeHints) -> None:
    title_id, _ = register(1, video_in(), shelf, hints)
    register(2, video_in(episode=2), shelf, hints)

    delete_video(video_id(1), shelf=shelf)
    assert title_page(title_id, shelf=shelf).title.videos_count == 1
    delete_video(video_id(2), shelf=shelf)

    with pytest.raises(NoSuchTitle):
        title_page_by_alias("ia:metropolis", shelf=shelf)
    assert register(1, video_in(), shelf, hints) == (title_id, True)
    assert title_page_by_alias("ia:metropolis", shelf=shelf).title.videos_count == 1


def test_a_video_that_is_not_there_is_said_so(shelf: StoreShelf) -> None:
    with pytest.raises(NoSuchVideo):
        video(video_id(9), shelf=shelf)
    with pytest.raises(NoSuchVideo):
        delete_video(video_id(9), shelf=shelf)
    with pytest.raises(NoSuchTitle):
        title_page("t0", shelf=shelf)


def test_figures_that_a_crash_left_behind_are_put_right_by_the_same_message(
    shelf: StoreShelf, hints: FakeHints, clock: Clock
) -> None:
    made, _ = register_video(video_id(1), video_in(), shelf=shelf, hints=hints, now=NOW)
    shelf.put_video(made.model_copy(update={"video_id": video_id(2)}))  # and then the process died

    register(2, video_in(), shelf, hints)

    assert title_page(made.title_id, shelf=shelf).title.videos_count == 2


def test_an_external_id_of_any_length_is_one_alias(shelf: StoreShelf, hints: FakeHints) -> None:
    long = "url:" + "a" * 2000
    first, _ = register(1, video_in(card(long + "x")), shelf, hints)
    second, _ = register(2, video_in(card(long + "y")), shelf, hints)

    assert first != second
    assert title_page_by_alias(long + "x", shelf=shelf).title.title_id == first


def test_a_title_is_put_on_the_shelf_without_a_video_and_stays(shelf: StoreShelf, hints: FakeHints) -> None:
    made, created = add_title(card(year=1927), shelf=shelf, hints=hints, now=NOW)
    again = add_title(card(), shelf=shelf, hints=hints, now=NOW)
    register(1, video_in(), shelf, hints)

    delete_video(video_id(1), shelf=shelf)

    assert (made.year, made.videos_count, created, again[1]) == (1927, 0, True, False)
    assert title_page(made.title_id, shelf=shelf).videos == ()
    assert hints.given[0] == (made.title_id, 0)


def test_a_title_that_came_with_its_video_stays_when_it_is_put_there_too(shelf: StoreShelf, hints: FakeHints) -> None:
    title_id, _ = register(1, video_in(), shelf, hints)

    _, created = add_title(card(), shelf=shelf, hints=hints, now=NOW)
    delete_video(video_id(1), shelf=shelf)

    assert not created
    assert title_page(title_id, shelf=shelf).title.videos_count == 0


def test_a_refresh_takes_over_what_the_source_says_now(shelf: StoreShelf, hints: FakeHints) -> None:
    made, _ = add_title(card(year=1926, description="Old."), shelf=shelf, hints=hints, now=NOW)
    shelf.change_title(
        made.title_id, lambda found: replace(found, title=found.title.model_copy(update={"enrich_state": "nothing"}))
    )

    fresh = refresh_title(
        made.title_id, card(year=1927, description="New.", genres=("Drama",)), shelf=shelf, hints=hints, now=NOW
    )

    assert (fresh.year, fresh.description, fresh.genres, fresh.enrich_state) == (1927, "New.", ("Drama",), "waiting")
    assert hints.given == [(made.title_id, 0)] * 2


def test_a_refresh_does_not_undo_what_a_provider_told(shelf: StoreShelf, hints: FakeHints) -> None:
    made, _ = add_title(card(year=1927), shelf=shelf, hints=hints, now=NOW)
    told = {"enriched_by": "OMDb", "description": "From OMDb."}
    shelf.change_title(made.title_id, lambda found: replace(found, title=found.title.model_copy(update=told)))

    fresh = refresh_title(made.title_id, card(description="From the source."), shelf=shelf, hints=hints, now=NOW)

    assert fresh.description == "From OMDb."


def test_a_title_goes_when_it_has_no_video_and_not_before(shelf: StoreShelf, hints: FakeHints) -> None:
    made, _ = add_title(card(), shelf=shelf, hints=hints, now=NOW)
    register(1, video_in(), shelf, hints)

    with pytest.raises(TitleHasVideos):
        delete_title(made.title_id, shelf=shelf)
    delete_video(video_id(1), shelf=shelf)
    delete_title(made.title_id, shelf=shelf)

    with pytest.raises(NoSuchTitle):
        delete_title(made.title_id, shelf=shelf)
