"""TTML (W3C Timed Text, as files and as IMSC text inside DASH and HLS) read into cues. Pictures in it are not text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.cues import Cue, escaped, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_MAX_CHARACTERS: Final = 16_000_000
_CLOCK: Final = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:(\.\d{1,9})|:(\d{1,4})(?:\.\d{1,4})?)?")
_OFFSET: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
FOREVER_MS: Final = 10**12  # of what has no end
_DEEPEST: Final = 50


class NotTimedText(Exception):
    """The text is no TTML. Whoever reads subtitles says so by name."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """How the document counts."""

    frames_s: float
    ticks_s: float
    italic: frozenset[str]  # styles


def cues_of(text: str) -> list[Cue]:
    """Return what a document shows.

    Raises:
        NotTimedText: it cannot be read.
    """
    return [cue for cue in _cues(text) if cue.end_ms < FOREVER_MS]


def cues_within(text: str, from_ms: int, to_ms: int) -> list[Cue]:
    """Return what a document shows that is valid for this time alone; raises as `cues_of`.

    Its times are on the same clock. Those of some hosts count from the beginning of the piece, which shows when
    nothing of it would be seen otherwise.
    """
    found = _cues(text)
    if not any(cue.start_ms < to_ms and cue.end_ms > from_ms for cue in found):
        found = [Cue(cue.start_ms + from_ms, cue.end_ms + from_ms, cue.text) for cue in found]
    cut = (Cue(max(cue.start_ms, from_ms), min(cue.end_ms, to_ms), cue.text) for cue in found)
    return [cue for cue in cut if cue.start_ms < cue.end_ms]


def _cues(text: str) -> list[Cue]:
    root = _root(text)
    italic = frozenset(
        each.get("id", "") for each in root.iter() if each.tag == "style" and each.get("fontStyle") == "italic"
    )
    frames_s = _number(root.get("frameRate"), 30.0) * _multiplier(root.get("frameRateMultiplier"))
    clock = _Clock(frames_s, _number(root.get("tickRate"), frames_s), italic)
    body = root.find("body")
    return [] if body is None else list(_shown(body, clock, 0.0, FOREVER_MS / 1000, 0))


def _root(text: str) -> Element:
    if len(text) > _MAX_CHARACTERS or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotTimedText("The document is too long, or holds declarations that no subtitles need.")
    from xml.etree import ElementTree as ET  # hardly any film has such subtitles

    try:
        root = ET.fromstring(text.lstrip("\ufeff \t\r\n"))  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as exc:
        raise NotTimedText("The document cannot be read (broken XML).") from exc
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib.setdefault(name.rpartition("}")[2], element.attrib[name])
    if root.tag != "tt":
        raise NotTimedText("The document is some other XML.")
    return root


def _shown(element: Element, clock: _Clock, from_s: float, to_s: float, depth: int) -> Iterator[Cue]:
    """Yield the cues of an element that is shown in this time; times inside count from its beginning."""
    begin_s, end_s = _span(element, clock, from_s, to_s)
    if element.tag == "p":
        yield from _paragraph(element, clock, begin_s, end_s)
    elif depth < _DEEPEST:
        for child in element:
            if child.tag in ("div", "p"):
                yield from _shown(child, clock, begin_s, end_s, depth + 1)


def _span(element: Element, clock: _Clock, from_s: float, to_s: float) -> tuple[float, float]:
    begin, end, length = (_seconds(element.get(name), clock) for name in ("begin", "end", "dur"))
    begin_s = from_s + (begin or 0.0)
    ends = [to_s, *([from_s + end] if end is not None else []), *([begin_s + length] if length is not None else [])]
    return begin_s, min(ends)


def _paragraph(element: Element, clock: _Clock, from_s: float, to_s: float) -> Iterator[Cue]:
    timed = [child for child in element if child.tag == "span" and (child.get("begin") or child.get("end"))]
    if timed:
        for child in timed:
            yield from _cue(child, clock, *_span(child, clock, from_s, to_s))
    else:
        yield from _cue(element, clock, from_s, to_s)


def _cue(element: Element, clock: _Clock, from_s: float, to_s: float) -> Iterator[Cue]:
    rows = (re.sub(r"\s+", " ", row).strip() for row in _text(element, clock, 0).split("\n"))
    text = "\n".join(row for row in rows if row)
    if text and from_s < to_s:
        yield Cue(round(from_s * 1000), round(to_s * 1000), text)


def _text(element: Element, clock: _Clock, depth: int) -> str:
    """Return what is in an element: `br` begins a row, other ends of lines do not."""
    found = [_plain(element.text)]
    for child in element if depth < _DEEPEST else ():
        inner = "\n" if child.tag == "br" else _text(child, clock, depth + 1) if child.tag == "span" else ""
        found += [inner, _plain(child.tail)]
    text = "".join(found)
    slanted = element.get("fontStyle") == "italic" or not clock.italic.isdisjoint((element.get("style") or "").split())
    return f"<i>{text}</i>" if slanted and text.strip() else text


def _plain(text: str | None) -> str:
    return escaped(printable(re.sub(r"\s+", " ", text or "")))


def _seconds(text: str | None, clock: _Clock) -> float | None:
    """Return a time expression in seconds (TTML 2, 12.3.1); None for none and for nonsense."""
    if text is None:
        return None
    if match := _CLOCK.fullmatch(text.strip()):
        whole_s = (int(match[1]) * 60 + int(match[2])) * 60 + int(match[3])
        return whole_s + float(match[4] or 0) + int(match[5] or 0) / clock.frames_s
    if match := _OFFSET.fullmatch(text.strip()):
        unit_s = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": 1 / clock.frames_s, "t": 1 / clock.ticks_s}
        return float(match[1]) * unit_s[match[2]]
    return None


def _number(text: str | None, usual: float) -> float:
    found = float(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else 0.0
    return found or usual


def _multiplier(text: str | None) -> float:
    match = re.fullmatch(r"([1-9][0-9]{0,6})[ :]([1-9][0-9]{0,6})", text or "")
    found = int(match[1]) / int(match[2]) if match else 1.0
    return found if math.isfinite(found) else 1.0
