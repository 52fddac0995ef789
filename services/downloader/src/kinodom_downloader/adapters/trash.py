"""Films that were deleted: folders beside the library, whose names say since when they lie there."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from kinodom_common.ids import folder_of, new_id
from kinodom_common.logs import get_log
from kinodom_downloader.adapters import publish, swap
from kinodom_downloader.adapters.disk import size_of
from kinodom_downloader.domain.publishing import FolderBroken, trash_name, trashed_at_s
from kinodom_downloader.domain.removing import Trashed
from kinodom_downloader.domain.room import Disk

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_common.contracts.videos import VideoIn

log = get_log(__name__)


class MediaTrash:
    """The port `Trash` on a disk."""

    def __init__(self, media_root: Path) -> None:
        self._library, self._trash = media_root / "library", media_root / "trash"
        self._remakes = media_root / swap.FOLDER
        self._steps = publish.Disk()

    def shown(self, video_id: str) -> bool:
        """Tell whether a folder of this video is in the library, whole or not."""
        return self._home(video_id).is_dir()

    def published(self, video_id: str) -> VideoIn | None:
        """Return what the folder of this video holds when it is there and whole."""
        metadata = publish.find_published(self._library, video_id)
        return metadata.video if metadata else None

    def discard(self, video_id: str, *, now_s: float, for_good: bool) -> None:
        """Take the folder of a video out of the library: into the trash, or for good. None there is no mistake."""
        home = self._home(video_id)
        self._steps.make_folder(self._trash)
        swap.mend(self._remakes / video_id, self._library, video_id)  # else it would come back by itself later
        if not home.is_dir():
            return
        try:
            with publish.locked(self._library):
                if for_good:
                    publish.drop(home, self._trash)
                else:
                    self._steps.rename(home, self._trash / trash_name(video_id, now_s, new_id()))
        except FileNotFoundError:
            return
        self._steps.sync(home.parent)

    def bring_back(self, video_id: str) -> None:
        """Move the newest whole folder of this video back into the library, if the trash has one."""
        home = self._home(video_id)
        for one in reversed(self.trashed()):
            folder = self._trash / one.name
            if f"-{video_id}-" not in one.name or not _is_whole(folder, video_id):
                continue
            self._steps.make_folder(home.parent)
            try:
                self._steps.rename(folder, home)
            except OSError as exc:
                if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                    raise
                log.warning("not_brought_back", video_id=video_id, error=exc.strerror)
            self._steps.sync(home.parent)
            return

    def trashed(self) -> list[Trashed]:
        """Return what lies in the trash, the oldest first; what somebody died over is deleted."""
        found = []
        for entry in self._trash.iterdir() if self._trash.is_dir() else ():
            if entry.name.startswith(publish.GONE):
                shutil.rmtree(entry, ignore_errors=True)
                continue
            at_s = trashed_at_s(entry.name)
            found.append(Trashed(name=entry.name, at_s=entry.lstat().st_ctime if at_s is None else at_s))
        return sorted(found, key=lambda one: (one.at_s, one.name))

    def size_bytes(self, name: str) -> int:
        """Return what a folder of the trash takes; files that another folder shares count too."""
        return size_of(self._trash / name)

    def throw_away(self, name: str) -> None:
        """Delete a folder of the trash for good."""
        try:
            publish.drop(self._trash / name, self._trash)
        except FileNotFoundError:
            return  # another sweep was quicker

    def disk(self) -> Disk:
        """Return how full the disk is."""
        usage = shutil.disk_usage(self._trash.parent)
        return Disk(free_bytes=usage.free, total_bytes=usage.total)

    def _home(self, video_id: str) -> Path:
        if not publish.VIDEO_ID.fullmatch(video_id):
            raise publish.BadVideoId("A video id has 64 hexadecimal digits.")
        return self._library / folder_of(video_id)


def _is_whole(folder: Path, video_id: str) -> bool:
    try:
        publish.verify_folder(folder, video_id=video_id)
    except FolderBroken as exc:
        log.warning("trashed_folder_broken", video_id=video_id, error=exc.detail)
        return False
    return True
