from __future__ import annotations

import pytest

from kinodom_catalogue.adapters.search_index import FreshIndex, NameIndex
from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.domain.ports import StoredTitle, Which
from kinodom_catalogue.domain.shelves import NoSuchPage, list_titles
from kinodom_catalogue.domain.videos import delete_video, register_video
from kinodom_common.contracts.videos import Title
from tests.support.catalogue_parts import NOW, Clock, FakeHints, card, video_id, video_in

SHELF = [
    ("Metropolis", None, 1927),
    ("Метрополис", "Metoroporisu", 2001),
    ("Наруто", "Naruto", 2002),
    ("Наруто: Ураганные хроники", "Naruto: Shippuuden", 2007),
    ("Атака титанов", "Shingeki no Kyojin", 2013),
    ("The Matrix", None, 1999),
    ("Амели", "Le Fabuleux Destin d'Amélie Poulain", 2001),
    ("Брат", None, 1997),
    ("Брат 2", None, 2000),
    ("2001: A Space Odyssey", None, 1968),
    ("Sita Sings the Blues", None, 2008),
    ("Ёлки", None, 2010),
    ("Чернобыль", "Chernobyl", 2019),
    ("Кулинарные скитания в параллельном мире", "Tondemo Skill de Isekai Hourou Meshi", 2023),
]


@pytest.fixture(scope="module")
def index() -> NameIndex:
    index = NameIndex()
    for name, original, year in SHELF:
        title = Title(title_id=f"{name} {year}", name=name, original_name=original, year=year, added_at=NOW)
        index.put(StoredTitle(title=title))
    return index


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Metropolis", "Metropolis 1927"),
        ("metropolys", "Metropolis 1927"),  # a typo
        ("metrpolis", "Metropolis 1927"),  # a letter is missing
        ("naruto", "Наруто 2002"),
        ("наруто", "Наруто 2002"),
        ("наурто", "Наруто 2002"),  # two letters changed places
        ("yfhenj", "Наруто 2002"),  # the wrong keyboard layout
        ("нару", "Наруто 2002"),  # the beginning of a word
        ("shippuuden", "Наруто: Ураганные хроники 2007"),
        ("naruto ураган", "Наруто: Ураганные хроники 2007"),  # two alphabets
        ("singeki", "Атака титанов 2013"),
        ("сингэки", "Атака титанов 2013"),  # the original name, in Cyrillic
        ("титанов атака", "Атака титанов 2013"),
        ("матрикс", "The Matrix 1999"),
        ("matrix", "The Matrix 1999"),
        ("amelie", "Амели 2001"),
        ("амели", "Амели 2001"),
        ("брат", "Брат 1997"),
        ("брат 2", "Брат 2 2000"),
        ("brat 2", "Брат 2 2000"),
        ("2001", "2001: A Space Odyssey 1968"),
        ("sings blues", "Sita Sings the Blues 2008"),
        ("елки", "Ёлки 2010"),
        ("chernobil", "Чернобыль 2019"),
        ("кулинарнные скитания", "Кулинарные скитания в параллельном мире 2023"),
        ("параллель", "Кулинарные скитания в параллельном мире 2023"),
        ("метрополис", "Метрополис 2001"),  # the same word in two alphabets
        ("metropolis 2001", "Метрополис 2001"),  # with the year
        ("isekai meshi", "Кулинарные скитания в параллельном мире 2023"),
    ],
)
def test_what_people_type_finds_what_they_mean(index: NameIndex, query: str, first: str) -> None:
    assert index.best(query)[:1] == [first]


@pytest.mark.parametrize("query", ["", "   ", "!!!", "zzzzzz", "брат 7", "бетховен", "x" * 300])
def test_what_is_not_there_is_not_found(index: NameIndex, query: str) -> None:
    assert index.best(query) == []


def fill(shelf: StoreShelf, clock: Clock, *names: str) -> None:
    for number, name in enumerate(names):
        clock.forward(seconds=1)
        wanted = video_in(card(f"ia:{name.replace(' ', '_')}", name))
        register_video(video_id(hash(name) % 10**9 + number), wanted, shelf=shelf, hints=FakeHints(), now=clock())


