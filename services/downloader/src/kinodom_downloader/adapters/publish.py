"""The last step to the library: a staged folder becomes visible whole, by one rename, or not at all."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.errors import NoSpace, Rejected
from kinodom_common.ids import folder_of, new_id
from kinodom_common.logs import get_log
from kinodom_downloader.adapters.track_files import file_sum
from kinodom_downloader.domain.publishing import (
    METADATA,
    METADATA_TEXT,
    FileSum,
    FolderBroken,
    Metadata,
    faults,
    metadata_json,
    metadata_text,
    read_metadata,
    trash_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.videos import VideoIn

log = get_log(__name__)

VIDEO_ID = re.compile(r"[0-9a-f]{64}")
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755  # Nginx reads under another user
GONE = ".gone-"
_LOCK = ".publishing.lock"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_libc = ctypes.CDLL(None, use_errno=True)


class BadVideoId(Rejected):
    """A folder name that is not 64 hexadecimal digits."""

    code = "bad_video_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A whole folder in the library."""

    folder: Path
    metadata: Metadata
    was_there: bool  # someone else had published it first; ours is dropped


class Disk:
    """The steps that change the disk, one method each, so that a test can cut the power between any two."""

    def write(self, path: Path, content: bytes) -> None:
        """Write a new file."""
        path.write_bytes(content)

    def set_mode(self, path: Path, mode: int) -> None:
        """Set who may read it."""
        path.chmod(mode)

    def sync(self, path: Path) -> None:
        """Bring a file or a folder to the disk."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, readable by all; an existing one is left as it is."""
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(_FOLDER_MODE)

    def rename(self, old: Path, new: Path) -> None:
        """Move a folder in one step; fails when the new name holds files."""
        old.rename(new)

    def exchange(self, one: Path, other: Path) -> None:
        """Let two folders change their names in one step; ENOENT when one is not there, EINVAL where it cannot be."""
        names = (os.fsencode(one), os.fsencode(other))
        if _libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))


def publish(
    staging: Path,
    library: Path,
    video_id: str,
    video: VideoIn,
    *,
    source: str,
    fence: Callable[[], None],
    trash: Path,
    disk: Disk | None = None,
) -> Published:
    """Make a packaged folder visible in the library, and return what is there then.

    First one wins: when the video is already there and whole, it stays and ours is dropped. A broken one is moved to
    the trash. Killed at any moment, it leaves either no folder or a whole one, and can be run again after packaging.

    Args:
        staging: the packaged files, on the same volume as the library; it is gone afterwards.
        library: the folder that holds `ab/<64 hexadecimal digits>`.
        video_id: the id of the video.
        video: what the catalogue is told; its tracks carry the sums that are known already.
        source: name of the source.
        fence: called once, when all is on the disk and nothing visible yet; raises when the wish is no longer ours.
        trash: folder for what was broken, on the same volume.

    Raises:
        NoSpace: the disk is full; what is staged is kept.
    """
    if not VIDEO_ID.fullmatch(video_id):
        raise BadVideoId("A video id has 64 hexadecimal digits.")
    disk = disk or Disk()
    try:
        metadata = complete(staging, video_id, source, video, disk)
        fence()
        return _show(staging, library, metadata, trash, disk)
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("The disk is full. What was downloaded is kept; free some space and it goes on.") from exc
        raise


def verify_folder(path: Path, *, video_id: str | None = None, with_sums: bool = False) -> Metadata:
    """Return the metadata of a published folder that is whole.

    Args:
        path: `…/ab/<video id>`.
        video_id: whose folder it is; None: the one that its name says.
        with_sums: also read every file and compare SHA-256.

    Raises:
        FolderBroken: something is missing, cut or changed.
    """
    try:
        metadata = read_metadata((path / METADATA).read_bytes())
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(path) if entry.is_file(follow_symlinks=False)}
        wrong = faults(metadata, video_id or path.name, sizes)
        if with_sums and not wrong:
            wrong = [
                f"{name} has changed" for name, one in metadata.files.items() if file_sum(path / name) != one.sha256
            ]
    except OSError as exc:
        raise FolderBroken(f"{path.name[:8]}… cannot be read: {exc.strerror}.") from exc
    if wrong:
        raise FolderBroken(f"{path.name[:8]}…: " + "; ".join(wrong[:5]))
    return metadata


