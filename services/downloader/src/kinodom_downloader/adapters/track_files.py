"""A packaged track file on the disk: put it in its place on the timeline, check it, sum it."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from kinodom_downloader.domain.boxes import (
    Box,
    BrokenBoxes,
    Fragment,
    Index,
    Reference,
    fragments,
    load,
    packed_index,
    read_index,
    top_boxes,
)
from kinodom_downloader.domain.checks import IndexWrong, check_fragment, check_header, check_index, check_offset
from kinodom_downloader.domain.headers import Track, read_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFile:
    """One checked track file."""

    path: Path
    track: Track
    codec: str  # RFC 6381
    index: Index
    size_bytes: int


def finish_track(path: Path, *, start_s: float) -> TrackFile:
    """Move a freshly packaged track to its start on the common timeline, mend its index and check it.

    ffmpeg places each output of each run by itself, writes first audio frames before 0 as huge unsigned times, and
    reads fragmented files with negative composition offsets a few frames late. So the place comes from us.

    Args:
        path: a file with one track and one index in front; changed in place.
        start_s: where its first frame belongs, not negative.

    Raises:
        PackagingFailed: with the code of the check that failed.
    """
    size = path.stat().st_size
    with path.open("r+b") as file:
        boxes = list(top_boxes(file, size))
        track, index, head = _head(file, path, boxes)
        codec = check_header(path.name, track)
        check_index(path.name, index, size)
        moofs = [box for box in boxes if box.kind == "moof"]
        found = list(_fragments(file, path, moofs, index, is_video=track.kind == "video"))
        shift = round(start_s * track.timescale) - (found[0].decode_time + found[0].first_offset)
        for fragment in found:
            file.seek(fragment.decode_time_at)
            shape = ">q" if fragment.decode_time_bytes == 8 else ">I"
            file.write(struct.pack(shape, fragment.decode_time + shift))
        index = replace(index, references=_references(index, found, shift))
        file.seek(index.box.start)
        file.write(packed_index(index, head))
    check_offset(path.name, index.start_s, start_s)
    return TrackFile(path=path, track=track, codec=codec, index=index, size_bytes=size)


def file_sum(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_track(path: Path) -> TrackFile:
    """Return a track file that was finished before. Raises BrokenBoxes or IndexWrong."""
    size = path.stat().st_size
    with path.open("rb") as file:
        track, index, _head_bytes = _head(file, path, list(top_boxes(file, size)))
    return TrackFile(path=path, track=track, codec=check_header(path.name, track), index=index, size_bytes=size)


def source_tracks(parts: Iterable[Path]) -> tuple[list[Track], dict[int, float]]:
    """Return the tracks of an ISO source, and where each starts by its first fragment (seconds, by track id).

    Only headers and first fragments are read. A file that is not fragmented gives no starts.
    """
    tracks: list[Track] = []
    starts: dict[int, float] = {}
    for part in parts:
        with part.open("rb") as file:
            for box in top_boxes(file, part.stat().st_size):
                if box.kind == "moov" and not tracks:
                    tracks = read_tracks(load(file, box))
                elif box.kind == "moof":
                    _note_starts(fragments(load(file, box)), tracks, starts)
                if tracks and len(starts) == len(tracks):
                    return tracks, starts
    return tracks, starts


def _note_starts(found: list[Fragment], tracks: list[Track], starts: dict[int, float]) -> None:
    known = {track.track_id: track for track in tracks}
    for fragment in found:
        if (track := known.get(fragment.track_id)) is not None:
            first_s = (fragment.decode_time + fragment.first_offset) / track.timescale
            starts.setdefault(track.track_id, first_s + track.edit_s)


def _head(file: BinaryIO, path: Path, boxes: list[Box]) -> tuple[Track, Index, bytes]:
    named = {box.kind: box for box in reversed(boxes)}
    if not {"moov", "sidx", "moof"} <= named.keys():
        raise IndexWrong(f"{path.name} has no header, no index or no fragment.")
    tracks = read_tracks(load(file, named["moov"]))
    if len(tracks) != 1:
        raise IndexWrong(f"{path.name} holds {len(tracks)} tracks instead of one.")
    head = load(file, named["sidx"])
    index = read_index(head, Box("sidx", 0, named["sidx"].size, named["sidx"].header))
    at = named["sidx"].start
    moved = tuple(replace(part, start=part.start + at) for part in index.references)
    return tracks[0], Index(named["sidx"], index.timescale, moved), head


def _fragments(file: BinaryIO, path: Path, moofs: list[Box], index: Index, *, is_video: bool) -> Iterator[Fragment]:
    if [moof.start for moof in moofs] != [part.start for part in index.references]:
        raise IndexWrong(f"{path.name}: the index does not name the fragments.")
    for number, moof in enumerate(moofs):
        found = fragments(load(file, moof), moof.start)
        if len(found) != 1:
            raise BrokenBoxes(f"{path.name}: fragment {number} is not of one track.")
        check_fragment(path.name, number, found[0], is_video=is_video)
        yield found[0]


def _references(index: Index, found: list[Fragment], shift: int) -> tuple[Reference, ...]:
    """Return the index entries with the times of the fragments themselves."""
    starts = [fragment.decode_time + fragment.first_offset + shift for fragment in found]
    last = found[-1].duration or index.references[-1].duration
    ends = [*starts[1:], starts[-1] + last]
    return tuple(
        replace(part, at=start, duration=max(0, end - start))
        for part, start, end in zip(index.references, starts, ends, strict=True)
    )
