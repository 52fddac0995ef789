"""Gathers the pieces of a film into its track files while they come, so that each byte reaches the disk once; ADR 13.

A piece whose turn it is goes from its own file, which has only just been written and is in memory still, behind those
before it; then its own file goes away. A film of which anything does not fit stays in pieces, as one in MPEG-TS does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kinodom_common.logs import get_log
from kinodom_downloader.adapters.gathered import Gathered
from kinodom_downloader.domain.gathering import is_in_pieces, moves
from kinodom_downloader.domain.track_heads import NotPlain, head_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_downloader.adapters.workfolder import WorkFolder

log = get_log(__name__)

_STEP_BYTES: Final = 268_435_456  # then the others have their turn
_LONG_S: Final = 25.0  # a piece that waited so long reaches the disk by itself: 30 s is Linux' usual time


class Gatherer:
    """Used by one thread."""

    def __init__(self, folder: WorkFolder) -> None:
        self._folder = folder
        media = [number for number, track in enumerate(folder.plan.tracks) if track.role != "subtitles"]
        self._tracks = media if all(is_in_pieces(folder.plan.tracks[number]) for number in media) else []
        self._is_over = not self._tracks
        self._has_begun = False
        folder.arrivals.waits_for = frozenset(self._tracks)

    def step(self) -> bool:
        """Gather what has its turn; return whether there may be more.

        Raises:
            NoSpace: the disk is full.
        """
        if self._is_over:
            return False
        try:
            if not self._has_begun or not self._folder.gathered.keys() >= {*self._tracks}:
                self._has_begun = self._begin()
            more = self._has_begun and sum(self._gather(track) for track in self._tracks) > 0
        except NotPlain as exc:
            log.info("pieces_not_gathered", reason=str(exc))
            self._give_up()
            return False
        self._folder.arrivals.release(after_s=_LONG_S)
        return more

    def finish(self) -> None:
        """Leave a film in pieces that is not gathered whole."""
        plan = self._folder.plan
        counts = [len(plan.tracks[track].segments) - 1 for track in self._tracks]
        done = [one.count if (one := self._folder.gathered.get(track)) else 0 for track in self._tracks]
        if done != counts:
            self._give_up()

    def close(self) -> None:
        """Let go of the files; the next step takes them again."""
        for gathered in self._folder.gathered.values():
            gathered.close()

    def _begin(self) -> bool:
        """Open the track files, once the header and the first piece of each track are there."""
        folder = self._folder
        if not all(folder.is_there(track, index) for track in self._tracks for index in (0, 1)):
            return False
        heads = [head_of(folder.piece(track, 0).read_bytes()) for track in self._tracks]
        found = moves(heads, [self._reader(track) for track in self._tracks])
        for track, head, move in zip(self._tracks, heads, found, strict=True):
            there = folder.gathered.get(track)
            if there is not None and (there.head.front, there.move) != (head.front, move):
                folder.spill(track)
            if track not in folder.gathered:
                pieces = len(folder.plan.tracks[track].segments) - 1
                folder.gathered[track] = Gathered.begun(folder.piece(track, 0).parent, head, move, pieces=pieces)
        return True

    def _reader(self, track: int) -> Callable[[int, int], bytes]:
        body = self._folder.read(track, 1)
        return lambda at, count: body[at : at + count]

    def _gather(self, track: int) -> bool:
        """Gather pieces of a track; return whether this stopped for being long."""
        folder, gathered = self._folder, self._folder.gathered[track]
        listed: list[Path] = []
        began, last = gathered.ends[-1], len(folder.plan.tracks[track].segments) - 1
        while gathered.count < last and folder.is_there(track, gathered.count + 1):
            if gathered.ends[-1] - began > _STEP_BYTES:
                break
            index = gathered.count + 1
            place = folder.piece(track, index)
            gathered.append(place)
            if folder.arrivals.gathered(track, index):
                self._away(gathered, place)
            else:
                listed.append(place)
        if listed:  # on the list of what survives a power cut, so what replaces them must as well
            gathered.flush()
            for place in listed:
                self._away(gathered, place)
        return gathered.ends[-1] - began > _STEP_BYTES

    def _away(self, gathered: Gathered, place: Path) -> None:
        if gathered.is_ours():  # else another process has the film, and its pieces are not ours to delete
            place.unlink(missing_ok=True)

    def _give_up(self) -> None:
        """Leave everything in pieces."""
        self._is_over = True
        for track in self._tracks:
            self._folder.spill(track)
        self._folder.arrivals.waits_for = frozenset()
        self._folder.arrivals.release()
