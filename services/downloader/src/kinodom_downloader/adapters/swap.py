"""A published folder gives its place to a new one with more in it: in one step, so that readers see either, whole."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from kinodom_common.errors import NoSpace
from kinodom_common.ids import folder_of
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.publish import Disk, complete, drop, locked
from kinodom_downloader.domain.publishing import METADATA
from kinodom_downloader.domain.remakes import FilmChanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_common.contracts.videos import VideoIn
    from kinodom_downloader.domain.publishing import Metadata

log = get_log(__name__)

FOLDER = "remakes"  # beside the library, in the same file system
OLD = "old"  # in the folder of the remake, where two folders cannot change their names in one step
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def swap(
    staging: Path,
    library: Path,
    before: Metadata,
    video: VideoIn,
    *,
    seen: bytes,
    fence: Callable[[], None],
    disk: Disk | None = None,
) -> None:
    """Put a staged folder in the place of a published one, which is deleted.

    Killed at any moment, there is the old folder or the new one; where the file system cannot exchange names, for a
    moment neither, and `mend` brings the old one back.

    Args:
        staging: the new folder, on the same volume; files that both share are hard links. Beside it is room for `OLD`.
        library: holds `ab/<video id>`.
        before: what the published folder says of itself.
        video: what the new one holds.
        seen: the bytes of the `metadata.json` that it was made from.
        fence: called once, when all is on the disk; raises when the job is no longer ours.
        disk: the steps.

    Raises:
        FilmChanged: the published folder is gone or another one; nothing was changed.
        NoSpace: the disk is full.
    """
    disk = disk or Disk()
    target = library / folder_of(before.video_id)
    try:
        complete(staging, before.video_id, before.source, video, disk)
        fence()
        with locked(library):
            if not is_still(target, seen):
                raise FilmChanged("The film was deleted or fetched anew meanwhile.")
            _exchange(staging, target, disk)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("The disk is full. The film plays as it is; free some space and it goes on.") from exc
        raise
    if staging.exists():
        drop(staging, staging.parent)


def mend(home: Path, library: Path, video_id: str, disk: Disk | None = None) -> bool:
    """Bring a folder back whose swap was cut off between two renames; return whether there was one to bring back.

    Args:
        home: the folder of the remake.
        library: holds `ab/<video id>`.
        video_id: whose it is.
        disk: the steps.
    """
    old, target = home / OLD, library / folder_of(video_id)
    if not old.is_dir():
        return False
    with locked(library):
        if target.exists() or not old.is_dir():
            return False
        (disk or Disk()).rename(old, target)
        (disk or Disk()).sync(target.parent)
    log.warning("cut_off_swap_mended", video_id=video_id)
    return True


def is_still(target: Path, seen: bytes) -> bool:
    """Tell whether a published folder is the one that had these metadata."""
    try:
        return (target / METADATA).read_bytes() == seen
    except OSError:
        return False


def _exchange(staging: Path, target: Path, disk: Disk) -> None:
    try:
        disk.exchange(staging, target)
    except OSError as exc:
        if exc.errno not in _CANNOT:
            raise
        old = staging.parent / OLD
        disk.rename(target, old)
        disk.rename(staging, target)
        disk.sync(target.parent)
        drop(old, staging.parent)
    disk.sync(target.parent)
    disk.sync(staging.parent)
