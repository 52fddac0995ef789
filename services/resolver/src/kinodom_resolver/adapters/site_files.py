"""Reads one YAML file with the description of a site, and finds every mistake with its line.

Every plain word stays a text (`no` is a word and `10:30` no number). No tags, no anchors, no aliases: nothing in the
file can make objects or grow.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import yaml
from pydantic import BaseModel, ValidationError

from kinodom_common.egress import AddressRefused, SchemeRefused, target_of
from kinodom_resolver.adapters import site_picks, site_schema
from kinodom_resolver.adapters.site_picks import Pick, filled
from kinodom_resolver.adapters.site_schema import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_BYTES: Final = 65_536
DEPTH: Final = 12
Place = tuple[str | int, ...]
WORDS: Final = sorted(
    {
        name
        for module in (site_picks, site_schema)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel)
        for name in one.model_fields
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something in a file that cannot be meant."""

    line: int  # from 1
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """What a file says."""

    file: str  # its name, without folders
    site: Site | None  # None: there are mistakes
    named: str | None = None  # as the site is called, when at least that can be read
    mistakes: tuple[Mistake, ...] = ()
    lines: dict[Place, int] = field(default_factory=dict)  # of every key and item

    def line_of(self, place: Place) -> int:
        """Return the line of the nearest thing that is written there."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_site(path: Path) -> SiteFile:
    """Return the site that a file describes, or its mistakes. Never raises for what stands in the file."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except OSError as exc:
        return _broken(path.name, 1, f"the file cannot be read ({exc.strerror})")
    if len(raw) > FILE_BYTES:
        return _broken(path.name, 1, f"the file is larger than {FILE_BYTES} bytes")
    try:
        return parse_site(raw.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as exc:
        return _broken(path.name, raw.count(b"\n", 0, exc.start) + 1, "this is not UTF-8 text")


def parse_site(text: str, name: str) -> SiteFile:
    """Return the site that a text describes, or its mistakes."""
    try:
        refused = _refusals(text)
        node = yaml.compose(text, yaml.SafeLoader) if not refused else None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        why = " ".join(filter(None, (exc.context, exc.problem)))
        return _broken(name, mark.line + 1 if mark else 1, f"this is no YAML: {why}")
    except yaml.YAMLError as exc:
        return _broken(name, 1, f"this is no YAML: {str(exc).splitlines()[0]}")
    if refused:
        return SiteFile(file=name, site=None, mistakes=tuple(refused))
    if not isinstance(node, yaml.MappingNode):
        return _broken(name, 1, "a description begins with `name: …`")
    lines: dict[Place, int] = {}
    found: list[Mistake] = []
    value = _value(node, (), lines, found)
    written = SiteFile(file=name, site=None, lines=lines)
    try:
        site = Site.model_validate(value)
    except ValidationError as exc:
        found += [_told(error, written) for error in exc.errors(include_url=False)]
    else:
        found += _second_look(site, written)
    named = value.get("name") if isinstance(value, dict) else None
    named = named if isinstance(named, str) and site_schema.NAME.fullmatch(named) else None
    mistakes = tuple(sorted(set(found), key=lambda one: (one.line, one.text)))
    return SiteFile(file=name, site=None if mistakes else site, named=named, mistakes=mistakes, lines=lines)


def _broken(name: str, line: int, text: str) -> SiteFile:
    return SiteFile(file=name, site=None, mistakes=(Mistake(line=line, text=text),))


def _refusals(text: str) -> list[Mistake]:
    """Return what no description needs: anchors, tags, depth. Depth ends the reading, which it makes slow."""
    found: list[Mistake] = []
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            return [Mistake(line=_line(event), text="this is nested too deeply")]
        if (one := _refused(event)) is not None:
            found.append(one)
    return found


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _refused(event: Any) -> Mistake | None:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return Mistake(line=line, text="`&` and `*` at the beginning of a value mean anchors, which are not used here")
    if getattr(event, "tag", None) and not isinstance(event, yaml.DocumentStartEvent):
        return Mistake(line=line, text="`!` at the beginning of a value means a tag, which is not used here")
    return None


def _value(node: Any, place: Place, lines: dict[Place, int], found: list[Mistake]) -> Any:
    """Return texts, lists and mappings; note the line of everything."""
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*place, number), lines, found) for number, one in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return None if node.value == "" and node.style is None else str(node.value)
    mapping: dict[str, Any] = {}
    for key, one in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            found.append(Mistake(line=line, text="a name is expected here"))
        elif key.value in mapping:
            found.append(Mistake(line=line, text=f"`{key.value}` stands here a second time"))
        else:
            lines[*place, key.value] = line
            mapping[key.value] = _value(one, (*place, key.value), lines, found)
    return mapping


def _told(error: Any, written: SiteFile) -> Mistake:
    place: Place = tuple(error["loc"])
    word = next((part for part in reversed(place) if isinstance(part, str)), "")
    line = written.line_of(place)
    if error["type"] == "missing":
        return Mistake(line=line, text=f"`{word}` is missing here")
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(word, WORDS, n=1)
        hint = f". Did you mean `{near[0]}`?" if near and near[0] != word else ""
        return Mistake(line=line, text=f"`{word}` is not known here{hint}")
    if error["type"] == "site_mistake":
        return Mistake(line=line, text=f"`{word}`: {error['msg']}" if word else error["msg"])
    return Mistake(line=line, text=f"`{word}`: {error['msg'][:1].lower()}{error['msg'][1:]}")


def _second_look(site: Site, written: SiteFile) -> Iterator[Mistake]:
    """Find what no single field can know: addresses of hosts that are not listed, rows of one kind read as another."""
    addresses: list[tuple[Place, str | None]] = [
        (("examples", number, "address"), one.address) for number, one in enumerate(site.examples)
    ]
    if site.search is not None:
        addresses.append((("search", "address"), filled(site.search.address, {"query": "q", "page": "1"})))
    for place, address in addresses:
        if address is not None and (why := why_not(site, urljoin(site.home, address))):
            yield Mistake(line=written.line_of(place), text=f"`address`: {why}")
    media = [(("media", "links", n), one) for n, one in enumerate(site.media.links)]
    for start, rows in [(("search",), site.search), (("episodes",), site.episodes), *media]:
        if rows is None or rows.each is None:
            continue
        outside = {"page", "nothing"}  # these are looked for on the page and not in a row
        for key, pick in ((key, pick) for key, pick in rows if isinstance(pick, Pick) and key not in outside):
            if pick.select and pick.select.startswith("$") != rows.each.startswith("$"):
                kind = "JSON (`$.…`)" if rows.each.startswith("$") else "HTML (a CSS selector)"
                text = f"`{key}`: the rows are {kind}, so what is read in them must be too"
                yield Mistake(line=written.line_of((*start, key)), text=text)


def why_not(site: Site, address: str) -> str | None:
    """Return why a page of this address is not read; None: it is."""
    try:
        target = target_of(address)
    except (AddressRefused, SchemeRefused) as exc:
        return exc.detail
    if (target.host, target.port) in site.places():
        return None
    return f"{target.host}:{target.port} is neither `home` nor among the `hosts`"
