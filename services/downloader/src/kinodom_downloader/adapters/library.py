"""The media folder: `library/` is what Nginx serves, `work/` what is on its way, `trash/` what was broken.

All three lie in one file system, so that a finished folder moves by one rename.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kinodom_common.processes import ProgramFailed, ProgramStopped, ProgramTimeout
from kinodom_downloader.adapters.disk import size_of
from kinodom_downloader.adapters.other_dubs import borrow
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.publish import find_published, publish, reap
from kinodom_downloader.domain.checks import PackagingFailed
from kinodom_downloader.domain.codecs import Coding
from kinodom_downloader.domain.room import Disk, MediaFolderUnusable
from kinodom_downloader.domain.shown import video_of
from kinodom_downloader.domain.wishes import LEASE_S, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.contracts.videos import VideoIn
    from kinodom_common.contracts.wishes import WishRequest
    from kinodom_downloader.adapters.packaging import Packaged
    from kinodom_downloader.domain.fetched import Fetched
    from kinodom_downloader.domain.wishes import StoredWish

PARTS, STAGE = "parts", "stage-"
REAP_IDLE_S = 2 * LEASE_S  # a folder that changed just now is left to a worker that may still be in it


class MediaLibrary:
    """The port `Library` on a disk."""

    def __init__(
        self,
        media_root: Path,
        *,
        coding: Coding = Coding(),  # noqa: B008  # frozen
        other_dubs: Callable[[WishRequest], Sequence[str]] = lambda _request: (),
    ) -> None:
        """Take the folder, how pictures are converted, and who knows ids of other dubs of an episode."""
        self._root, self._coding, self._other_dubs = media_root, coding, other_dubs
        self._library, self._work, self._trash = (media_root / name for name in ("library", "work", "trash"))

    def check(self) -> None:
        """Return when the folders are there and writable; raises MediaFolderUnusable."""
        try:
            for folder in (self._library, self._work, self._trash):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self._work / ".probe"
            probe.write_bytes(b"")
        except OSError as exc:
            raise MediaFolderUnusable(
                f"The media folder cannot be written ({exc.strerror}). Check its owner and that the disk is there."
            ) from exc

    def work_folder(self, wish_id: str) -> Path:
        """Return the folder for the fetched parts of this wish."""
        folder = self._work / wish_id / PARTS
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def disk(self) -> Disk:
        """Return how full the disk of the media folder is; raises MediaFolderUnusable."""
        try:
            usage = shutil.disk_usage(self._root)
        except OSError as exc:
            raise MediaFolderUnusable(
                f"The media folder cannot be read ({exc.strerror}). Check that the disk is there."
            ) from exc
        return Disk(free_bytes=usage.free, total_bytes=usage.total)

    def library_bytes(self) -> int:
        """Return what the published films take on the disk."""
        return size_of(self._library)

    def parts_bytes(self, wish_id: str) -> int:
        """Return what the fetched parts of this wish take on the disk."""
        return size_of(self._work / wish_id / PARTS)

    def published(self, wish_id: str) -> VideoIn | None:
        """Return what the folder of this wish holds when it is there and whole."""
        metadata = find_published(self._library, wish_id)
        return metadata.video if metadata else None

    def publish(
        self,
        wish: StoredWish,
        fetched: Fetched,
        offer: Offer,
        *,
        fence: Callable[[], None],
        on_packaged: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> VideoIn:
        """Package into a stage of this attempt, then show it by one rename."""
        request = wish.request
        with self._stage(wish) as staging:
            try:
                made = package(
                    fetched,
                    staging,
                    language=request.language,
                    translation_name=request.translation_name,
                    skips=offer.skips,
                    coding=self._coding,
                    other_dubs=lambda tracks, out: borrow(tracks, out, self._library, self._other_dubs(request)),
                    progress=on_packaged,
                    stopped=should_stop,
                )
            except ProgramStopped as exc:
                raise LeaseLost("Another worker has taken this wish over.") from exc
            except (ProgramFailed, ProgramTimeout) as exc:  # it is the film: a full disk has been told apart
                raise PackagingFailed(exc.detail) from exc
            video = _described(request, made)
            shown = publish(
                staging, self._library, wish.wish_id, video, source=offer.source, fence=fence, trash=self._trash
            )
            return shown.metadata.video

    @contextmanager
    def _stage(self, wish: StoredWish) -> Iterator[Path]:
        """Yield where this attempt packages. What is not shown in the end goes: it would keep a full disk full."""
        home = self._work / wish.wish_id
        for old in home.glob(f"{STAGE}*"):
            shutil.rmtree(old, ignore_errors=True)
        staging = home / f"{STAGE}{wish.attempt}"
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def clear(self, wish_id: str) -> None:
        """Delete the work folder of this wish."""
        shutil.rmtree(self._work / wish_id, ignore_errors=True)

    def reap(self, is_current: Callable[[str], bool]) -> list[str]:
        """Delete the work folders of wishes that are not current and have been quiet for two leases."""
        return reap(self._work, is_current, idle_s=REAP_IDLE_S, now_s=time.time())


def _described(request: WishRequest, made: Packaged) -> VideoIn:
    return video_of(
        request,
        tracks=made.tracks,
        duration_s=made.duration_s,
        height_px=made.height_px,
        size_bytes=made.size_bytes,
        sprites=made.sprites,
        skips=made.skips,
        holes=made.holes,
        now_s=time.time(),
    )
