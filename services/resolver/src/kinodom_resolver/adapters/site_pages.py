"""Reads foreign pages by picks. What a page says is text: it is cleaned, cut, and never run or believed."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bs4 import BeautifulSoup, Tag

from kinodom_common.errors import UpstreamFailed
from kinodom_resolver.adapters.site_picks import compiled, css_and_attribute, filled, steps_of
from kinodom_resolver.sources.reading import address_of, plain_text, text_of

if TYPE_CHECKING:
    from kinodom_resolver.adapters.site_picks import Pick
    from kinodom_resolver.domain.ports import Page

MOST_VALUES: Final = 500  # of one pick, and rows of one page
MOST_LINES: Final = 50
FEW_VALUES: Final = 3  # where the first counts; the others are for whoever tries the description
BLOCKS: Final = ["p", "br", "li", "div"]
CHARSET: Final = re.compile(r"charset=[\"']?([\w.:-]{2,40})", re.IGNORECASE)
XML_MARK: Final = re.compile(rb"\A\s*<\?xml[^>]{0,200}>")
RAW_TEXTS: Final = ("script", "style", "template", "noscript")
Notice = Callable[[str, Sequence[str]], None]


class SiteGarbled(UpstreamFailed):
    """A site's page is not of the kind its description says: no JSON, or no rows and no word that there are none."""

    code = "site_garbled"
    title = "A site looks different from its description"


class Read:
    """One page, parsed when somebody asks."""

    def __init__(self, page: Page) -> None:
        self.url = page.url
        # A declaration says nothing to a parser of HTML but makes it warn.
        self._body = XML_MARK.sub(b"", page.body, count=1)
        said = CHARSET.search(page.headers.get("content-type", ""))
        self._charset = said[1] if said and _is_charset(said[1]) else None

    @cached_property
    def html(self) -> BeautifulSoup:
        """The page as HTML."""
        return BeautifulSoup(self._body, "lxml", from_encoding=self._charset)

    @cached_property
    def json(self) -> object:
        """The page as JSON.

        Raises:
            SiteGarbled: it is none.
        """
        try:
            return json.loads(self._body)
        except (ValueError, RecursionError) as exc:
            raise SiteGarbled("The site sent something that is not the JSON its description promises.") from exc

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


class Reader:
    """Reads facts, and tells somebody what each pick found.

    Args:
        notice: called with the place in the description (`search.name`) and what was found there.
    """

    def __init__(self, notice: Notice) -> None:
        self._notice = notice

    def rows(self, place: Place, select: str, key: str) -> list[Place]:
        """Return the rows of a page."""
        found = place.rows(select)
        self._notice(key, [""] * len(found))
        return found

    def all(self, place: Place, pick: Pick | None, key: str, most: int = MOST_VALUES) -> list[str]:
        """Return the texts of a pick; none when there is no pick."""
        if pick is None:
            return []
        found = place.texts(pick, most)
        self._notice(key, found)
        return found

    def line(self, place: Place, pick: Pick | None, key: str, longest: int = 300) -> str | None:
        """Return the first text in one line."""
        text = next(iter(self.all(place, pick, key, FEW_VALUES)), None)
        if not _is_plain(pick):
            text = plain_text(text, longest=longest)
        return " ".join(text.split())[:longest].strip() or None if text else None

    def lines(self, place: Place, pick: Pick | None, key: str) -> tuple[str, ...]:
        """Return each text in one line; a single one is parted at its commas."""
        found = self.all(place, pick, key, MOST_LINES)
        if len(found) == 1:
            found = found[0].split(",")
        return tuple(dict.fromkeys(" ".join(one.split())[:100] for one in found if one.strip()))[:MOST_LINES]

    def prose(self, place: Place, pick: Pick | None, key: str) -> str | None:
        """Return a longer text with its paragraphs."""
        found = self.all(place, pick, key, MOST_LINES)
        return text_of("\n".join(found), longest=5000) if _is_plain(pick) else plain_text(found, longest=5000)

    def address(self, place: Place, pick: Pick | None, key: str) -> str | None:
        """Return the first address, completed by that of the page."""
        return next(iter(self.addresses(place, pick, key)), None)

    def addresses(self, place: Place, pick: Pick | None, key: str) -> list[str]:
        """Return all addresses; those in scripts may have their slashes escaped."""
        plain = (text.replace("\\/", "/").replace("\\u0026", "&") for text in self.all(place, pick, key))
        return [one for text in plain if (one := address_of(place.page.url, text)) is not None]


def _is_plain(pick: Pick | None) -> bool:
    """Tell whether a pick reads words of elements, in which a `<` is a `<`; anything else may hold HTML."""
    if pick is None or not pick.select or pick.select.startswith("$"):
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
