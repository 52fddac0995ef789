"""What the name of a file tells: film or episode, title, year, season, height. guessit does the reading."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from guessit.api import GuessitException, guessit

from kinodom_resolver.sources.reading import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

REMEMBERED: Final = 20_000  # guessit takes 5 to 15 ms for a name, and a name always gives the same
LEADING: Final = re.compile(r"\D{0,3}(\d{1,4})(?!\d)")
HEIGHT: Final = re.compile(r"(?<!\d)(\d{3,4})[pi](?![a-z0-9])|(?<![a-z0-9])(4k|uhd)(?![a-z0-9])", re.IGNORECASE)
EPISODE: Final = re.compile(r"(?<![A-Za-z0-9])s\d{1,3}[ ._-]?e\d{1,4}(?!\d).*", re.IGNORECASE)
LONGEST_TITLE: Final = 120

NameKind = Literal["film", "series"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a name tells. None: it does not say."""

    kind: NameKind
    title: str
    year: int | None
    season: int | None
    episodes: tuple[int, ...]  # a file may hold two; empty: a film
    part: int | None  # of a film that came to the cinemas in parts, each a film of its own
    episode_name: str | None
    imdb_id: str | None

    @property
    def key(self) -> str:
        """Return what files of one title have in common: `film/tin light/1999`, `series/the lamp`."""
        words = " ".join(words_of(self.title)) or "-"
        marks = (self.year, self.part and f"part {self.part}") if self.kind == "film" else ()
        return "/".join((self.kind, words[:LONGEST_TITLE], *(str(mark) for mark in marks if mark)))


def height_of(path: str) -> int | None:
    """Return the height that a name states."""
    match = HEIGHT.search(path.rpartition("/")[2])
    return (int(match[1]) if match[1] else 2160) if match else None


def title_path(path: str) -> str:
    """Return a path that tells the same title and is the same for all episodes of a season.

    A search has to know the titles of thousands of files; by this most of them are read once for a season.
    """
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    return f"{folder}{slash}{EPISODE.sub('S01E01', stem)}{dot}{ending}"


@lru_cache(maxsize=REMEMBERED)
def read_name(path: str, show_folder: str | None) -> Named:
    """Return what a path tells.

    Args:
        path: relative to the import folder.
        show_folder: folder of a show that an NFO file has named; what lies below it are its episodes.
    """
    try:
        guess: Mapping[str, object] = guessit(path, {"type": "episode"} if show_folder is not None else {})
    except GuessitException:
        guess = {}
    stem = path.rpartition("/")[2].rpartition(".")[0]
    folders = path.split("/")[:-1]
    season, episodes = _place(guess, stem)
    is_series = show_folder is not None or bool(episodes)
    title = _text(guess.get("title"))
    if isinstance(guess.get("date"), datetime.date) and folders:
        title = folders[0]  # guessit takes what follows the date for the title
    if show_folder:
        title = re.sub(r"\s*\(\d{4}\)$", "", show_folder.rpartition("/")[2])
    if title is None and folders:
        title = folders[0]
    year = guess.get("year")
    return Named(
        kind="series" if is_series else "film",
        title=" ".join((title or stem or path).split())[:300],
        year=year if isinstance(year, int) and 1880 <= year <= 2200 else None,
        season=season if is_series else None,
        episodes=episodes,
        part=next(iter(_numbers(guess.get("part"))), None),
        episode_name=_text(guess.get("episode_title")),
        imdb_id=found if (found := _text(guess.get("imdb_id"))) and re.fullmatch(r"tt\d{5,10}", found) else None,
    )


def _place(guess: Mapping[str, object], stem: str) -> tuple[int, tuple[int, ...]]:
    """Return season and episodes. Dates count as in feeds; the discs of a film count as episodes of season 1."""
    date = guess.get("date")
    if isinstance(date, datetime.date):
        return date.year, (date.month * 100 + date.day,)
    seasons, episodes = _numbers(guess.get("season")), _numbers(guess.get("episode"))
    if not episodes and guess.get("type") == "episode" and (match := LEADING.match(stem)):
        episodes = (int(match[1]),)
    if not episodes:
        episodes = _numbers(guess.get("cd"))
    return seasons[0] if seasons else 1, episodes


def _numbers(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= 9_999)


def _text(value: object) -> str | None:
    first = value[0] if isinstance(value, list) and value else value
    return first.strip()[:300] or None if isinstance(first, str) else None
