"""The files of an Internet Archive item: which are videos, which belong together, which is the best to play."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_resolver.sources.reading import count_of, mappings_of, seconds_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The lower, the sooner it is offered. Browsers play the first two ranks; the last are huge and need transcoding.
RANK_OF_FORMAT: Final = {
    "h.264": 0,
    "h.264 ia": 0,
    "mpeg4": 0,
    "hires mpeg4": 0,
    "512kb mpeg4": 0,
    "webm": 1,
    "ogg video": 1,
    "matroska": 2,
    "quicktime": 2,
    "mpeg2": 3,
    "mpeg1": 3,
    "cinepack": 3,
    "divx": 3,
    "avi": 3,
    "windows media": 3,
}
SUBTITLE_ENDINGS: Final = (".srt", ".vtt")
ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,5}$")
MADE_FROM: Final = re.compile(r"([._-](512kb|ia|hires|edit|h264))+$", re.IGNORECASE)
NUMBERED: Final = re.compile(r"\bs(\d{1,3})[ ._-]?e(\d{1,4})(?!\d)", re.IGNORECASE)
LANGUAGE: Final = re.compile(r"[._-]([a-z]{2})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One playable file."""

    name: str  # path inside the item
    rank: int
    derived: bool  # made by the Archive from the upload
    height_px: int | None
    size_bytes: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One video of an item, in all the forms that it has, the best first."""

    season: int | None  # None, as the episode: the item has one video only
    episode: int | None
    name: str
    files: tuple[File, ...]
    subtitles: tuple[tuple[str, str | None], ...]  # name of the file and BCP 47 language

    @property
    def heights_px(self) -> tuple[int, ...]:
        """Return the heights it can be had in."""
        return tuple(sorted({file.height_px for file in self.files if file.height_px is not None}, reverse=True))

    @property
    def duration_s(self) -> float | None:
        """Return its length, as the first file that states one says."""
        return next((file.duration_s for file in self.files if file.duration_s is not None), None)


def videos_of(item: Mapping[str, object]) -> list[Video]:
    """Return the videos of an item in the order of their names; several are numbered as episodes of season 1.

    Numbers in the names (`S02E05`) are taken when every video has one and no two are the same.
    """
    raw = [one for one in mappings_of(item.get("files")) if not _is_private(one)]
    parents = {name: parent for one in raw if (name := _name(one)) and (parent := text_of(one.get("original")))}
    groups: dict[str, list[File]] = {}
    titles: dict[str, str] = {}
    for one in raw:
        file = _file(one)
        if file is not None:
            stem = _stem(_root(file.name, parents))
            groups.setdefault(stem, []).append(file)
            if not file.derived and (title := text_of(one.get("title"), longest=200)):
                titles[stem] = title
    stems = sorted(groups, key=_natural)
    numbers = _numbers(stems)
    subtitles = [name for one in raw if (name := _name(one)) and name.lower().endswith(SUBTITLE_ENDINGS)]
    return [
        Video(
            season=numbers[stem][0],
            episode=numbers[stem][1],
            name=titles.get(stem) or _spoken(stem),
            files=tuple(sorted(groups[stem], key=_order)),
            subtitles=tuple(_subtitles(stem, stems, subtitles)),
        )
        for stem in stems
    ]


def offers_of(video: Video, folder: str, *, source: str) -> list[Offer]:
    """Return the files of a video as offers; `folder` is the item's download address."""
    subtitles = tuple(
        SubtitleOffer(url=f"{folder}/{quote(name, safe='/')}", language=language) for name, language in video.subtitles
    )
    offers = []
    for file in video.files:
        try:
            offer = Offer(
                source=source,
                url=f"{folder}/{quote(file.name, safe='/')}",
                delivery="progressive",
                height_px=file.height_px,
                size_bytes=file.size_bytes,
                duration_s=file.duration_s,
                subtitles=subtitles,
            )
        except ValidationError:  # a name that makes the address too long
            continue
        offers.append(offer)
    return offers


def _file(raw: Mapping[str, object]) -> File | None:
    name = _name(raw)
    rank = RANK_OF_FORMAT.get((text_of(raw.get("format")) or "").lower())
    if name is None or rank is None:
        return None
    return File(
        name=name,
        rank=rank,
        derived=raw.get("source") == "derivative",
        height_px=count_of(raw.get("height")),
        size_bytes=count_of(raw.get("size")),
        duration_s=seconds_of(raw.get("length")),
    )


def _name(raw: Mapping[str, object]) -> str | None:
    name = raw.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 1000 or text_of(name) != name:
        return None
    return None if any(piece in ("", ".", "..") for piece in name.split("/")) else name


def _is_private(raw: Mapping[str, object]) -> bool:
    return (text_of(raw.get("private")) or str(raw.get("private", ""))).lower() in ("true", "1")


def _root(name: str, parents: Mapping[str, str]) -> str:
    seen = {name}
    while (parent := parents.get(name)) is not None and parent not in seen:
        name = parent
        seen.add(name)
    return name


def _stem(name: str) -> str:
    return MADE_FROM.sub("", ENDING.sub("", name))


def _order(file: File) -> tuple[int, int, bool, int]:
    return (file.rank, -(file.height_px or 0), not file.derived, file.size_bytes or 0)


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d{1,9})", text)]


def _numbers(stems: list[str]) -> dict[str, tuple[int | None, int | None]]:
    if len(stems) == 1:
        return {stems[0]: (None, None)}
    found = {stem: (int(match[1]), int(match[2])) for stem in stems if (match := NUMBERED.search(stem))}
    if len(found) == len(stems) and len(set(found.values())) == len(stems):
        return dict(found)
    return {stem: (1, number) for number, stem in enumerate(stems, start=1)}


def _spoken(stem: str) -> str:
    return re.sub(r"[\s._]+", " ", stem.rpartition("/")[2]).strip()[:200] or stem[:200]


def _subtitles(stem: str, stems: list[str], names: Iterable[str]) -> list[tuple[str, str | None]]:
    found = []
    for name in names:
        base = ENDING.sub("", name)
        # The longest video name that it begins with is the one it belongs to: `part 1` is not `part 10`.
        owner = max(
            (one for one in stems if base == one or base.startswith((f"{one}.", f"{one}_"))), key=len, default=""
        )
        if owner == stem:
            language = LANGUAGE.search(base[len(stem) :])
            found.append((name, language[1].lower() if language else None))
    return found
