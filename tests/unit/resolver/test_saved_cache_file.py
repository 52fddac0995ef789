"""The cache file of Kodik-Download-Watch becomes answers of Kodik; nothing in it that has died comes along."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from kinodom_common.contracts.titles import SearchReply, SourceTitle
from kinodom_resolver.adapters.saved_file import read_saved
from kinodom_resolver.domain.keeping import Life, import_answers
from kinodom_resolver.sources.kodik import Kodik
from tests.support.fake_kodik import FakeKodik, result, seasons
from tests.support.mutations import mutated

DEAD = "//cloud.kodik-storage.com/useruploads/0/1:2026022509/"


def voice(number: object, name: str, kind: str = "Озвучка", **fields: object) -> dict[str, object]:
    return {"id": number, "type": kind, "name": name, **fields}


def record(title: str, *voices: dict[str, object], count: int = 2, **fields: object) -> dict[str, Any]:
    return {
        "title": title, "image": "https://shikimori.io/p.jpeg", "score": "8.5", "status": "онгоинг",
        "date": "с 14 янв. 2026 г.", "year": "2026", "type": "TV Сериал", "rating": "PG-13", "description": "О море.",
        "last_updated": 1_000.5, "related": [], "urls": {"610": {"1": DEAD}},
        "serial_data": {"series_count": count, "translations": list(voices)}, **fields,
    }  # fmt: skip


FILE = {
    "sh60058": record("Море 3", voice("610", "AniLibria.TV (2 эп.)"), voice("5", "S.Subtitles (0-1 эп.)", "Субтитры")),
    "shz20": record("Море", voice("7", "Студия", series_count=1), description="Нет описания"),
    "kp435": record("Лодка", voice("7", "Студия"), count=0, image="static/no.png"),
    "sh1": {"title": "Без данных", "last_updated": 900},
    "sh2": record("Без времени", last_updated="давно"),
    "sh3": record(""),
    "nonsense": 7,
}


def saved(tmp_path: Path, content: object) -> dict[tuple[str, str], Any]:
    path = tmp_path / "cache.json"
    path.write_text(json.dumps(content))
    return {(kind, question): value for (kind, source, question), value, _ in read_saved(path) if source == "kodik"}


def episodes(page: SourceTitle) -> dict[str, list[int | None]]:
    return {one.translation_id: [ref.episode for ref in one.episodes] for one in page.translations}


def test_a_record_is_a_title_page_with_its_voices_and_their_episodes(tmp_path: Path) -> None:
    page = saved(tmp_path, FILE)["title", "shikimori:60058"]

    card = page.card
    assert (card.name, card.year, card.kind, card.shikimori_id, card.description) == (
        "Море 3", 2026, "series", 60058, "О море.",
    )  # fmt: skip
    assert [(one.name, one.kind) for one in page.translations] == [
        ("AniLibria.TV", "voice"),
        ("S.Subtitles", "subtitles"),
    ]
    assert episodes(page) == {"610": [1, 2], "5": [0, 1]}


def test_a_search_for_its_title_finds_it_and_the_letter_of_a_claim_is_dropped(tmp_path: Path) -> None:
    found = saved(tmp_path, FILE)

    assert [hit.external_id for hit in found["search", "море"].hits] == ["shikimori:20"]
    assert found["title", "shikimori:20"].card.description is None
    assert [hit.episodes for hit in found["search", "без данных"].hits] == [None]


def test_a_film_of_kinopoisk_has_no_episodes(tmp_path: Path) -> None:
    page = saved(tmp_path, FILE)["title", "kinopoisk:435"]

    assert (page.card.kind, page.card.poster_url, episodes(page)) == ("film", None, {"7": [None]})


def test_no_address_of_a_film_comes_along(tmp_path: Path) -> None:
    answers = saved(tmp_path, FILE)

    assert {kind for kind, _ in answers} == {"search", "title"}
    assert not any(DEAD in value.model_dump_json() for value in answers.values())


def test_records_that_tell_nothing_cost_themselves(tmp_path: Path) -> None:
    questions = {question for _, question in saved(tmp_path, FILE)}

    assert questions == {"море 3", "море", "лодка", "без данных", "shikimori:60058", "shikimori:20", "kinopoisk:435"}


def test_titles_of_one_name_are_found_together(tmp_path: Path) -> None:
    found = saved(tmp_path, {"sh1": record("Море", voice("7", "A")), "kp2": record(" море ", voice("7", "A"))})

    assert [hit.external_id for hit in found["search", "море"].hits] == ["shikimori:1", "kinopoisk:2"]


def test_answers_live_from_when_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_text(json.dumps({"sh1": record("Море", voice("7", "A (1 эп.)"))}))
    lives = {kind: Life(fresh_s=10, kept_s=100) for kind in ("search", "title", "offers")}

    class Shelf:
        kept: list[object] = []  # noqa: RUF012  # one test

        def read(self, keys: Any) -> Any:
            return [None] * len(keys)

        def keep(self, key: object, kept: object, *, now_s: float) -> None:
            self.kept.append(key)

    young = import_answers(read_saved(path), shelf=Shelf(), lives=lives, now_s=1_050)  # type: ignore[arg-type]
    old = import_answers(read_saved(path), shelf=Shelf(), lives=lives, now_s=1_200)  # type: ignore[arg-type]

    assert (young, old) == (2, 0)


def test_an_episode_of_a_season_that_nobody_knows_is_that_of_the_only_one(
    kodik: FakeKodik, kodik_source: Kodik
) -> None:
    kodik.results = [result("serial-1", shikimori_id="7", seasons=seasons(3, episodes=(1,)))]

    alone = kodik_source.offers("shikimori:7", None, 1, "610")
    kodik.results = [result("serial-1", shikimori_id="7", seasons=seasons(2, 3, episodes=(1,)))]
    several = kodik_source.offers("shikimori:7", None, 1, "610")

    assert (len(alone), len(several)) == (3, 0)


@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_file_gives_sendable_answers(tmp_path: Path, seed: int) -> None:
    for value in saved(tmp_path, mutated(FILE, random.Random(seed))).values():
        assert isinstance(value, SearchReply | SourceTitle)
        value.model_dump_json()
