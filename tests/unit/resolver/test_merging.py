from __future__ import annotations

import pytest

from kinodom_common.contracts.titles import TitleHit
from kinodom_resolver.domain.merging import groups_of


def hit(source: str, name: str = "Moon", **fields: object) -> TitleHit:
    return TitleHit.model_validate({"external_id": f"{source}:1", "source": source, "name": name, **fields})


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"imdb_id": "tt0000417"}, {"imdb_id": "tt0000417", "name": "La Lune"}, "imdb_id"),
        ({"shikimori_id": 5}, {"shikimori_id": 5, "year": 1999}, "shikimori_id"),
        ({"year": 1902}, {"year": 1902, "name": "  MÓON! "}, "name_year_kind"),
        ({"year": 1902, "kind": "film"}, {"year": 1902, "name": "x", "original_name": "moon"}, "name_year_kind"),
        ({"year": 1902, "name": "Чёрная луна"}, {"year": 1902, "name": "Черная Луна"}, "name_year_kind"),
    ],
)
def test_hits_of_one_title_are_one_group_with_the_reason(
    one: dict[str, object], other: dict[str, object], reason: str
) -> None:
    (group,) = groups_of([hit("a", **one), hit("b", **other)])  # type: ignore[arg-type]

    assert [(member.source, member.reason) for member in group.members] == [("a", None), ("b", reason)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),  # the same name, and no year
        ({"year": 1902}, {"year": 1903}),
        ({"year": 1902, "kind": "film"}, {"year": 1902, "kind": "series"}),
        ({"year": 1902, "imdb_id": "tt0000417"}, {"year": 1902, "imdb_id": "tt0000418"}),
        ({"year": 1902, "name": "!!!"}, {"year": 1902, "name": "???"}),
        ({"imdb_id": "tt0000417", "shikimori_id": 1}, {"imdb_id": "tt0000417", "shikimori_id": 2}),
    ],
)
def test_what_is_not_certain_stays_apart(one: dict[str, object], other: dict[str, object]) -> None:
    assert len(groups_of([hit("a", **one), hit("b", **other)])) == 2  # type: ignore[arg-type]


def test_two_hits_of_one_source_are_two_titles_and_every_hit_is_in_a_group() -> None:
    hits = [hit("a", year=1902), hit("a", year=1902), hit("b", year=1902)]

    groups = groups_of(hits)

    assert [[member.source for member in group.members] for group in groups] == [["a", "b"], ["a"]]


def test_a_group_knows_what_any_of_its_hits_knows() -> None:
    (group,) = groups_of([hit("a", imdb_id="tt0000417"), hit("b", imdb_id="tt0000417", year=1902, kind="film")])

    assert (group.name, group.year, group.kind) == ("Moon", 1902, "film")
