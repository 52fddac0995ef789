"""What every writer of the downloader needs of a disk: flushed files, and a full disk told in words."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
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
