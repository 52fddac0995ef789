"""From results to titles: all voices of one title become one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kinodom_resolver.sources.kodik.records import Record
    from kinodom_resolver.sources.kodik.typed import Lookup

T = TypeVar("T")

LONGEST_ID: Final = 2000


def external_id_of(record: Record) -> str:
    """Return the name of the title a result belongs to; the same for all of its voices."""
    if record.shikimori_id is not None:
        return f"shikimori:{record.shikimori_id}"
    if record.kinopoisk_id is not None:
        return f"kinopoisk:{record.kinopoisk_id}"
    if record.imdb_id is not None:
        return f"imdb:{record.imdb_id}"
    if record.title_orig is not None and record.year is not None:
        by_name = f"kodik:{record.year}.{quote(record.title_orig, safe='')}"
        if len(by_name) <= LONGEST_ID:
            return by_name
    return f"kodik:{record.record_id}"


def grouped(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the results of each title, both in the order in which Kodik gave them."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(external_id_of(record), []).append(record)
    return groups


def chosen(records: Iterable[Record], lookup: Lookup, external_id: str) -> tuple[str, list[Record]]:
    """Return the one title that an id stands for, and its results; empty when none of them fits.

    Kinopoisk has one id for what Shikimori lists as several titles. The same one is taken every time: the one that
    goes by the id itself, else the one with the lowest number at Shikimori.
    """
    if lookup.field == "id":
        fitting = [record for record in records if record.record_id == lookup.value]
        return (external_id, fitting)
    groups = grouped(one for one in records if _fits(one, lookup))
    if external_id in groups or not groups:
        return external_id, groups.get(external_id, [])
    if lookup.field == "title_orig":
        return external_id, []
    return external_id, min(groups.values(), key=lambda group: (group[0].shikimori_id or 0, external_id_of(group[0])))


def _fits(record: Record, lookup: Lookup) -> bool:
    """Return whether the result has the id that was asked for; what it does not say, Kodik is believed."""
    said = {
        "shikimori_id": str(record.shikimori_id) if record.shikimori_id is not None else None,
        "kinopoisk_id": record.kinopoisk_id,
        "imdb_id": record.imdb_id,
    }.get(lookup.field)
    return said is None or said == lookup.value


def card_of(external_id: str, group: Sequence[Record]) -> TitleCard | None:
    """Return what is known of a title; a fact that one result lacks is taken from the next."""
    first = group[0]
    try:
        return TitleCard(
            external_id=external_id,
            name=first.title,
            original_name=_first(one.title_orig for one in group),
            year=_first(one.year for one in group),
            kind=first.kind,
            description=_first(one.material.description for one in group),
            poster_url=_first(one.material.poster_url for one in group) or _first(_screenshot(one) for one in group),
            genres=_first(one.material.genres or None for one in group) or (),
            people=_first(one.material.people or None for one in group) or (),
            imdb_id=_first(one.imdb_id for one in group),
            shikimori_id=_first(one.shikimori_id for one in group),
        )
    except ValidationError:
        return None


def hit_of(source: str, external_id: str, group: Sequence[Record]) -> TitleHit | None:
    """Return a title as it stands among hits."""
    card = card_of(external_id, group)
    if card is None:
        return None
    counts = [count for one in group if (count := one.episodes_count or one.last_episode) is not None]
    dubs = tuple(dict.fromkeys(one.translation_name for one in _voices_first(group)))
    episodes = max(counts, default=None) if card.kind == "series" else None
    return TitleHit(**card.model_dump(), source=source, dubs=dubs, episodes=episodes)


def hit_of_title(title: SourceTitle) -> TitleHit:
    """Return a title that was opened as a hit."""
    counts = [len(one.episodes) for one in title.translations]
    return TitleHit(
        **title.card.model_dump(),
        source=title.source,
        dubs=tuple(dict.fromkeys(one.name for one in title.translations)),
        episodes=max(counts, default=None) if title.card.kind == "series" else None,
    )


def title_of(source: str, external_id: str, group: Sequence[Record]) -> SourceTitle | None:
    """Return a title with its translations, voices before subtitles."""
    card = card_of(external_id, group)
    if card is None:
        return None
    voices: dict[str, list[Record]] = {}
    for record in _voices_first(group):
        voices.setdefault(record.translation_id, []).append(record)
    return SourceTitle(source=source, card=card, translations=tuple(_translation(one) for one in voices.values()))


def _translation(records: Sequence[Record]) -> Translation:
    first = records[0]
    parts = {(one.season, one.episode): one for record in records for one in _parts(record)}
    order = sorted(parts, key=lambda key: (key[0] or 0, key[1] or 0))
    return Translation(
        translation_id=first.translation_id,
        name=f"{first.translation_name} (filmed in a cinema)" if first.camrip else first.translation_name,
        kind=first.translation_kind,
        language="ru" if first.translation_kind == "voice" else None,  # beside subtitles anything may be spoken
        episodes=tuple(parts[key] for key in order),
    )


def _parts(record: Record) -> list[EpisodeRef]:
    length_s = record.material.duration_s
    if record.kind == "film":
        return [EpisodeRef(duration_s=length_s)]
    if record.episodes:
        return [
            EpisodeRef(season=one.season, episode=one.episode, name=one.name, duration_s=length_s)
            for one in record.episodes
        ]
    season = record.last_season if record.last_season is not None else 1
    count = record.last_episode if record.last_episode is not None else record.episodes_count or 0
    return [EpisodeRef(season=season, episode=number, duration_s=length_s) for number in range(1, min(count, 5000) + 1)]


def _voices_first(group: Sequence[Record]) -> list[Record]:
    return sorted(group, key=lambda one: one.translation_kind != "voice")


def _screenshot(record: Record) -> str | None:
    return record.screenshots[0] if record.screenshots else None


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
