"""A gathered track becomes the file that is published: its index is written into the room in front, and no byte more.

The published name is a second one of the same file. Killed on the way, the work folder has its pieces as before.
"""

from __future__ import annotations

import os
import struct
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.track_files import TrackFile, read_track
from kinodom_downloader.domain.boxes import Box, load, top_boxes
from kinodom_downloader.domain.checks import (
    IndexWrong,
    check_duration,
    check_fragment,
    check_header,
    check_index,
    check_offset,
)
from kinodom_downloader.domain.gathering import times_of
from kinodom_downloader.domain.track_heads import Head, NotPlain, head_of
from kinodom_downloader.domain.track_index import cut_like, index_of, sidx_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from kinodom_downloader.adapters.track_plans import TrackPlan
    from kinodom_downloader.domain.boxes import Index

log = get_log(__name__)


def adopted(plans: Sequence[TrackPlan], out: Path, *, place_s: float) -> TrackFile | None:
    """Return the track file of a source that is gathered; None: it is to be packaged in the usual way.

    Args:
        plans: the tracks that its source becomes.
        out: the staging folder.
        place_s: where the first of them begins on the common timeline.
    """
    plan, *others = plans
    handling, fetched = plan.handling, plan.source.fetched
    if not fetched.gathered or others or handling.treatment != "copy" or handling.bitstream:
        return None
    try:
        return _adopted(plan, out / plan.file, place_s)
    except (NotPlain, KinodomError, OSError) as exc:
        (out / plan.file).unlink(missing_ok=True)
        log.warning("gathered_track_not_adopted", file=plan.file, reason=str(exc))
        return None


def _adopted(plan: TrackPlan, target: Path, place_s: float) -> TrackFile:
    path = plan.source.fetched.parts[0]
    with path.open("r+b") as file:
        head, room = _head(file)
        if plan.handling.tag not in (None, head.track.entry):
            raise NotPlain(f"a track of {head.track.entry} that has to become {plan.handling.tag}")
        index, sidx = _indexed(file, plan, head)
        check_header(plan.file, head.track)
        check_index(plan.file, index, os.fstat(file.fileno()).st_size)
        check_offset(plan.file, index.start_s, place_s)
        check_duration(plan.file, index, plan.length())
        if room.start + 8 > index.box.start:
            raise NotPlain("too little room for an index")
        _write_index(file.fileno(), room, sidx, index.box.start)
    target.hardlink_to(path)
    made = read_track(target)
    if made.index != index:
        raise IndexWrong(f"{plan.file}: its index was read otherwise than it was written.")
    return made


def _head(file: BinaryIO) -> tuple[Head, Box]:
    """Return the head of a gathered file and the room behind it."""
    front = b""
    for box in top_boxes(file, os.fstat(file.fileno()).st_size):
        if box.kind == "free":
            return head_of(front), box
        front += load(file, box)
    raise NotPlain("no room for an index")


def _indexed(file: BinaryIO, plan: TrackPlan, head: Head) -> tuple[Index, bytes]:
    """Return the index over the pieces, each of which is looked at."""
    ends, handle = plan.source.fetched.gathered, file.fileno()
    starts: list[int] = []
    last: int | None = None
    for number, (at, end) in enumerate(pairwise(ends)):
        first, last = times_of(partial(_read, handle, at), end - at, head)
        check_fragment(plan.file, number, first, is_video=head.track.kind == "video")
        starts.append(first.decode_time + first.first_offset)
    if last is None:
        raise NotPlain("no length of the last piece")
    return index_of(head, ends, starts, last)


def _read(handle: int, begin: int, at: int, count: int) -> bytes:
    return os.pread(handle, count, begin + at)


def recut(path: Path, like: Index) -> TrackFile:
    """Join entries of a finished track's index so that it is cut as another track is, and return it.

    Pieces of a gathered film may hold several key frames, each of which begins a fragment of what is made of it.
    """
    file = read_track(path)
    joined = cut_like(file.index, like)
    box = file.index.box
    sidx = sidx_of(joined, file.track.track_id)
    spare = box.size - len(sidx)
    if joined.references[0].start != box.end or len(joined.references) == len(file.index.references) or spare < 8:
        return file
    with path.open("r+b") as out:
        _write_index(out.fileno(), Box("free", box.start, box.size, 8), sidx, box.start + spare)
        os.pwrite(out.fileno(), b"free", box.start + 4)
    return read_track(path)


def _write_index(handle: int, room: Box, sidx: bytes, at: int) -> None:
    """Write the index inside the room, then let the room end before it: the file is whole at every moment."""
    if os.pwrite(handle, sidx, at) != len(sidx):
        raise OSError("The index was not written whole.")
    os.pwrite(handle, struct.pack(">I", at - room.start), room.start)
