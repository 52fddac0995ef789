"""Are the pieces on the disk of the film that a fresh address leads to? Plans of two renditions may look the same.

Two offers may both have 300 segments of 6 s. So one finished piece is fetched anew where the addresses are others,
and compared; a track that differs starts over, as pieces of two renditions make no film.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.bodies import MemoryBody, Piece
from kinodom_downloader.adapters.failures import told
from kinodom_downloader.adapters.locks import unlock
from kinodom_downloader.adapters.pieces import Job
from kinodom_downloader.adapters.worker_thread import PACKINGS
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.domain import gate

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_downloader.adapters.bodies import Taken
    from kinodom_downloader.adapters.planner import Planner
    from kinodom_downloader.domain.plan import Plan

_LONGEST_BYTES: Final = 67_108_864


def strangers(path: Path, plan: Plan, planner: Planner) -> frozenset[int]:
    """Return the tracks of a work folder whose finished pieces are not those of this plan.

    Raises:
        KinodomError: the piece to compare could not be had, by name.
    """
    folder = WorkFolder(path, plan)
    return frozenset(track for track, index in folder.doubtful() if not _is_same(folder, track, index, planner))


def _is_same(folder: WorkFolder, track: int, index: int, planner: Planner) -> bool:
    plan = folder.plan.tracks[track]
    segment = plan.segments[index]
    try:
        taken = planner.taken(Piece(url=segment.url, start=segment.offset, length=segment.length), limit=_LONGEST_BYTES)
        body = _held(taken)
        if taken.encoding in PACKINGS:
            body = gate.unpacked(body)
        if segment.key_url is not None:
            key = gate.check_key(_held(planner.taken(Piece(url=segment.key_url), limit=65_536)))
            plain = MemoryBody(limit=_LONGEST_BYTES)
            unlock(body, plain.add, key=key, iv_hex=segment.iv_hex, room=planner.line.room)
            body = bytes(plain.held)
        check = gate.check_subtitles if plan.role == "subtitles" else gate.check_piece
        return folder.is_same(track, index, check(body).payload)
    except (KinodomError, gate.NotThatMedia) as exc:
        raise told(Job(0.0, track, index), exc, folder) from exc


def _held(taken: Taken) -> bytes:
    assert isinstance(taken.body, MemoryBody)
    return bytes(taken.body.held)
