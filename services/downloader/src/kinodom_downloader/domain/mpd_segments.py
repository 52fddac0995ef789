"""The segments of one DASH representation, from a template, a timeline or a list (ISO 23009-1, 5.3.9)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.faults import PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.hls_text import joined
from kinodom_downloader.domain.plan import MAX_SEGMENTS, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_NAMES: Final = ("SegmentTemplate", "SegmentList", "SegmentBase")
_BLANK: Final = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth|SubNumber)(?:%0(\d{1,2})d)?)?\$")
_GAP_S: Final = 0.5  # less between two rows of a timeline is inexactness
_SPAN: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Place:
    """What the elements around a representation say: the base address and what its segments inherit."""

    base_url: str
    duration_s: float | None = None  # of the period
    kind: str = ""  # the innermost of the three ways to list segments
    attributes: dict[str, str] = field(default_factory=dict)
    elements: dict[str, Element] = field(default_factory=dict)  # SegmentTimeline, Initialization

    def inside(self, element: Element, *, duration_s: float | None = None) -> Place:
        """Return the place inside an element."""
        base = element.findtext("BaseURL")
        place = replace(
            self,
            base_url=joined(self.base_url, base.strip()) if base else self.base_url,
            duration_s=duration_s if duration_s is not None else self.duration_s,
        )
        for name in _NAMES:
            listing = element.find(name)
            if listing is not None:
                inner = {child.tag: child for child in listing}
                place = replace(
                    place,
                    kind=name,
                    attributes={**place.attributes, **listing.attrib},
                    elements={**place.elements, **inner, "self": listing},
                )
        return place


def segments_of(place: Place, representation: Element) -> tuple[Segment, ...] | None:
    """Return init section and segments; None: the representation is one single file.

    Raises:
        PlaylistBad, PlaylistRefused.
    """
    if place.kind == "SegmentTemplate":
        found = _templated(place, representation)
    elif place.kind == "SegmentList":
        found = _listed(place)
    else:
        return None
    if not any(not segment.is_init for segment in found):
        raise PlaylistBad("The manifest lists no segment.")
    return tuple(found)


def offset_of_s(place: Place) -> float:
    """Return the time on the clock of the media at which the period begins, seconds."""
    scale = _whole(place.attributes.get("timescale"), 1) or 1
    return _whole(place.attributes.get("presentationTimeOffset"), 0) / scale


def _templated(place: Place, representation: Element) -> list[Segment]:
    media = place.attributes.get("media")
    if not media:
        raise PlaylistBad("The manifest names no pattern for its segments.")
    values = {"RepresentationID": representation.get("id", ""), "Bandwidth": representation.get("bandwidth", "0")}
    found: list[Segment] = []
    if pattern := place.attributes.get("initialization"):
        found.append(Segment(url=joined(place.base_url, _filled(pattern, values)), is_init=True))
    number = _whole(place.attributes.get("startNumber"), 1)
    for time, length_s in _times(place):
        if time is None:
            found.append(Segment(url="", duration_s=length_s, gap=True))
            continue
        fill = {**values, "Number": str(number), "Time": str(time)}
        found.append(Segment(url=joined(place.base_url, _filled(media, fill)), duration_s=length_s))
        number += 1
        if len(found) > MAX_SEGMENTS:
            raise PlaylistRefused(f"The manifest lists more than {MAX_SEGMENTS} segments.")
    return found


def _times(place: Place) -> Iterator[tuple[int | None, float]]:
    """Yield start (in the manifest's ticks; None: it is missing) and length (seconds) of each segment."""
    scale = _whole(place.attributes.get("timescale"), 1) or 1
    timeline = place.elements.get("SegmentTimeline")
    if timeline is not None:
        yield from _timeline(place, timeline, scale)
        return
    ticks = _whole(place.attributes.get("duration"), 0)
    if not ticks or place.duration_s is None:
        raise PlaylistBad("The manifest does not say how long its segments are.")
    last = place.attributes.get("endNumber")
    count = math.ceil(place.duration_s * scale / ticks - 1e-6)
    if last is not None:
        count = min(count, _whole(last, 0) - _whole(place.attributes.get("startNumber"), 1) + 1)
    for step in range(count):
        left_s = place.duration_s - step * ticks / scale
        yield step * ticks, min(ticks / scale, left_s)


def _timeline(place: Place, timeline: Element, scale: int) -> Iterator[tuple[int | None, float]]:
    rows = timeline.findall("S")
    at = 0
    first = _whole(place.attributes.get("presentationTimeOffset"), 0)
    for index, row in enumerate(rows):
        start = _whole(row.get("t"), at)
        if index and start - at > _GAP_S * scale:
            yield None, (start - at) / scale
        at = start
        ticks = _whole(row.get("d"), 0)
        repeats = row.get("r", "0")
        if not ticks:
            raise PlaylistBad("The manifest's timeline holds a segment without a length.")
        if repeats.startswith("-"):
            following = rows[index + 1].get("t") if index + 1 < len(rows) else None
            end = _whole(following, 0) if following else first + int((place.duration_s or 0) * scale)
            count = math.ceil((end - at) / ticks)
        else:
            count = _whole(repeats, 0) + 1
        for _ in range(count):
            yield at, ticks / scale
            at += ticks


def _listed(place: Place) -> list[Segment]:
    listing = place.elements["self"]
    scale = _whole(place.attributes.get("timescale"), 1) or 1
    length_s = _whole(place.attributes.get("duration"), 0) / scale
    found: list[Segment] = []
    start = place.elements.get("Initialization")
    if start is not None:
        found.append(_ranged(place, start.get("sourceURL", ""), start.get("range"), is_init=True))
    rows = listing.findall("SegmentURL")
    if len(rows) > MAX_SEGMENTS:
        raise PlaylistRefused(f"The manifest lists more than {MAX_SEGMENTS} segments.")
    timeline = place.elements.get("SegmentTimeline")
    times = iter(_timeline(place, timeline, scale) if timeline is not None else ())
    for row in rows:
        time, stated_s = next(times, (0, length_s))
        if time is None:
            found.append(Segment(url="", duration_s=stated_s, gap=True))
            _time, stated_s = next(times, (0, length_s))
        segment = _ranged(place, row.get("media", ""), row.get("mediaRange"))
        found.append(replace(segment, duration_s=stated_s))
    return found


def _ranged(place: Place, reference: str, span: str | None, *, is_init: bool = False) -> Segment:
    url = joined(place.base_url, reference)
    if span is None:
        return Segment(url=url, is_init=is_init)
    match = _SPAN.fullmatch(span.strip())
    if match is None or int(match[2]) < int(match[1]):
        raise PlaylistBad(f"The manifest names a byte range that is none ({span[:40]!r}).")
    return Segment(url=url, offset=int(match[1]), length=int(match[2]) - int(match[1]) + 1, is_init=is_init)


def _filled(pattern: str, values: dict[str, str]) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        value = values.get(match[1], "")
        return value.zfill(int(match[2])) if match[2] else value

    return _BLANK.sub(fill, pattern)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else default
