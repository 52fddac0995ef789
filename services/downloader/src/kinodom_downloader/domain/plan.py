"""The plan of a download: every piece that is to be fetched, in order. Saved as plan.json beside the pieces."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from kinodom_downloader.domain.fetched import Role

MAX_SEGMENTS: Final = 100_000
_VERSION: Final = 1
Shape = Literal["segments", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One piece: an answer, or a range of one."""

    url: str
    duration_s: float = 0.0  # as the playlist states it; 0 for an init section
    offset: int | None = None  # first byte; None: the whole answer
    length: int | None = None  # None: to the end
    is_init: bool = False
    breaks: bool = False  # the source marks a discontinuity before it
    shift_s: float = 0.0  # to be added to the times in it; of subtitles alone
    gap: bool = False  # the source says that it is missing; it may have no address
    key_url: str | None = None  # AES-128 (CBC, PKCS7); None: not encrypted
    iv_hex: str = ""  # 32 digits when encrypted

    def identity(self) -> tuple[object, ...]:
        """Return what stays the same when the source hands out fresh addresses, and when it loses a piece."""
        return (round(self.duration_s, 3), self.offset, self.length, self.is_init, self.breaks,
                self.key_url is not None, self.iv_hex, self.shift_s)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPlan:
    """One stream of bytes."""

    role: Role
    segments: tuple[Segment, ...]
    shape: Shape = "segments"  # file: the pieces are ranges of one file, put together in place
    height_px: int | None = None
    bandwidth: int | None = None  # bit/s as the source states it
    language: str | None = None
    name: str | None = None
    silences: tuple[tuple[int, float], ...] = ()  # before this piece (one more than there are: at the end), seconds
    file_bytes: int | None = None  # of a single file: its length, to notice when it changes
    file_version: str | None = None  # of a single file: what its host calls this version of it

    def identity(self) -> tuple[object, ...]:
        """Return what must be equal for finished pieces to be kept."""
        pieces = tuple(segment.identity() for segment in self.segments)
        return (self.role, self.shape, self.height_px, self.language, self.name, self.file_bytes, self.silences,
                pieces)  # fmt: skip

    def duration_s(self) -> float:
        """Return the sum of what the playlist states."""
        return sum(segment.duration_s for segment in self.segments) + sum(length_s for _, length_s in self.silences)

    def shifts_s(self) -> tuple[float, ...]:
        """Return what is to be added to the times in each piece; empty when that is nothing."""
        shifts = tuple(segment.shift_s for segment in self.segments)
        return shifts if any(shifts) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All tracks of one video."""

    tracks: tuple[TrackPlan, ...]
    duration_s: float | None
    total_bytes: int | None = None  # known for single files, estimated from the bandwidth otherwise
    endless: bool = False  # its list has no end, as of a broadcast, and stayed the same; not stored

    def as_json(self) -> str:
        """Return the text of plan.json. What has its usual value is left out: a film may have very many pieces."""
        tracks = [
            {
                **{name: getattr(track, name) for name in _TRACK_VALUES},
                "segments": [_unusual(segment) for segment in track.segments],
            }
            for track in self.tracks
        ]
        whole = {"version": _VERSION, "tracks": tracks, "duration_s": self.duration_s, "total_bytes": self.total_bytes}
        return json.dumps(whole, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Plan | None:
        """Return the plan in a plan.json; None when it was written by another version or is damaged."""
        try:
            stored = json.loads(text)
            if stored.pop("version") != _VERSION:
                return None
            tracks = tuple(_track(track) for track in stored.pop("tracks"))
            return cls(tracks=tracks, duration_s=stored["duration_s"], total_bytes=stored["total_bytes"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


_TRACK_VALUES: Final = tuple(item.name for item in fields(TrackPlan) if item.name != "segments")
_USUAL: Final = tuple((item.name, item.default) for item in fields(Segment))


def _unusual(segment: Segment) -> dict[str, object]:
    values = ((name, usual, getattr(segment, name)) for name, usual in _USUAL)
    return {name: value for name, usual, value in values if value != usual}


def _track(stored: dict[str, Any]) -> TrackPlan:
    names = {field.name for field in fields(Segment)}
    segments = tuple(
        Segment(**{name: value for name, value in item.items() if name in names}) for item in stored.pop("segments")
    )
    silences = tuple((int(before), float(length_s)) for before, length_s in stored.pop("silences", ()))
    return TrackPlan(segments=segments, silences=silences, **stored)


def kept_tracks(old: Plan | None, new: Plan) -> frozenset[int]:
    """Return the indices of tracks whose finished pieces are still good under a fresh plan.

    Matched by position, length, map and key, never by address: tokens in addresses change from hour to hour.
    """
    if old is None:
        return frozenset()
    pairs = zip(old.tracks, new.tracks, strict=False)
    return frozenset(
        index
        for index, (was, now) in enumerate(pairs)
        if was.identity() == now.identity() and same_version(was.file_version, now.file_version)
    )


def moved_tracks(old: Plan | None, new: Plan) -> frozenset[int]:
    """Return the indices of tracks whose addresses have become others, apart from the tokens behind them."""
    pairs = zip(old.tracks, new.tracks, strict=False) if old else ()
    return frozenset(index for index, (was, now) in enumerate(pairs) if _place(was) != _place(now))


def _place(track: TrackPlan) -> str:
    return track.segments[-1].url.partition("?")[0]


def version_of(etag: str | None, modified: str | None) -> str:
    """Return what a host calls this version of a file: a mark of each of the two on a line of its own, or nothing."""
    return "\n".join(hashlib.sha256(text.encode()).hexdigest()[:8] if text else "" for text in (etag, modified))


def same_version(one: str | None, other: str | None) -> bool:
    """Return whether two versions may be of the same file.

    Hosts behind one name may differ in one of the two, so one in common is enough; so is nothing to compare.
    """
    pairs = [pair for pair in zip((one or "").split("\n"), (other or "").split("\n"), strict=False) if all(pair)]
    return not pairs or any(was == now for was, now in pairs)