def find_published(library: Path, video_id: str) -> Metadata | None:
    """Return the metadata of a video that is in the library and whole; None when it is not."""
    folder = library / folder_of(video_id)
    if not folder.is_dir():
        return None
    try:
        return verify_folder(folder)
    except FolderBroken as exc:
        log.warning("published_folder_broken", video_id=video_id, error=exc.detail)
        return None


def reap(work_root: Path, is_current: Callable[[str], bool], *, idle_s: float = 0.0, now_s: float = 0.0) -> list[str]:
    """Delete the work folders that belong to nobody, and return their names.

    Args:
        work_root: holds one folder per attempt.
        is_current: says of a folder's name whether a live lease stands behind it; asked again before deleting.
        idle_s: folders changed less than this long ago are left alone; with `now_s`.
        now_s: time since the epoch, seconds; unused when `idle_s` is 0.
    """
    reaped = []
    for entry in sorted(work_root.iterdir()) if work_root.is_dir() else []:
        if entry.name.startswith(GONE):  # a reaper died here
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.is_dir() and not is_current(entry.name):
            if idle_s and now_s - entry.stat().st_mtime < idle_s:
                continue
            drop(entry, work_root)
            reaped.append(entry.name)
    return reaped


def complete(staging: Path, video_id: str, source: str, video: VideoIn, disk: Disk) -> Metadata:
    """Bring the staged files to the disk, then their metadata, which are the last thing written."""
    known = {track.file: track.sha256 for track in video.tracks if track.sha256}
    for leftover in (METADATA, METADATA_TEXT):
        (staging / leftover).unlink(missing_ok=True)
    files: dict[str, FileSum] = {}
    for path in sorted(staging.iterdir()):
        disk.set_mode(path, _FILE_MODE)
        disk.sync(path)
        files[path.name] = FileSum(size_bytes=path.stat().st_size, sha256=known.get(path.name) or file_sum(path))
    metadata = Metadata(video_id=video_id, source=source, video=video, files=files)
    for name, content in (
        (METADATA_TEXT, metadata_text(video)),
        (METADATA, metadata_json(metadata)),
    ):
        disk.write(staging / name, content)
        disk.set_mode(staging / name, _FILE_MODE)
        disk.sync(staging / name)
    disk.set_mode(staging, _FOLDER_MODE)
    disk.sync(staging)
    return metadata


def _show(staging: Path, library: Path, metadata: Metadata, trash: Path, disk: Disk) -> Published:
    target = library / folder_of(metadata.video_id)
    disk.make_folder(target.parent)
    disk.sync(library)
    for _attempt in range(3):
        try:
            disk.rename(staging, target)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            disk.sync(target.parent)
            return Published(folder=target, metadata=metadata, was_there=False)
        try:
            there = verify_folder(target)
        except FolderBroken:
            _move_aside(target, library, trash, disk)
        else:
            drop(staging, staging.parent)
            return Published(folder=target, metadata=there, was_there=True)
    raise FolderBroken(f"{metadata.video_id[:8]}… is broken and comes back. Look at the media folder.")


def _move_aside(target: Path, library: Path, trash: Path, disk: Disk) -> None:
    """Move a broken folder to the trash, unless another publisher has replaced it meanwhile."""
    with locked(library):
        try:
            verify_folder(target)
        except FolderBroken as exc:
            log.warning("broken_folder_moved_aside", video_id=target.name, error=exc.detail)
        else:
            return
        disk.make_folder(trash)
        if target.exists():
            disk.rename(target, trash / trash_name(target.name, time.time(), new_id()))


@contextmanager
def locked(library: Path) -> Iterator[None]:
    """Be the only one who takes folders out of the library or puts others in their place."""
    handle = os.open(library / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def drop(folder: Path, beside: Path) -> None:
    """Delete a folder under a name that says so, in case we die on the way."""
    gone = beside / f"{GONE}{new_id()}"
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
