"""What every writer of the downloader needs of a disk: flushed files, and a full disk told in words."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from stat import S_ISREG
from typing import TYPE_CHECKING

from kinodom_common.errors import NoSpace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def told_when_full() -> Iterator[None]:
    """Turn a full disk inside the block into NoSpace."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise NoSpace("The disk is full. What is downloaded is kept; free some space and it goes on.") from exc
        raise


def flush(path: Path) -> None:
    """Make a file or folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder; 0 when it is not there. Files that go away meanwhile count not."""
    total_bytes = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            stat = path.lstat()
            total_bytes += stat.st_size if S_ISREG(stat.st_mode) else 0
    return total_bytes


def write_whole(path: Path, text: str) -> None:
    """Put a small file in its place in one step, on the disk before it is there."""
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    flush(part)
    part.rename(path)