def found_by(index: FreshIndex, shelf: StoreShelf, query: str | None, **more: object) -> list[str]:
    asked = {"limit": 10, "after": None} | more
    return [title.name for title in list_titles(query, shelf=shelf, index=index, **asked).titles]  # type: ignore[arg-type]


def test_the_index_follows_the_store(shelf: StoreShelf, clock: Clock) -> None:
    index = FreshIndex(shelf, clock)
    fill(shelf, clock, "Metropolis")
    assert found_by(index, shelf, "metro") == ["Metropolis"]

    clock.forward(hours=1)
    fill(shelf, clock, "Metro")
    wanted = video_in(card("ia:x", "Nosferatu"))
    register_video(video_id(7), wanted, shelf=shelf, hints=FakeHints(), now=clock())

    assert found_by(index, shelf, "metro") == ["Metro", "Metropolis"]
    assert found_by(index, shelf, "nosferatu") == ["Nosferatu"]
    delete_video(video_id(7), shelf=shelf)
    assert found_by(index, shelf, "nosferatu") == []


def test_a_question_reads_titles_only_when_something_changed(shelf: StoreShelf, clock: Clock) -> None:
    class CountingShelf(StoreShelf):
        reads = 0

        def touched_since(self, begin: object) -> list[StoredTitle]:  # type: ignore[override]
            self.reads += 1
            return shelf.touched_since(begin)  # type: ignore[arg-type]

    counting = CountingShelf.__new__(CountingShelf)
    counting.__dict__ |= shelf.__dict__
    fill(shelf, clock, "Metropolis", "Nosferatu")
    index = FreshIndex(counting, clock)

    for _ in range(5):
        index.best("metropolis")

    assert counting.reads == 1


def test_without_a_question_the_newest_come_first_page_by_page(shelf: StoreShelf, clock: Clock) -> None:
    fill(shelf, clock, "One", "Two", "Three", "Four", "Five")
    index = FreshIndex(shelf, clock)

    first = list_titles(None, limit=2, after=None, shelf=shelf, index=index)
    second = list_titles("  ", limit=2, after=first.titles[-1].title_id, shelf=shelf, index=index)

    assert [title.name for title in first.titles] == ["Five", "Four"]
    assert [title.name for title in second.titles] == ["Three", "Two"]
    assert first.total == second.total == 5


def test_a_search_has_pages_too(shelf: StoreShelf, clock: Clock) -> None:
    fill(shelf, clock, "Metro one", "Metro two", "Metro three")
    index = FreshIndex(shelf, clock)

    first = list_titles("metro", limit=2, after=None, shelf=shelf, index=index)
    second = list_titles("metro", limit=2, after=first.titles[-1].title_id, shelf=shelf, index=index)

    assert len(first.titles) == 2
    assert len(second.titles) == 1
    assert first.total == second.total == 3


@pytest.mark.parametrize("query", [None, "metro"])
def test_a_page_after_a_title_that_is_gone_is_refused(shelf: StoreShelf, clock: Clock, query: str | None) -> None:
    fill(shelf, clock, "Metro")

    with pytest.raises(NoSuchPage):
        list_titles(query, limit=2, after="t-gone", shelf=shelf, index=FreshIndex(shelf, clock))


def test_what_fits_a_question_is_sifted_and_put_in_the_order_asked_for(shelf: StoreShelf, clock: Clock) -> None:
    for number, year in enumerate((1927, 2001, 1994)):
        title = card(f"ia:{number}", f"Metropolis {year}", year=year, kind="series" if year == 1994 else "film")
        register_video(video_id(number), video_in(title), shelf=shelf, hints=FakeHints(), now=NOW)
    index = FreshIndex(shelf, clock)

    found = list_titles(
        "metropolis", which=Which(order="year", kind="film"), limit=9, after=None, shelf=shelf, index=index
    )

    assert ([title.year for title in found.titles], found.total) == ([2001, 1927], 2)
