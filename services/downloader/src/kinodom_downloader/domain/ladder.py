"""Which further renditions of a published picture are wanted: lower ones, and one that every browser plays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_common.contracts.videos import TrackInfo, VideoIn

LEAST_PX: Final = 144
MOST_PX: Final = 4320
MOST_RUNGS: Final = 6
_SMALLER: Final = 0.8  # of the height: what is hardly smaller is not worth its room
_BIT_S_PER_PX2: Final = 7.0  # of the height squared: 1.6 Mbit/s at 480, 3.6 at 720, 8.2 at 1080
_PLAYED_AVC: Final = frozenset({"42", "4d", "58", "64"})  # Baseline, Main, Extended, High: 8 bits, 4:2:0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What the operator wants made after a film is shown."""

    heights_px: tuple[int, ...] = ()  # the highest first
    everywhere: bool = False  # an H.264 rendition of what only some browsers play

    @classmethod
    def of(cls, text: str, *, everywhere: bool = False) -> Ladder:
        """Return the ladder that a text such as `720,480` names; raises ValueError."""
        words = [word.strip().removesuffix("p") for word in text.split(",") if word.strip()]
        if not all(re.fullmatch(r"[0-9]{1,5}", word) and LEAST_PX <= int(word) <= MOST_PX for word in words):
            raise ValueError(f"write heights between {LEAST_PX} and {MOST_PX} as 720,480")
        if len(words) > MOST_RUNGS:
            raise ValueError(f"name at most {MOST_RUNGS} heights")
        heights_px = {int(word) - int(word) % 2 for word in words}
        return cls(heights_px=tuple(sorted(heights_px, reverse=True)), everywhere=everywhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rendition that is to be made, in H.264."""

    height_px: int
    bit_s: int  # the most it may take

    @property
    def file(self) -> str:
        """Name of its track file."""
        return f"v-{self.height_px}.mp4"


def plays_everywhere(codec: str) -> bool:
    """Tell of an RFC 6381 name whether each of today's browsers plays it, on whatever machine."""
    kind, _, detail = codec.lower().partition(".")
    return kind in ("avc1", "avc3") and detail[:2] in _PLAYED_AVC


def missing(video: VideoIn, ladder: Ladder) -> tuple[Rung, ...]:
    """Return the renditions that a published film lacks, the highest first; of sound alone there are none."""
    pictures = [track for track in video.tracks if track.kind == "video" and track.height_px]
    if not pictures:
        return ()
    own = pictures[0]
    own_px = own.height_px or 0
    there = {track.height_px for track in pictures if plays_everywhere(track.codec or "")}
    wanted = [height_px for height_px in ladder.heights_px if height_px <= own_px * _SMALLER]
    if ladder.everywhere and not plays_everywhere(own.codec or ""):
        wanted.insert(0, own_px - own_px % 2)
    return tuple(_rung(height_px) for height_px in wanted if height_px not in there)


def needed_bytes(rungs: Sequence[Rung], duration_s: float) -> int:
    """Return what these renditions take on the disk at the most."""
    return int(sum(rung.bit_s for rung in rungs) * duration_s / 8)


def for_devices(tracks: Sequence[TrackInfo]) -> TrackInfo | None:
    """Return the picture that goes into a file for a device; None: there is none.

    The rendition that plays everywhere when it is as large as the film's own, else the film's own.
    """
    pictures = [track for track in tracks if track.kind == "video"]
    if not pictures:
        return None
    own_px = (pictures[0].height_px or 0) - (pictures[0].height_px or 0) % 2
    played = (one for one in pictures if plays_everywhere(one.codec or "") and (one.height_px or 0) >= own_px)
    return next(played, pictures[0])


def _rung(height_px: int) -> Rung:
    return Rung(height_px=height_px, bit_s=int(height_px**2 * _BIT_S_PER_PX2))
