"""The pieces of one track, one behind the other in the file that will be published; ADR 13.

In front stand the head of the track and a `free` box with room for its index. `gathered.txt` says how the times were
moved and, line by line, which pieces are there: a line is written when its piece is whole, so bytes behind the last
line are nobody's. The bytes of a piece never change again, whatever is written into the room in front.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from kinodom_downloader.adapters.disk import flush, told_when_full, write_whole
from kinodom_downloader.domain.gathering import Move, changes, room_for
from kinodom_downloader.domain.track_heads import NotPlain, head_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from kinodom_downloader.domain.track_heads import Head

TRACK, LIST = "track.mp4", "gathered.txt"
_FORM: Final = "gathered-1"
_AT_ONCE_BYTES: Final = 1_048_576


@dataclass(slots=True)
class Gathered:
    """The file of one track. Pieces count from 1, as in the plan, where 0 is the init section."""

    folder: Path
    head: Head
    move: Move
    ends: list[int]  # where each piece ends, bytes; the first number is where the first one begins
    _file: int = field(default=-1)
    _list: int = field(default=-1)

    @classmethod
    def begun(cls, folder: Path, head: Head, move: Move, *, pieces: int) -> Gathered:
        """Return an empty file with room for the index of so many pieces."""
        room = room_for(pieces)
        start = len(head.front) + room
        with told_when_full():
            for name in (LIST, TRACK):
                (folder / name).unlink(missing_ok=True)
            made = cls(folder, head, move, [start])
            made._open()
            _put(made._file, head.front + struct.pack(">I4s", room, b"free"), 0)
            os.truncate(made._file, start)
            made._note(made._first_line())
        return made

    @classmethod
    def found(cls, folder: Path) -> Gathered | None:
        """Return what is gathered in the folder of a track, to be read; None when nothing is."""
        try:
            first, *rows = (folder / LIST).read_text("ascii", "replace").split("\n")[:-1]
            form, front, start, shift, delta = first.split(" ")
            with (folder / TRACK).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                head = head_of(file.read(int(front)))
        except (FileNotFoundError, ValueError, NotPlain):
            return None
        if form != _FORM:
            return None
        ends = [end for end in accumulate(_lengths(rows), initial=int(start)) if end <= size]
        return cls(folder, head, Move(shift=int(shift), delta=int(delta)), ends) if ends else None

    def trust(self, indices: AbstractSet[int]) -> None:
        """Leave out the first piece that is not one of these, and all behind it."""
        good = next((index for index in range(1, self.count + 1) if index not in indices), self.count + 1)
        self.ends = self.ends[:good]

    def keep(self) -> None:
        """Go on behind the last piece: what lies behind it is forgotten. Own files of the pieces may go away then."""
        self._cut()
        self.flush()
        self.close()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.folder / TRACK

    @property
    def count(self) -> int:
        """How many pieces are there."""
        return len(self.ends) - 1

    def length(self, index: int) -> int | None:
        """Return how long a piece is; None: it is not there."""
        return self.ends[index] - self.ends[index - 1] if 0 < index <= self.count else None

    def piece(self, index: int) -> bytes:
        """Return a piece as the source has it, but for what no player reads."""
        with self.path.open("rb") as file:
            body = bytearray(os.pread(file.fileno(), self.ends[index] - self.ends[index - 1], self.ends[index - 1]))
        for at, new in self._changes(body, self.move.back()):
            body[at : at + len(new)] = new
        return bytes(body)

    def is_same(self, index: int, payload: bytes) -> bool:
        """Tell whether a fetched piece is the one that is gathered."""
        body = bytearray(payload)
        with suppress(NotPlain):
            for at, new in self._changes(body, self.move):
                body[at : at + len(new)] = new
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), self.ends[index] - self.ends[index - 1], self.ends[index - 1]) == body

    def append(self, place: Path) -> None:
        """Put the next piece behind the others; its own file may go away then.

        Raises:
            NotPlain: it cannot stand there.
            NoSpace: the disk is full.
        """
        self._open()
        at = self.ends[-1]
        with told_when_full(), place.open("rb") as piece:
            length = os.fstat(piece.fileno()).st_size
            found = changes(lambda start, count: os.pread(piece.fileno(), count, start), length, self.head, self.move)
            _copy(piece.fileno(), self._file, length, at=at)
            for start, new in found:
                _put(self._file, new, at + start)
            self._note(f"{self.count + 1} {length}\n")
            self.ends.append(at + length)

    def cut_out(self, index: int, place: Path) -> None:
        """Write a piece into a file of its own again, in one step."""
        _written(place, self.piece(index))

    def spill(self, index: int, place: Callable[[int], Path]) -> None:
        """Put this piece and all behind it into files of their own again, and forget them here."""
        for number in range(index, self.count + 1):
            self.cut_out(number, place(number))
            flush(place(number))
        flush(self.folder)
        self.ends = self.ends[:index]
        self._cut()

    def is_ours(self) -> bool:
        """Tell whether the file in the folder is still the one that is written here."""
        with suppress(FileNotFoundError):
            return self.path.stat().st_ino == os.fstat(self._file).st_ino
        return False

    def flush(self) -> None:
        """Bring what is gathered to the disk, then the list of it."""
        self._open()
        os.fsync(self._file)
        os.fsync(self._list)

    def drop(self) -> None:
        """Delete the file: its pieces lie elsewhere."""
        for name in (LIST, TRACK) if self.is_ours() else ():
            (self.folder / name).unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        for handle in (self._file, self._list):
            if handle >= 0:
                os.close(handle)
        self._file = self._list = -1

    def _changes(self, body: bytearray, move: Move) -> list[tuple[int, bytes]]:
        return changes(lambda at, count: bytes(body[at : at + count]), len(body), self.head, move)

    def _open(self) -> None:
        """Be ready to write; a file that another process writes stays with that one, and a copy takes its place."""
        if self._file >= 0:
            return
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            self._lock()
        except BlockingIOError:
            self._become_a_copy()
        self._list = os.open(self.folder / LIST, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def _become_a_copy(self) -> None:
        part = self.path.with_suffix(".new")
        with told_when_full():
            copy = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
            _copy(self._file, copy, self.ends[-1])
            os.fsync(copy)
            part.rename(self.path)
        os.close(self._file)
        self._file = copy
        self._lock()

    def _lock(self) -> None:
        """Raises BlockingIOError: another process writes this file."""
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _cut(self) -> None:
        """Forget what lies behind the last piece; a file that stands elsewhere too stays as it is there."""
        self._open()
        there = os.fstat(self._file)
        if there.st_size != self.ends[-1]:
            if there.st_nlink > 1:
                self._become_a_copy()
            os.truncate(self._file, self.ends[-1])
        rows = (f"{index} {self.length(index)}\n" for index in range(1, self.count + 1))
        with told_when_full():
            write_whole(self.folder / LIST, self._first_line() + "".join(rows))
        os.close(self._list)
        self._list = os.open(self.folder / LIST, os.O_WRONLY | os.O_APPEND)

    def _first_line(self) -> str:
        return f"{_FORM} {len(self.head.front)} {self.ends[0]} {self.move.shift} {self.move.delta}\n"

    def _note(self, line: str) -> None:
        if os.write(self._list, line.encode()) < len(line):
            raise OSError(errno.ENOSPC, "A line of the list was cut.")


def copied(source: Path, place: Path) -> None:
    """Copy a small file in one step; raises FileNotFoundError."""
    _written(place, source.read_bytes())


def _written(place: Path, content: bytes) -> None:
    part = place.with_name(f"{place.name}.{os.getpid()}-{threading.get_ident()}.new")
    with told_when_full():
        part.write_bytes(content)
        part.rename(place)


def _lengths(rows: list[str]) -> Iterator[int]:
    """Yield the lengths of the pieces that are listed one after the other, up to a line that is not whole."""
    for number, row in enumerate(rows, 1):
        index, _, length = row.partition(" ")
        if index != str(number) or not length.isdigit():
            return
        yield int(length)


def _put(handle: int, content: bytes, at: int) -> None:
    view = memoryview(content)
    while view:
        done = os.pwrite(handle, view, at)
        view, at = view[done:], at + done


def _copy(source: int, target: int, length: int, *, at: int = 0) -> None:
    """Copy a file from its beginning to a place in another one, inside the kernel where that can do it."""
    done = 0
    while done < length:
        try:
            count = os.copy_file_range(source, target, length - done, done, at + done)
        except OSError:  # such as between two file systems: full disks are told by the way below
            content = os.pread(source, min(_AT_ONCE_BYTES, length - done), done)
            _put(target, content, at + done)
            count = len(content)
        if count == 0:
            raise OSError(errno.EIO, "A piece has become shorter while it was read.")
        done += count
