"""The periods of a DASH manifest put behind each other: every track runs through all of them.

A player chooses anew in each period; a film on the disk has one picture and whole sounds. So a sound goes on with the
sound of the next period that is most like it, and is silent where a period has none at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from kinodom_downloader.domain.faults import PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.languages import UNKNOWN, language_tag
from kinodom_downloader.domain.plan import TrackPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one period lists."""

    duration_s: float | None  # None: it does not say
    picture: TrackPlan | None
    sound_inside: bool  # the picture's pieces are said to hold a sound too
    sounds: tuple[TrackPlan, ...]
    texts: tuple[TrackPlan, ...]

    @property
    def media(self) -> tuple[TrackPlan, ...]:
        """Its picture and its sounds."""
        return self.sounds if self.picture is None else (self.picture, *self.sounds)

    def each(self, change: Callable[[TrackPlan], TrackPlan]) -> Part:
        """Return the period with its picture and its sounds changed."""
        picture = None if self.picture is None else change(self.picture)
        return replace(self, picture=picture, sounds=tuple(map(change, self.sounds)))

    @property
    def length_s(self) -> float:
        """How long it is, by its segments when it does not say."""
        if self.duration_s is None:
            return self.picture.duration_s() if self.picture else 0.0
        return self.duration_s

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it, as in the one that some hosts put at the end."""
        return not self.length_s and not self.media


def in_a_row(parts: Sequence[Part]) -> tuple[TrackPlan, ...]:
    """Return the tracks of a film: its picture, its sounds, its subtitles.

    Raises:
        PlaylistBad: there is no picture.
        PlaylistRefused: the periods do not go together.
    """
    parts = [part for part in parts if not part.is_empty]
    pictures = [part.picture for part in parts if part.picture is not None]
    if not pictures:
        raise PlaylistBad("The manifest lists no video.")
    if len(pictures) < len(parts):
        number = next(number for number, part in enumerate(parts, 1) if part.picture is None)
        raise PlaylistRefused(f"Period {number} of {len(parts)} of the manifest lists no video.")
    main = max(range(len(parts)), key=lambda at: (bool(parts[at].sounds), parts[at].length_s, len(parts[at].sounds)))
    has_sounds = bool(parts[main].sounds)
    if has_sounds and any(part.sound_inside and not part.sounds for part in parts):
        raise PlaylistRefused("The manifest lists the sound beside the picture in one period and within it in another.")
    picture = _joined(pictures, main)
    sounds = [
        _sound([_most_like(one, at, part.sounds) for part in parts], parts, main)
        for at, one in enumerate(parts[main].sounds)
    ]
    return (replace(picture, role="video" if has_sounds else "muxed"), *sounds, *_texts(parts))


def _most_like(wanted: TrackPlan, at: int, offered: Sequence[TrackPlan]) -> TrackPlan | None:
    """Return the sound with the same language and name, else language, else place; None: nothing is offered."""
    tag = language_tag(wanted.language)

    def same_name(one: TrackPlan) -> bool:
        return _spelled(one) == tag and one.name == wanted.name

    def same_language(one: TrackPlan) -> bool:
        return UNKNOWN not in (tag, _spelled(one)) and _base(_spelled(one)) == _base(tag)

    tests: tuple[Callable[[TrackPlan], bool], ...] = (same_name, same_language)
    for test in tests:
        if (found := next(filter(test, offered), None)) is not None:
            return found
    return (offered[at] if at < len(offered) else offered[0]) if offered else None


def _spelled(track: TrackPlan) -> str:
    return language_tag(track.language)


def _base(tag: str) -> str:
    return language_tag(tag.partition("-")[0])


def _sound(found: Sequence[TrackPlan | None], parts: Sequence[Part], main: int) -> TrackPlan:
    """Return one sound over all periods, silent in those that have none."""
    there = [one for one in found if one is not None]
    at, silences = 0, list[tuple[int, float]]()
    for one, part in zip(found, parts, strict=True):
        if one is None:
            silences.append((at, part.length_s))
        else:
            at += len(one.segments)
    main = sum(one is not None for one in found[:main])
    return replace(_joined(there, main), silences=tuple(silences))


def _texts(parts: Sequence[Part]) -> list[TrackPlan]:
    """Return the subtitles; what a period lacks is not missed, as their times are counted from its start."""
    found: dict[tuple[str, str | None], list[TrackPlan]] = {}
    starts_s = accumulate((part.length_s for part in parts[:-1]), initial=0.0)
    for start_s, part in zip(starts_s, parts, strict=True):
        mine: dict[tuple[str, str | None], TrackPlan] = {}
        for one in part.texts:
            moved = tuple(replace(piece, shift_s=piece.shift_s + start_s) for piece in one.segments)
            mine.setdefault((_spelled(one), one.name), replace(one, segments=moved))
        for key, one in mine.items():
            found.setdefault(key, []).append(one)
    return [_joined(each, 0) for each in found.values()]


def _joined(tracks: Sequence[TrackPlan], main: int) -> TrackPlan:
    """Return one track, called as the one of the main period; each new period is a discontinuity."""
    if len(tracks) == 1:
        return tracks[0]
    if any(one.shape == "file" for one in tracks):
        raise PlaylistRefused("The manifest is made of several single files in a row, which cannot be joined.")
    segments = list(tracks[0].segments)
    for one in tracks[1:]:
        head, *rest = one.segments
        segments += [replace(head, breaks=True), *rest]
    return replace(tracks[main], segments=tuple(segments), file_bytes=None, file_version=None)
