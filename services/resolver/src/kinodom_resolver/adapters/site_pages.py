"""Reads foreign pages by picks, in a child. What a page says is text: it is cleaned, cut, and never run or believed."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final, Literal

from bs4 import BeautifulSoup, Tag
from pydantic import TypeAdapter

from kinodom_resolver.adapters.site_picks import Part, Pick, compiled, css_and_attribute, filled, steps_of
from kinodom_resolver.sources.reading import address_of, plain_text, text_of

MOST_VALUES: Final = 500  # of one pick, and rows of one page
MOST_LINES: Final = 50
FEW_VALUES: Final = 3  # where the first counts; the others are for whoever tries the description
BLOCKS: Final = ["p", "br", "li", "div"]
CHARSET: Final = re.compile(r"charset=[\"']?([\w.:-]{2,40})", re.IGNORECASE)
XML_MARK: Final = re.compile(rb"\A\s*<\?xml[^>]{0,200}>")
RAW_TEXTS: Final = ("script", "style", "template", "noscript")
ASKS_KEPT: Final = 200


class Want(Part):
    """What is read by one pick: a text in one line, several, paragraphs, an address, or several."""

    pick: Pick
    kind: Literal["line", "lines", "prose", "address", "addresses"]
    longest: int = 300


class Ask(Part):
    """What is read of a page at once: its rows, or the page as the one row there is."""

    name: str
    each: str | None = None  # selector of the rows; None: the page itself
    wants: dict[str, Want]


class NotJson(ValueError):
    """The page is none of the JSON that a path leads into."""


def read_page(body: bytes, *, url: str, content_type: str, asks: str, noting: bool) -> dict[str, Any]:
    """Return what was asked for, by the names of the asks; runs in a child.

    Each is `rows`, with a value for each want, and, when somebody takes notes, `found`: all texts that the picks of the
    rows found. None in place of both: the page is no JSON, and should be.
    """
    page = Read(body, url, content_type)
    return {ask.name: _told(page, ask, noting) for ask in _asks(asks)}


@lru_cache(ASKS_KEPT)
def _asks(text: str) -> tuple[Ask, ...]:
    return TypeAdapter(tuple[Ask, ...]).validate_json(text)


def _told(page: Read, ask: Ask, noting: bool) -> dict[str, Any] | None:
    found: dict[str, list[str]] = {}
    try:
        places = [Place(page)] if ask.each is None else Place(page).rows(ask.each)
        rows = [{name: _value(place, want, found.setdefault(name, [])) for name, want in ask.wants.items()}
                for place in places]  # fmt: skip
    except NotJson:
        return None
    return {"rows": rows, "found": found if noting else {}}


def _value(place: Place, want: Want, found: list[str]) -> str | list[str] | None:
    """Return what a pick gives; every text that it finds is added to `found`."""
    most = {"line": FEW_VALUES, "lines": MOST_LINES, "prose": MOST_LINES}.get(want.kind, MOST_VALUES)
    texts = place.texts(want.pick, most)
    found += texts
    plain = _is_plain(want.pick)
    if want.kind == "line":
        text = next(iter(texts), None)
        line = text if plain else plain_text(text, longest=want.longest)
        return " ".join(line.split())[: want.longest].strip() or None if line else None
    if want.kind == "lines":
        parts = texts[0].split(",") if len(texts) == 1 else texts
        return list(dict.fromkeys(" ".join(one.split())[:100] for one in parts if one.strip()))[:MOST_LINES]
    if want.kind == "prose":
        return text_of("\n".join(texts), longest=want.longest) if plain else plain_text(texts, longest=want.longest)
    # In scripts the slashes of addresses may be escaped.
    clean = (text.replace("\\/", "/").replace("\\u0026", "&") for text in texts)
    addresses = [one for text in clean if (one := address_of(place.page.url, text)) is not None]
    return addresses if want.kind == "addresses" else next(iter(addresses), None)


class Read:
    """One page, parsed when somebody asks."""

    def __init__(self, body: bytes, url: str, content_type: str) -> None:
        self.url = url
        # A declaration says nothing to a parser of HTML but makes it warn.
        self._body = XML_MARK.sub(b"", body, count=1)
        said = CHARSET.search(content_type)
        self._charset = said[1] if said and _is_charset(said[1]) else None

    @cached_property
    def html(self) -> BeautifulSoup:
        """The page as HTML."""
        return BeautifulSoup(self._body, "lxml", from_encoding=self._charset)

    @cached_property
    def json(self) -> object:
        """The page as JSON.

        Raises:
            NotJson: it is none.
        """
        try:
            return json.loads(self._body)
        except (ValueError, RecursionError) as exc:
            raise NotJson from exc

    @cached_property
    def text(self) -> str:
        """The page as it came."""
        return self._body.decode(self._charset or "utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Place:
    """A page, or one row of it."""

    page: Read
    row: object = None  # None: the whole page; else an element or a JSON value

    def rows(self, select: str) -> list[Place]:
        """Return the rows a selector finds."""
        return [Place(self.page, one) for one in self._found(select)[:MOST_VALUES]]

    def texts(self, pick: Pick, most: int) -> list[str]:
        """Return the first texts a pick finds, in the order of the page, without empty ones."""
        sources = map(_words, self._found(pick.select)) if pick.select else iter([self._whole()])
        groups = _matches(sources, pick)
        built = (filled(pick.build, _numbered(group)) if pick.build else group[0] for group in groups)
        return list(islice((text for one in built if (text := text_of(one)) is not None), most))

    def _whole(self) -> str:
        return self.page.text if self.row is None else _raw(self.row)

    def _found(self, select: str) -> list[object]:
        if select.startswith("$"):
            return _walk(self.page.json if self.row is None else self.row, steps_of(select))
        node = self.page.html if self.row is None else self.row
        if not isinstance(node, Tag):
            return []
        css, attribute = css_and_attribute(select)
        found: Iterable[Tag] = node.select(css, limit=MOST_VALUES) if css else [node]
        return list(found) if attribute is None else [one for tag in found if (one := _attribute(tag, attribute))]


def _is_charset(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # `rot13` and `zip` are codecs too
    except LookupError:
        return False


def _is_plain(pick: Pick) -> bool:
    """Tell whether a pick reads words of elements, in which a `<` is a `<`; anything else may hold HTML."""
    if not pick.select or pick.select.startswith("$"):
        return False
    return css_and_attribute(pick.select)[1] is None


def _matches(sources: Iterable[str], pick: Pick) -> Iterator[list[str]]:
    patterns = [compiled(one) for one in pick.pattern]
    if not patterns:
        yield from ([text] for text in sources)
    elif len(patterns) == 1:
        yield from (_groups(match) for text in sources for match in patterns[0].finditer(text))
    else:
        together = "\n".join(sources)
        found = [pattern.search(together) for pattern in patterns]
        if all(found):
            yield [group for match in found for group in _groups(match)]


def _groups(match: Any) -> list[str]:
    groups: tuple[str | None, ...] = match.groups()
    return [group or "" for group in groups] if groups else [match.group(0)]


def _numbered(groups: Sequence[str]) -> dict[str, str]:
    return {str(number): group for number, group in enumerate(groups, 1)}


def _walk(value: object, steps: Sequence[str]) -> list[object]:
    """Return what a path leads to; `*` takes every item, and a list at the end counts as its items."""
    found = [value]
    for step in steps:
        found = [one for value in found for one in _step(value, step)][: MOST_VALUES * 4]
    return [one for value in found for one in (value if isinstance(value, list) else [value]) if one is not None]


def _step(value: object, step: str) -> Sequence[object]:
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if isinstance(value, list):
        if step == "*":
            return value
        return [value[int(step)]] if step.isascii() and step.isdigit() and int(step[:6]) < len(value) else []
    return []


def _attribute(tag: Tag, name: str) -> str | None:
    value = tag.get(name)
    return " ".join(value) if isinstance(value, list) else value


def _raw(found: object) -> str:
    if isinstance(found, Tag):
        return str(found.string or "") if found.name in RAW_TEXTS else str(found)
    if isinstance(found, str):
        return found
    return json.dumps(found, ensure_ascii=False) if isinstance(found, dict | list) else (text_of(found) or "")


def _words(found: object) -> str:
    """Return the words of an element: no tags, no scripts."""
    if not isinstance(found, Tag) or found.name in RAW_TEXTS:
        return _raw(found)
    # Texts of scripts and styles are of other classes in the tree, and are left out.
    text = found.get_text("\n" if found.find(BLOCKS) else "")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
