"""Reads the cache file of Kodik-Download-Watch (`cache.json`): what it knew of titles becomes answers of Kodik.

    {"sh60058": {"title": "…", "image": "https://…", "year": "2026", "type": "TV Сериал", "description": "…",
                 "last_updated": 1771967678.29, "urls": {…},
                 "serial_data": {"series_count": 6, "translations": [
                     {"id": "3861", "type": "Озвучка", "name": "AniLiberty (6 эп.)", "series_count": 6}]}}}

The key is `sh` and a number of Shikimori, or `kp` and one of Kinopoisk. Addresses in `urls` died within a day, so they
are left behind, as are marks, ratings and related titles, which other parts of the house know. The file does not tell
seasons: its episodes have none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SearchReply, SourceTitle, TitleCard, TitleHit, Translation
from kinodom_resolver.sources.reading import address_of, count_of, float_of, mapping_of, mappings_of, text_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_resolver.domain.questions import QuestionKind, Told

SOURCE: Final = "kodik"
KEY: Final = re.compile(r"(?P<base>sh|kp)[a-z]{0,3}(?P<number>\d{1,9})")
SCHEMES: Final = {"sh": "shikimori", "kp": "kinopoisk"}
COUNT: Final = re.compile(r"\s*\((?:(?P<first>\d{1,5})\s*[-~]\s*)?(?P<last>\d{1,5})\s*эп[^)]*\)\s*$")
FILM: Final = "Фильм"
NO_WORDS: Final = frozenset({"Нет описания", "Неизвестно"})
Saved = tuple[tuple["QuestionKind", str, str], "Told", float]


def is_cache_file(content: object) -> bool:
    """Say whether a file looks like one: its keys are ids of titles."""
    return isinstance(content, dict) and any(KEY.fullmatch(str(key)) for key in content)


def answers_in(content: Mapping[str, object]) -> tuple[list[Saved], int]:
    """Return what the file tells as answers (key, answer, seconds since 1970), and how many records told nothing."""
    pages: list[Saved] = []
    found: dict[str, tuple[list[TitleHit], float]] = {}
    for key, value in content.items():
        record = mapping_of(value)
        given_s, page = float_of(record.get("last_updated")), _page(key, record)
        if page is None or given_s is None:
            continue
        words = " ".join(page.card.name.casefold().split())
        hits, oldest_s = found.get(words, ([], given_s))
        found[words] = ([*hits, _hit(page)], min(oldest_s, given_s))
        if page.translations:
            pages.append((("title", SOURCE, page.card.external_id), page, given_s))
    told = sum(len(hits) for hits, _ in found.values())
    searches: list[Saved] = [
        (("search", SOURCE, words), SearchReply(query=words, hits=tuple(hits)), given_s)
        for words, (hits, given_s) in found.items()
    ]
    return [*searches, *pages], len(content) - told


def _page(key: str, record: Mapping[str, object]) -> SourceTitle | None:
    match = KEY.fullmatch(key)
    if match is None:
        return None
    told = mapping_of(record.get("serial_data"))
    film = text_of(record.get("type")) == FILM or told.get("series_count") == 0
    description = text_of(record.get("description"), longest=5000)
    try:
        card = TitleCard(
            external_id=f"{SCHEMES[match['base']]}:{int(match['number'])}",
            name=" ".join((text_of(record.get("title"), longest=300) or "").split()),
            year=year_of(record.get("year")),
            kind="film" if film else "series",
            description=None if description in NO_WORDS else description,
            poster_url=address_of("", record.get("image")),
            shikimori_id=int(match["number"]) if match["base"] == "sh" else None,
        )
    except ValidationError:
        return None
    voices = (_voice(one, film=film) for one in mappings_of(told.get("translations")))
    return SourceTitle(source=SOURCE, card=card, translations=tuple(one for one in voices if one is not None))


def _voice(raw: Mapping[str, object], *, film: bool) -> Translation | None:
    name, number = text_of(raw.get("name"), longest=200) or "", count_of(raw.get("id"))
    match = COUNT.search(name)
    first = int(match["first"]) if match and match["first"] else 1
    last = int(match["last"]) if match else count_of(raw.get("series_count")) or 0
    episodes = (
        [EpisodeRef()] if film else [EpisodeRef(episode=one) for one in range(first, min(last, first + 5000) + 1)]
    )
    if number is None or not episodes:
        return None
    subtitles = text_of(raw.get("type")) == "Субтитры"
    return Translation(
        translation_id=str(number),
        name=COUNT.sub("", name) or f"№ {number}",
        kind="subtitles" if subtitles else "voice",
        language=None if subtitles else "ru",
        episodes=tuple(episodes),
    )


def _hit(page: SourceTitle) -> TitleHit:
    counts = [len(one.episodes) for one in page.translations]
    return TitleHit(
        **page.card.model_dump(),
        source=SOURCE,
        dubs=tuple(dict.fromkeys(one.name for one in page.translations)),
        episodes=max(counts, default=None) if page.card.kind == "series" else None,
    )
