"""Bytes that lie on the disk as they come: of one long answer, and of segments, so that a kill costs little of them.

A part is named after its segment and after what the host calls this version of it, and is never flushed by itself.
So it is of use as long as the machine runs: after a power cut nobody knows what of it had reached the disk.
"""

from __future__ import annotations

import mmap
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kinodom_downloader.adapters.disk import told_when_full

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_MEMORY_BYTES: Final = 262_144  # a segment of this size needs no part: it comes at once
_NAME: Final = re.compile(r"([0-9]{6,})-([0-9a-f]{8}|0)-([0-9a-f]{8}|0)\.part")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class FileBody:
    """Bytes of one long answer, on the disk as they come."""

    path: Path
    limit: int = 500_000_000_000
    version: str = ""
    _length: int = 0

    def __len__(self) -> int:
        return self._length

    def add(self, piece: memoryview) -> None:
        """Append bytes.

        Raises:
            NoSpace: the disk is full.
        """
        with told_when_full(), self.path.open("ab") as file:
            file.write(piece)
        self._length += len(piece)

    def cut(self, length: int) -> None:
        """Forget all bytes from this position on."""
        os.truncate(self.path, length)
        self._length = length

    def close(self) -> None:
        """Do nothing: it is opened for each piece."""


@dataclass(slots=True)
class PartBody:
    """Bytes of one segment: in memory while they are few, in a file beside its place when they are more."""

    place: Path  # of the whole segment
    limit: int = 134_217_728
    version: str = ""
    path: Path | None = None  # None: they are few
    ending: str = "part"  # of the file's name; one with another ending is not found by the next call
    held_bytes: int = _IN_MEMORY_BYTES  # as long as they are fewer than that, they are in memory
    _held: bytearray = field(default_factory=bytearray)
    _length: int = 0  # of the file
    _file: FileIO | None = None  # open while bytes come

    @classmethod
    def found(cls, place: Path, part: Path) -> PartBody:
        """Return what an earlier call left. Its last byte is asked for again, so that there is one to ask for."""
        body = cls(place, version=_version_of(part), path=part, _length=part.stat().st_size)
        body.cut(max(0, len(body) - 1))
        return body

    def __len__(self) -> int:
        return len(self._held) + self._length

    def add(self, piece: memoryview) -> None:
        """Append bytes.

        Raises:
            NoSpace: the disk is full.
        """
        if self.path is None and len(self._held) + len(piece) < self.held_bytes:
            self._held += piece
            return
        with told_when_full():
            if self.path is None:
                etag, date = (mark or "0" for mark in (self.version or "\n").split("\n"))
                self.path = self.place.with_name(f"{self.place.stem}-{etag}-{date}.{self.ending}")
                self._file = FileIO(self.path, "wb")
                self._length = put(self._file, memoryview(self._held))
                self._held.clear()
            if self._file is None:
                self._file = FileIO(self.path, "ab")
            self._length += put(self._file, piece)

    def close(self) -> None:
        """Let go of the file until more bytes come."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def cut(self, length: int) -> None:
        """Forget all bytes from this position on."""
        self.close()
        if self.path is None:
            del self._held[length:]
        elif length:
            os.truncate(self.path, length)
            self._length = length
        else:
            self.path.unlink(missing_ok=True)
            self.path, self._length = None, 0

    def become_whole(self) -> None:
        """Put the file in the segment's place; this body is empty then."""
        if self.path is not None:
            self.path.rename(self.place)
            self.path, self._length = None, 0

    @contextmanager
    def read(self) -> Iterator[bytes | mmap.mmap]:
        """Yield all bytes, for the length of a block."""
        self.close()
        if self.path is None:
            yield bytes(self._held)
            return
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield view


def put(file: FileIO, payload: memoryview) -> int:
    """Write all of it, and return how much that was."""
    done = 0
    while done < len(payload):
        done += file.write(payload[done:]) or 0
    return done


def found_parts(folder: Path) -> dict[int, Path]:
    """Return the parts in a track's folder by the index of their segment."""
    matches = ((_NAME.fullmatch(path.name), path) for path in folder.glob("*.part"))
    return {int(match[1]): path for match, path in matches if match}


def machine_ran_on(folder: Path) -> bool:
    """Return whether the machine has run since it was last noted in this folder that it runs."""
    noted = folder / "boot.txt"
    now = _boot()
    return now is not None and noted.exists() and noted.read_text("ascii", "replace") == now


def note_machine(folder: Path) -> None:
    """Note that the machine runs now, when nothing is left in the folder that a power cut may have spoilt."""
    if not machine_ran_on(folder):
        (folder / "boot.txt").write_text(_boot() or "", "ascii")


def _boot() -> str | None:
    """Return what this start of the machine is called; None: not Linux, where each call is as good as a power cut."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return None


def _version_of(part: Path) -> str:
    match = _NAME.fullmatch(part.name)
    return "\n".join("" if mark == "0" else mark for mark in match.groups()[1:]) if match else ""
