"""NFO files as Kodi writes them: XML of a film, a show or an episode; or any text with an IMDb address in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree

from kinodom_resolver.sources.reading import (
    address_of,
    count_of,
    float_of,
    plain_text,
    seconds_of,
    text_of,
    year_of,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NoteKind = Literal["movie", "tvshow", "episodedetails"]

KINDS: Final[tuple[NoteKind, ...]] = ("movie", "tvshow", "episodedetails")
IMDB: Final = re.compile(r"\btt\d{7,10}\b")
# Several episodes of one file stand one behind the other, and an address may follow: XML up to the first end.
FIRST: Final = re.compile(rb"<(movie|tvshow|episodedetails)\b.*?</\1>", re.DOTALL)
MINUTES: Final = re.compile(r"(\d{1,4})\s*(?:min\w*\.?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What an NFO file says. None: it does not say."""

    kind: NoteKind | None = None  # None: no XML, only an IMDb number
    title: str | None = None
    original_title: str | None = None
    year: int | None = None
    plot: str | None = None
    duration_s: float | None = None
    height_px: int | None = None
    genres: tuple[str, ...] = ()
    imdb_id: str | None = None
    picture_url: str | None = None
    season: int | None = None
    episode: int | None = None


def read_note(body: bytes) -> Note:
    """Return what an NFO file says, an empty note when it says nothing that can be read; runs in a child."""
    match = FIRST.search(body)
    root = _xml(match[0]) if match else None
    imdb = IMDB.search(body.decode("utf-8", "replace"))
    if root is None or match is None:
        return Note(imdb_id=imdb[0] if imdb else None)
    video = root.find("fileinfo/streamdetails/video")
    length_s = seconds_of(video.findtext("durationinseconds")) if video is not None else None
    dates = (root.findtext(name) for name in ("year", "premiered", "releasedate", "aired"))
    return Note(
        kind=next(kind for kind in KINDS if kind.encode() == match[1]),
        title=_line(root, "title"),
        original_title=_line(root, "originaltitle"),
        year=next((year for text in dates if (year := year_of(text)) is not None), None),
        plot=plain_text(root.findtext("plot") or root.findtext("outline"), longest=5000),
        duration_s=length_s or _runtime_s(root.findtext("runtime")),
        height_px=count_of(video.findtext("height")) if video is not None else None,
        genres=tuple(dict.fromkeys(text for one in root.findall("genre") if (text := text_of(one.text, longest=60))))[
            :8
        ],
        imdb_id=_imdb(root) or (imdb[0] if imdb and match[1] != b"episodedetails" else None),
        picture_url=next((url for one in root.findall("thumb") if (url := address_of("", one.text))), None),
        season=_number(root.findtext("season")),
        episode=_number(root.findtext("episode")),
    )


def _xml(body: bytes) -> Element | None:
    """Return the tree of a piece that lost its first line; that line's encoding is nearly always UTF-8."""
    try:
        found: Element = SafeTree.fromstring(body.decode("utf-8", "replace"))
    except (SyntaxError, DefusedXmlException, ValueError):
        return None
    return found


def _line(root: Element, name: str) -> str | None:
    return " ".join((text_of(root.findtext(name), longest=300) or "").split()) or None


def _imdb(root: Element) -> str | None:
    named = [one.text for one in root.findall("uniqueid") if (one.get("type") or "").lower() == "imdb"]
    named += [root.findtext("imdbid"), root.findtext("imdb_id"), root.findtext("id")]
    return next((text for one in named if (text := text_of(one)) and IMDB.fullmatch(text)), None)


def _runtime_s(text: str | None) -> float | None:
    match = MINUTES.fullmatch((text or "").strip())
    return int(match[1]) * 60.0 or None if match else None


def _number(text: str | None) -> int | None:
    number = float_of(text)
    return int(number) if number is not None and 0 <= number <= 9_999 and number == int(number) else None
