"""Files into a pipe without a copy through Python: the kernel hands its own pages over."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    StdinPart = Path | Callable[[], bytes]
    """A file, or what gives the bytes when their turn comes."""

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1024 * 1024  # with the usual 64 KiB writer and reader wait for each other


class Feed:
    """The contents of files, and bytes that are made when their turn comes, for one pipe that does not block."""

    def __init__(self, parts: Sequence[StdinPart]) -> None:
        self._parts: Iterator[StdinPart] = iter(parts)
        self._file: int | None = None
        self._made = memoryview(b"")

    def give(self, pipe: int) -> bool:
        """Move some bytes into the pipe; return whether there may be more. Raises BlockingIOError when it is full."""
        while True:
            if self._made:
                self._made = self._made[os.write(pipe, self._made[:_PIPE_BYTES]) :]
                return True
            if self._file is None:
                if (part := next(self._parts, None)) is None:
                    return False
                if callable(part):
                    self._made = memoryview(part())
                    continue
                self._file = os.open(part, os.O_RDONLY)
            if _moved(self._file, pipe):
                return True
            self.close()

    def close(self) -> None:
        """Let go of the file that is being read."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def widen(pipe: int) -> None:
    """Let a pipe hold more; where the system allows no more it stays as it is."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)


def _moved(file: int, pipe: int) -> int:
    """Return how many bytes went from a file into a pipe; 0 at its end."""
    try:
        return os.splice(file, pipe, _PIPE_BYTES)
    except OSError as exc:
        if exc.errno != errno.EINVAL:
            raise
    at = os.lseek(file, 0, os.SEEK_CUR)  # on a file system that cannot hand its pages over
    given = os.write(pipe, os.pread(file, _PIPE_BYTES, at))
    os.lseek(file, at + given, os.SEEK_SET)
    return given
