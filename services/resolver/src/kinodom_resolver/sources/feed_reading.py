"""RSS, Atom and Media RSS: what a feed says of itself and of its videos. No network.

XML of strangers goes through defusedxml: no entities of its own, no files, no other addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree

from kinodom_common.contracts.offers import Delivery
from kinodom_resolver.sources.reading import (
    address_of,
    count_of,
    float_of,
    language_of,
    plain_text,
    seconds_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

MOST_ITEMS: Final = 2_000
ROOTS: Final = frozenset({"rss", "feed", "rdf"})
LISTS: Final[dict[str, Delivery]] = {
    "application/vnd.apple.mpegurl": "hls",
    "application/x-mpegurl": "hls",
    "audio/mpegurl": "hls",
    "application/dash+xml": "dash",
}
ENDINGS: Final[dict[str, Delivery]] = {
    "m3u8": "hls",
    "mpd": "dash",
    "mp4": "progressive",
    "m4v": "progressive",
    "mov": "progressive",
    "webm": "progressive",
    "mkv": "progressive",
}
TEXT_TYPES: Final = frozenset({"text/vtt", "application/srt", "application/x-subrip", "text/srt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file or playlist of an item."""

    url: str
    delivery: Delivery
    height_px: int | None
    size_bytes: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry with a video."""

    title: str | None
    date: datetime | None  # UTC
    season: int | None
    number: int | None
    duration_s: float | None
    media: tuple[Media, ...]
    subtitles: tuple[tuple[str, str | None], ...]  # address and BCP 47 language


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed with its videos, in the order in which they stand in it."""

    title: str
    description: str | None
    picture_url: str | None
    language: str | None
    licence: str | None
    genres: tuple[str, ...]
    items: tuple[Item, ...] = field(repr=False)


def read_feed(body: bytes, *, url: str) -> Feed | None:
    """Return what a feed holds, without entries that have no video; runs in a child.

    Args:
        body: the document.
        url: where it came from, for relative addresses in it and as a name for one that has none.

    Returns:
        None: no XML, another kind of XML, or XML with entities of its own.
    """
    try:
        root: Element = SafeTree.fromstring(body)
    except (SyntaxError, DefusedXmlException, LookupError, ValueError):  # LookupError: an unknown encoding
        return None
    if _name(root) not in ROOTS:
        return None
    head = next((one for one in root if _name(one) == "channel"), root)
    entries = [one for parent in {id(head): head, id(root): root}.values() for one in parent if _is_entry(one)]
    items = (item for entry in entries[:MOST_ITEMS] if (item := _item(entry, url)).media)
    return Feed(
        title=_line(head, "title") or urlsplit(url).hostname or "Feed",
        description=plain_text(_text(head, "description", "subtitle", "summary"), longest=5000),
        picture_url=_picture(head, url),
        language=language_of(_text(head, "language")) or language_of(head.get(f"{{{XML}}}lang")),
        licence=next((text for name in ("license", "copyright", "rights") if (text := _line(head, name, 200))), None),
        genres=tuple(dict.fromkeys(_categories(head)))[:5],
        items=tuple(items),
    )


XML: Final = "http://www.w3.org/XML/1998/namespace"


def _name(element: Element) -> str:
    """Return the bare name in lower case; feeds get their namespaces wrong too often to believe them."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _is_entry(element: Element) -> bool:
    return _name(element) in ("item", "entry")


def _all(parent: Element, *names: str) -> Iterator[Element]:
    return (one for one in parent if _name(one) in names)


def _text(parent: Element, *names: str) -> str | None:
    """Return the text of the first child that has one, by the order of the names."""
    found = (text for name in names for one in _all(parent, name) if (text := text_of("".join(one.itertext()))))
    return next(found, None)


def _line(parent: Element, name: str, longest: int = 300) -> str | None:
    text = plain_text(_text(parent, name), longest=longest)
    return " ".join(text.split()) or None if text else None


def _item(entry: Element, url: str) -> Item:
    places = [entry, *_all(entry, "group")]
    length_s = seconds_of(_text(entry, "duration"))
    media = {one.url: one for place in places for raw in place if (one := _media(raw, url, length_s)) is not None}
    when = next((date for name in DATES for one in _all(entry, name) if (date := _date(one.text))), None)
    return Item(
        title=_line(entry, "title") or next((name for place in places if (name := _line(place, "title"))), None),
        date=when,
        season=_number(_text(entry, "season")),
        number=_number(_text(entry, "episode")),
        duration_s=next((one.duration_s for one in media.values() if one.duration_s), length_s),
        media=tuple(sorted(media.values(), key=_rank)),
        subtitles=tuple(_subtitles(places, url)),
    )


DATES: Final = ("pubdate", "published", "date", "updated")


def _media(raw: Element, base: str, length_s: float | None) -> Media | None:
    """Return a video of `enclosure`, `media:content` or `link rel="enclosure"`; None for anything else."""
    name = _name(raw)
    if name not in ("enclosure", "content", "link") or (name == "link" and raw.get("rel") != "enclosure"):
        return None
    url = address_of(base, raw.get("url") or raw.get("href"))
    delivery = _delivery(url or "", raw)
    if url is None or delivery is None:
        return None
    return Media(
        url=url,
        delivery=delivery,
        height_px=count_of(raw.get("height")),
        size_bytes=count_of(raw.get("fileSize") or raw.get("length")),
        duration_s=seconds_of(raw.get("duration")) or length_s,
    )


def _delivery(url: str, raw: Element) -> Delivery | None:
    kind = (raw.get("type") or "").partition(";")[0].strip().lower()
    ending = urlsplit(url).path.rpartition(".")[2].lower()
    if kind in LISTS:
        return LISTS[kind]
    if kind.startswith("video/") or (raw.get("medium") == "video" and not kind.startswith("text/")):
        return ENDINGS.get(ending, "progressive")
    return ENDINGS.get(ending) if kind in ("", "application/octet-stream", "binary/octet-stream") else None


def _rank(media: Media) -> tuple[bool, int]:
    return (media.delivery == "progressive", -(media.height_px or 0))


def _subtitles(places: Iterable[Element], base: str) -> Iterator[tuple[str, str | None]]:
    for place in places:
        for raw in _all(place, "subtitle", "transcript"):
            url = address_of(base, raw.get("href") or raw.get("url"))
            if url is not None and (raw.get("type") or "").lower() in TEXT_TYPES:
                yield url, language_of(raw.get("lang") or raw.get("language"))


def _picture(head: Element, base: str) -> str | None:
    links = [one.get("href") or one.get("url") or _text(one, "url") for one in _all(head, "image", "thumbnail")]
    links += [one.text for one in _all(head, "logo", "icon")]
    return next((url for link in links if (url := address_of(base, link))), None)


def _categories(head: Element) -> Iterator[str]:
    for one in _all(head, "category"):
        if text := text_of(one.get("text") or one.get("label") or one.get("term") or one.text, longest=60):
            yield text


def _number(text: str | None) -> int | None:
    number = float_of(text)
    return int(number) if number is not None and 0 <= number <= 9_999 and number == int(number) else None


def _date(text: str | None) -> datetime | None:
    """Return an instant from RFC 822 (RSS) or ISO 8601 (Atom); one without a zone is taken as UTC."""
    clean = text_of(text, longest=60) or ""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(clean)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
