"""How much of the disk a film may take. Decimal gigabytes, as shops and disks count."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError, NoSpace

if TYPE_CHECKING:
    from collections.abc import Callable

NEEDED_TIMES = 2.2  # of the size of a film: its segments, then its track files
GB = 1_000_000_000
FULL = (errno.ENOSPC, errno.EDQUOT)
AWAY = (errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES)  # the disk, not the film


class MediaFolderUnusable(KinodomError):
    """The media folder is missing or cannot be written: its disk is away, or was made read-only."""

    code = "media_folder_unusable"
    title = "The media folder cannot be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The disk of the media folder."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFree:
    """What no download may take: the larger of the two."""

    gb: float = 5.0
    percent: float = 2.0  # of the whole disk

    def floor_bytes(self, disk: Disk) -> int:
        """Return what stays free on this disk."""
        return max(int(self.gb * GB), int(self.percent / 100 * disk.total_bytes))


def needed_bytes(size_bytes: int | None, *, there_bytes: int) -> int:
    """Return what a film of this size still takes until it is published; 0 when the size is not known.

    Args:
        size_bytes: declared or planned.
        there_bytes: of it lie on the disk already.
    """
    return max(0, int(NEEDED_TIMES * (size_bytes or 0)) - there_bytes)


def check_room(disk: Disk, keep: KeepFree, *, needed_bytes: int) -> None:
    """Return when so much more fits on the disk and the floor stays free.

    Raises:
        NoSpace: it does not.
    """
    if disk.free_bytes < keep.floor_bytes(disk) + needed_bytes:
        raise too_full(disk, keep)


def too_full(disk: Disk, keep: KeepFree) -> NoSpace:
    """Return the error of a disk on which a film does not fit."""
    return NoSpace(
        f"Waits for space: {disk.free_bytes / GB:.1f} GB are free, {keep.floor_bytes(disk) / GB:.1f} GB of them stay "
        "free, and this film needs more. Delete something and it goes on by itself."
    )


def disk_trouble(error: OSError, disk: Callable[[], Disk], keep: KeepFree) -> KinodomError:
    """Return what an error of the file system means for a wish; raises it again when it is no trouble of the disk."""
    if error.errno in FULL:
        return too_full(disk(), keep)
    if error.errno in AWAY:
        return MediaFolderUnusable(
            f"The media folder cannot be used ({error.strerror}). What was fetched is kept. Look after its disk; "
            "the download goes on by itself."
        )
    raise error
