"""The work folder of one download: plan.json, the pieces, and the list of those that are safe on the disk.

A piece is written beside its place and renamed when whole. The list is written after the pieces are flushed, so a
piece on it survives a power cut; a piece that is there but not on it is checked again before it counts, and so is
the part of one that had come. Both count only while the machine runs on.

Pieces of fragmented MP4 do not stay in files of their own: they are gathered (`gatherer.py`), and listed then.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from io import FileIO
from itertools import pairwise
from typing import TYPE_CHECKING

from kinodom_common.logs import get_log
from kinodom_downloader.adapters.arrivals import Arrivals, listed_in
from kinodom_downloader.adapters.disk import flush, told_when_full, write_whole
from kinodom_downloader.adapters.gathered import Gathered
from kinodom_downloader.adapters.parts import FileBody, PartBody, found_parts, machine_ran_on, note_machine, put
from kinodom_downloader.adapters.single_file import put_range, ranges_that_came
from kinodom_downloader.domain.live import piece_path
from kinodom_downloader.domain.plan import Plan, kept_tracks, moved_tracks

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from kinodom_downloader.domain.gate import Payload

log = get_log(__name__)


@dataclass(slots=True)
class WorkFolder:
    """Pieces of one plan on the disk."""

    path: Path
    plan: Plan
    safe: dict[tuple[int, int], int] = field(default_factory=dict)  # (track, index): length
    anew: bool = False  # pieces were there, and are not of this plan: the source has changed the film, or its cutting
    gathered: dict[int, Gathered] = field(default_factory=dict)  # by track
    arrivals: Arrivals = field(default_factory=Arrivals)
    _unlisted: set[tuple[int, int]] = field(default_factory=set)  # whole, and not flushed when the end came
    _parts: dict[tuple[int, int], Path] = field(default_factory=dict)  # (track, index): what had come

    @classmethod
    def opened(cls, path: Path, plan: Plan, *, start_over: AbstractSet[int] = frozenset()) -> WorkFolder:
        """Return the folder, cleared of everything that does not belong to this plan, and of these tracks."""
        with told_when_full():
            path.mkdir(parents=True, exist_ok=True)
            folder = cls(path, plan)
            before = folder._plan_before()
            kept = kept_tracks(before, plan) - start_over
            moved = moved_tracks(before, plan)
            ran_on = machine_ran_on(path)
            listed = [entry for entry in listed_in(path) if entry[0] in kept]
            for track in kept:
                folder._take_over(track, listed, ran_on=ran_on)
            entries = [entry for entry in listed if folder._place(*entry[:2]).exists()]
            folder._throw_away(set(path.glob("t[0-9]*")) - {folder._track(index) for index in kept})
            folder.safe |= {(track, index): length for track, index, length in entries}
            write_whole(path / "done.txt", "".join(f"{track} {index} {length}\n" for track, index, length in entries))
            write_whole(path / "plan.json", plan.as_json())
            for index in range(len(plan.tracks)):
                folder._track(index).mkdir(exist_ok=True)
            for index in range(len(plan.tracks)):
                folder._look_through(index, ran_on=ran_on, moved=index in moved)
            note_machine(path)
            flush(path)
        return folder

    def _throw_away(self, tracks: set[Path]) -> None:
        lost = {old.name: count for old in sorted(tracks) if (count := sum(1 for _ in old.iterdir()))}
        if lost:
            self.anew = True
            log.warning("film_changed_pieces_thrown_away", pieces=lost, wish_id=self.path.parent.name)
        for old in tracks:
            shutil.rmtree(old)

    def doubtful(self) -> list[tuple[int, int]]:
        """Return the shortest finished piece of each track that the plan keeps while its addresses are others.

        Asked before the folder is opened. Single files are told apart by their length and version.
        """
        before, listed, ran_on = self._plan_before(), listed_in(self.path), machine_ran_on(self.path)
        found: list[tuple[int, int]] = []
        for track in sorted(kept_tracks(before, self.plan) & moved_tracks(before, self.plan)):
            plan = self.plan.tracks[track]
            if plan.shape != "segments":
                continue
            gathered = self._find_gathered(track, listed, ran_on=ran_on)
            sizes = [
                (self.piece(track, index).stat().st_size, index)
                for index, segment in enumerate(plan.segments)
                if not segment.is_init and self.piece(track, index).exists()
            ]
            ends = gathered.ends if gathered else []
            sizes += [(end - begin, index) for index, (begin, end) in enumerate(pairwise(ends), 1)]
            if sizes:
                found.append((track, min(sizes)[1]))
        return found

    def piece(self, track: int, index: int) -> Path:
        """Return where a whole piece lies."""
        return self.path / piece_path(track, index)

    def file(self, track: int) -> Path:
        """Return where a single file is put together."""
        return self._track(track) / "film.bin"

    def has(self, track: int, index: int) -> bool:
        """Return whether a piece is on the list and lies there in its length."""
        length = self.safe.get((track, index))
        if length is None:
            return False
        if self.plan.tracks[track].shape == "file" or self._has_gathered(track, index):
            return True
        try:
            return self.piece(track, index).stat().st_size == length
        except FileNotFoundError:
            return False

    def is_there(self, track: int, index: int) -> bool:
        """Return whether a piece is whole and checked, be it on the list or not yet."""
        return self.arrivals.is_waiting(track, index) or self.has(track, index)

    def read(self, track: int, index: int) -> bytes:
        """Return a piece that is there, with the times that the source gave it."""
        if self._has_gathered(track, index):
            return self.gathered[track].piece(index)
        return self.piece(track, index).read_bytes()

    def is_same(self, track: int, index: int, payload: Payload) -> bool:
        """Tell whether a fetched piece is the one that is there."""
        if self._has_gathered(track, index):
            return self.gathered[track].is_same(index, payload[:])
        return payload[:] == self.piece(track, index).read_bytes()

    def unlisted(self, track: int, index: int) -> bytes | None:
        """Return a piece that was renamed shortly before the end came; it is to be checked again."""
        if (track, index) not in self._unlisted:
            return None
        self._unlisted.discard((track, index))
        return self.piece(track, index).read_bytes()

    def keep(self, track: int, index: int, payload: Payload | bytearray) -> None:
        """Put a checked piece in its place.

        Raises:
            NoSpace: the disk is full.
        """
        with told_when_full():
            if self.plan.tracks[track].shape == "file":
                put_range(self.file(track), index, self.plan.tracks[track].segments[index].offset or 0, payload)
            else:
                place = str(self.piece(track, index))
                with FileIO(place + ".new", "wb") as file:
                    put(file, memoryview(payload))
                os.rename(place + ".new", place)  # noqa: PTH104 - a film may have very many pieces
        self.note(track, index, len(payload))

    def part(self, track: int, index: int) -> PartBody:
        """Return where the bytes of a segment go; what had come of it when the end came is in it."""
        found = self._parts.pop((track, index), None)
        place = self.piece(track, index)
        return PartBody(place) if found is None else PartBody.found(place, found)

    def plain(self, track: int, index: int) -> PartBody:
        """Return where the bytes of a segment go that came packed or locked, once they are open."""
        return PartBody(self.piece(track, index), ending="plain", held_bytes=0)

    def adopt(self, track: int, index: int, body: PartBody) -> None:
        """Put the file of a checked segment in its place, just as it lies there."""
        length = len(body)
        body.become_whole()
        self.note(track, index, length)

    def forget(self, track: int, index: int) -> None:
        """Throw a piece away; the list may still name it, which counts for nothing without the file."""
        self.safe.pop((track, index), None)
        if self._has_gathered(track, index):
            self.spill(track, index)
        self.piece(track, index).unlink(missing_ok=True)

    def spill(self, track: int, index: int = 1) -> None:
        """Put this gathered piece and all behind it into files of their own again."""
        if gathered := self.gathered.get(track):
            gathered.spill(index, lambda number: self.piece(track, number))
        if index == 1 and gathered:
            self.gathered.pop(track).drop()

    def stream(self, track: int) -> FileBody:
        """Return where a single file goes whose host serves no ranges; what lies there is forgotten."""
        with told_when_full():
            self.file(track).write_bytes(b"")
        return FileBody(self.file(track))

    def note(self, track: int, index: int, length: int) -> None:
        """Remember a piece for the next flush."""
        self.arrivals.note(track, index, length)

    def settle(self, *, after_s: float = 0.0, at_most: int | None = None) -> None:
        """Flush the pieces that came since the last time, once the first of them has waited for so long; list them.

        The last segments of a film that is whole are not waited for: it is packaged at once, and flushed as a whole
        then. After a power cut in between they are fetched again.

        Raises:
            NoSpace: the disk is full.
        """
        fresh = self.arrivals.take(after_s, at_most)
        good = {(track, index): length for track, index, length in fresh}
        if len(self.safe.keys() | good) == sum(len(track.segments) for track in self.plan.tracks):
            fresh = [entry for entry in fresh if self.plan.tracks[entry[0]].shape == "file"]
        if fresh:
            self._flush(fresh)
        self.safe |= good

    def _flush(self, fresh: list[tuple[int, int, int]]) -> None:
        with told_when_full():
            for path in {self._place(track, index) for track, index, _ in fresh}:
                flush(path)
            for track in {track for track, index, _ in fresh if self._has_gathered(track, index)}:
                self.gathered[track].flush()
            for track in {track for track, _, _ in fresh}:
                flush(self._track(track))
            with (self.path / "done.txt").open("a") as listed:
                listed.writelines(f"{track} {index} {length}\n" for track, index, length in fresh)
                listed.flush()
                os.fsync(listed.fileno())

    def _look_through(self, track: int, *, ran_on: bool, moved: bool) -> None:
        """Find what is not on the list; after a power cut throw it away: nobody knows what of it reached the disk.

        A part is thrown away also when the addresses are others: its other half might be of another rendition.
        """
        folder = self._track(track)
        came = ranges_that_came(self.file(track), ran_on=ran_on)
        for index in came.keys() - {index for on, index in self.safe if on == track}:
            self.safe[track, index] = came[index]
            self.arrivals.note(track, index, came[index])
        parts = {(track, index): path for index, path in found_parts(folder).items()}
        whole = {(track, int(path.stem)): path for path in folder.glob("*.seg")}
        twice = {key: path for key, path in whole.items() if self._has_gathered(*key)}
        loose = {key: path for key, path in whole.items() if key not in self.safe}
        if ran_on:
            self._unlisted |= loose.keys() - twice.keys()
            loose = {}
        loose |= twice
        if ran_on and not moved:
            self._parts |= parts
            parts = {}
        for path in (*parts.values(), *loose.values()):
            path.unlink()

    def _find_gathered(self, track: int, listed: list[tuple[int, int, int]], *, ran_on: bool) -> Gathered | None:
        """Find a track file. After a power cut only what was listed since its own file went away counts in it."""
        if (gathered := Gathered.found(self._track(track))) is None:
            return None
        if not ran_on:
            gathered.trust(
                {index for on, index, _length in listed if on == track and not self.piece(on, index).exists()}
            )
        self.gathered[track] = gathered
        return gathered

    def _take_over(self, track: int, listed: list[tuple[int, int, int]], *, ran_on: bool) -> None:
        """Go on with a track file."""
        if (gathered := self._find_gathered(track, listed, ran_on=ran_on)) is None:
            return
        gathered.keep()
        sizes = {(track, index): end - begin for index, (begin, end) in enumerate(pairwise(gathered.ends), 1)}
        self.safe |= sizes
        for key in sizes.keys() - {(on, index) for on, index, _length in listed}:
            self.arrivals.note(*key, sizes[key])

    def _has_gathered(self, track: int, index: int) -> bool:
        return track in self.gathered and self.gathered[track].length(index) is not None

    def _place(self, track: int, index: int) -> Path:
        if self._has_gathered(track, index):
            return self.gathered[track].path
        return self.file(track) if self.plan.tracks[track].shape == "file" else self.piece(track, index)

    def _track(self, track: int) -> Path:
        return self.path / f"t{track}"

    def _plan_before(self) -> Plan | None:
        stored = self.path / "plan.json"
        return Plan.from_json(stored.read_text("utf-8")) if stored.exists() else None
