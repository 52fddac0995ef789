"""The published folders, as the check of the house looks at them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kinodom_common.ids import folder_of
from kinodom_downloader.adapters import publish
from kinodom_downloader.adapters.swap import FOLDER, OLD, mend
from kinodom_downloader.adapters.trash import MediaTrash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kinodom_common.contracts.videos import VideoIn


class LibraryShelves:
    """The port `Shelves` on a disk."""

    def __init__(self, media_root: Path) -> None:
        self._library = media_root / "library"
        self._remakes = media_root / FOLDER
        self._trash = MediaTrash(media_root)

    def every(self) -> Iterator[str]:
        """Return the ids of all videos that have a folder, whole or not."""
        return (entry.name for entry in self._entries() if self._is_film(entry))

    def strangers(self) -> Iterator[str]:
        """Return what else lies in the library, by name."""
        return (str(entry.relative_to(self._library)) for entry in self._entries() if not self._is_film(entry))

    def verified(self, video_id: str, *, with_sums: bool) -> VideoIn:
        """Return what a whole folder holds; raises FolderBroken."""
        return publish.verify_folder(self._library / folder_of(video_id), with_sums=with_sums).video

    def put_aside(self, video_id: str) -> None:
        """Move a folder into the trash."""
        self._trash.discard(video_id, now_s=time.time(), for_good=False)

    def cut_off(self) -> list[str]:
        """Return the ids of videos whose folder was being replaced when its worker died, and that have none now."""
        homes = [
            one.parent for one in sorted(self._remakes.glob(f"*/{OLD}")) if publish.VIDEO_ID.fullmatch(one.parent.name)
        ]
        return [home.name for home in homes if not (self._library / folder_of(home.name)).exists()]

    def bring_back(self, video_id: str) -> None:
        """Show such a video again as it was."""
        mend(self._remakes / video_id, self._library, video_id)

    def _entries(self) -> Iterator[Path]:
        for shelf in sorted(self._library.iterdir()) if self._library.is_dir() else ():
            if shelf.is_dir():
                yield from sorted(shelf.iterdir())
            elif not shelf.name.startswith("."):
                yield shelf

    def _is_film(self, entry: Path) -> bool:
        return bool(publish.VIDEO_ID.fullmatch(entry.name)) and entry == self._library / folder_of(entry.name)
