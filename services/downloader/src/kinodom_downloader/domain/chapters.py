"""Chapters of a film, from the parts that most people pass over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.offers import Skip

CHAPTERS = "chapters.vtt"
_NAMES = {"opening": "Opening", "ending": "Ending"}
_SHORTEST_S = 1.0
_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of a film with a name."""

    start_s: float
    end_s: float
    name: str


def fitting(skips: Sequence[Skip], duration_s: float) -> tuple[Skip, ...]:
    """Return the parts that lie in the film and not over each other, in their order; ends are cut to the film's."""
    found: list[Skip] = []
    at_s = 0.0
    for skip in sorted(skips, key=lambda one: one.start_s):
        end_s = min(skip.end_s, duration_s)
        if skip.start_s >= at_s and end_s - skip.start_s >= _SHORTEST_S and len(found) < _MOST:
            found.append(skip.model_copy(update={"end_s": end_s}))
            at_s = end_s
    return tuple(found)


def chapters_of(skips: Sequence[Skip], duration_s: float) -> tuple[Chapter, ...]:
    """Return the chapters, one behind the other over the whole film; none when nothing is to be passed over."""
    found: list[Chapter] = []
    at_s = 0.0
    for skip in fitting(skips, duration_s):
        if skip.start_s - at_s >= _SHORTEST_S:
            found.append(Chapter(start_s=at_s, end_s=skip.start_s, name="Film"))
        start_s = skip.start_s if found and found[-1].end_s == skip.start_s else at_s
        found.append(Chapter(start_s=start_s, end_s=skip.end_s, name=_NAMES.get(skip.kind, "Film")))
        at_s = skip.end_s
    if found and duration_s - at_s >= _SHORTEST_S:
        found.append(Chapter(start_s=at_s, end_s=duration_s, name="Film"))
    return tuple(found)


def chapters_vtt(chapters: Sequence[Chapter]) -> str:
    """Return the WebVTT file of chapters."""
    lines = ["WEBVTT", ""]
    for one in chapters:
        lines += [f"{vtt_time(one.start_s)} --> {vtt_time(one.end_s)}", one.name, ""]
    return "\n".join(lines)


def vtt_time(at_s: float) -> str:
    """Return a time as WebVTT writes it."""
    hours, rest_ms = divmod(round(at_s * 1000), 3_600_000)
    minutes, ms = divmod(rest_ms, 60_000)
    return f"{hours:02d}:{minutes:02d}:{ms // 1000:02d}.{ms % 1000:03d}"
