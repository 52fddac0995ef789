"""One result of Kodik's catalogue: a title in one voice or with one set of subtitles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.sources.kodik.typed import IMDB, NUMBER, RECORD, shikimori_number
from kinodom_resolver.sources.reading import address_of, count_of, mapping_of, text_of, texts_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.contracts.titles import Kind, TranslationKind

MOST_EPISODES: Final = 5000  # of one season; the longest series there are have fewer
MOST_SEASONS: Final = 200
PEOPLE: Final = ("directors", "actors")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeLink:
    """One episode and its player page."""

    season: int
    episode: int  # 0 is a real number
    link: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What Kodik knows about the title itself."""

    description: str | None
    poster_url: str | None
    genres: tuple[str, ...]
    people: tuple[str, ...]  # who made it, then who plays in it
    duration_s: float | None  # of one episode, to the minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A title in one translation."""

    record_id: str  # such as `serial-6647`
    type_name: str | None  # such as `anime-serial`; an open list
    kind: Kind
    link: str  # player page of the whole
    title: str
    title_orig: str | None
    other_titles: tuple[str, ...]
    translation_id: str
    translation_name: str
    translation_kind: TranslationKind
    year: int | None
    last_season: int | None
    last_episode: int | None
    episodes_count: int | None
    shikimori_id: int | None
    kinopoisk_id: str | None
    imdb_id: str | None
    mdl_id: str | None
    worldart_link: str | None
    quality: str | None  # of the release; says nothing about the heights that can be played
    camrip: bool
    lgbt: bool
    blocked_countries: tuple[str, ...]
    blocked_seasons: tuple[str, ...]
    created_at: str | None
    updated_at: str | None
    screenshots: tuple[str, ...]
    episodes: tuple[EpisodeLink, ...]  # empty: a film, or the question was not for episodes
    material: Material


def record_of(raw: Mapping[str, object], base: str) -> Record | None:
    """Return a result; None when what a title cannot do without is missing.

    Args:
        raw: one of `results`.
        base: address of the API; links without a scheme take its scheme.
    """
    voice = mapping_of(raw.get("translation"))
    record_id, title = text_of(raw.get("id")) or "", text_of(raw.get("title"), longest=300)
    link, voice_id = address_of(base, raw.get("link")), count_of(voice.get("id"))
    if not RECORD.fullmatch(record_id) or title is None or link is None or voice_id is None:
        return None
    subtitles = text_of(voice.get("type")) == "subtitles"
    return Record(
        record_id=record_id,
        type_name=text_of(raw.get("type"), longest=60),
        kind="series" if record_id.startswith("serial-") else "film",
        link=link,
        title=title,
        title_orig=text_of(raw.get("title_orig"), longest=300),
        other_titles=tuple(name for name in (text_of(raw.get("other_title")) or "").split(" / ") if name),
        translation_id=str(voice_id),
        translation_name=text_of(voice.get("title"), longest=200) or f"№ {voice_id}",
        translation_kind="subtitles" if subtitles else "voice",
        year=year_of(raw.get("year")),
        last_season=number_of(raw.get("last_season")),
        last_episode=number_of(raw.get("last_episode")),
        episodes_count=number_of(raw.get("episodes_count")),
        shikimori_id=shikimori_number(text_of(raw.get("shikimori_id")) or ""),
        kinopoisk_id=_matching(NUMBER, raw.get("kinopoisk_id")),
        imdb_id=_matching(IMDB, raw.get("imdb_id")),
        mdl_id=text_of(raw.get("mdl_id"), longest=100),
        worldart_link=address_of(base, raw.get("worldart_link")),
        quality=text_of(raw.get("quality"), longest=60),
        camrip=raw.get("camrip") is True,
        lgbt=raw.get("lgbt") is True,
        blocked_countries=tuple(texts_of(raw.get("blocked_countries"))),
        blocked_seasons=tuple(mapping_of(raw.get("blocked_seasons"))),
        created_at=text_of(raw.get("created_at"), longest=40),
        updated_at=text_of(raw.get("updated_at"), longest=40),
        screenshots=_addresses(base, raw.get("screenshots")),
        episodes=_episodes(raw.get("seasons"), base),
        material=_material(mapping_of(raw.get("material_data")), base),
    )  # fmt: skip


def number_of(value: object) -> int | None:
    """Return the number of a season or an episode, from 0 up; None for anything else."""
    text = text_of(value, longest=20)
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,5}", text) else None


def _episodes(seasons: object, base: str) -> tuple[EpisodeLink, ...]:
    found: list[EpisodeLink] = []
    for season_key, season in list(mapping_of(seasons).items())[:MOST_SEASONS]:
        number = number_of(season_key)
        if number is None:
            continue
        for episode_key, episode in list(mapping_of(mapping_of(season).get("episodes")).items())[:MOST_EPISODES]:
            whole = mapping_of(episode)  # an object when it was asked for with its own facts, else the address
            link = address_of(base, whole.get("link") if whole else episode)
            which = number_of(episode_key)
            if link is not None and which is not None:
                name = text_of(whole.get("title"), longest=300)
                found.append(EpisodeLink(season=number, episode=which, link=link, name=name))
    return tuple(sorted(found, key=lambda one: (one.season, one.episode)))


def _material(raw: Mapping[str, object], base: str) -> Material:
    genres = [name for key in ("all_genres", "genres", "anime_genres") for name in texts_of(raw.get(key))]
    minutes = count_of(raw.get("duration"))
    return Material(
        description=plain_text_apart(text_of(raw.get("anime_description")) or raw.get("description"), longest=5000),
        poster_url=address_of(base, raw.get("anime_poster_url")) or address_of(base, raw.get("poster_url")),
        genres=tuple({name.lower(): name.lower()[:60] for name in genres}.values())[:24],
        people=tuple(dict.fromkeys(name[:100] for key in PEOPLE for name in texts_of(raw.get(key))))[:30],
        duration_s=minutes * 60.0 if minutes is not None and minutes <= 1000 else None,
    )


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    text = text_of(value, longest=40) or ""
    return text if pattern.fullmatch(text) else None


def _addresses(base: str, value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(address for one in items if (address := address_of(base, one)) is not None)
