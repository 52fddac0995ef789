"""The disk against the catalogue, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_downloader.domain.publishing import FolderBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kinodom_common.contracts.videos import Video, VideoIn, VideoList

PAGE = 200


class Books(Protocol):
    """The catalogue."""

    def videos(self, *, limit: int, after: str | None = None) -> VideoList:
        """Return a page of the videos it knows."""

    def register_video(self, video_id: str, video: VideoIn) -> object:
        """Tell it about a published folder; may be told again."""

    def delete_video(self, video_id: str) -> None:
        """Make it forget a video."""


class Shelves(Protocol):
    """The published folders."""

    def every(self) -> Iterable[str]:
        """Return the ids of all videos that have a folder, whole or not."""

    def strangers(self) -> Iterable[str]:
        """Return what else lies in the library, by name."""

    def verified(self, video_id: str, *, with_sums: bool) -> VideoIn:
        """Return what a whole folder holds; raises FolderBroken."""

    def put_aside(self, video_id: str) -> None:
        """Move a folder into the trash."""

    def cut_off(self) -> Iterable[str]:
        """Return the ids of videos whose folder was being replaced when its worker died, and that have none now."""

    def bring_back(self, video_id: str) -> None:
        """Show such a video again as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a look found."""

    folders: int
    rows: int
    found: int  # things that are not as they should be
    mended: int  # of them

    @property
    def is_well(self) -> bool:
        """Return whether all is as it should be now."""
        return self.found == self.mended


def check(*, books: Books, shelves: Shelves, repair: bool, with_sums: bool, say: Callable[[str], None]) -> Outcome:
    """Compare every folder with its row of the catalogue, tell what is wrong, and mend it when asked to.

    A house that runs meanwhile does no harm: a film that is published or deleted in the middle ends as it should.

    Args:
        books: the catalogue.
        shelves: the published folders.
        repair: register what the catalogue lacks, delete rows without a folder, move broken folders to the trash.
        with_sums: read every file whole and compare its SHA-256.
        say: takes one sentence for each finding.
    """
    rows = _rows(books)
    found = mended = 0
    for video_id in shelves.cut_off():
        found += 1
        if repair:
            shelves.bring_back(video_id)
            mended += 1
        say(f"{video_id[:12]}: Its folder was being replaced when the house stopped.{' Mended.' if repair else ''}")
    folders = sorted(shelves.every())
    for video_id in folders:
        words, mend = _folder(video_id, rows.get(video_id), books, shelves, with_sums=with_sums)
        if mend is None:
            continue
        found += 1
        if repair:
            mend()
            mended += 1
        say(f"{video_id[:12]}: {words}{' Mended.' if repair else ''}")
    for video_id in sorted(rows.keys() - set(folders)):
        if video_id in set(shelves.every()):
            continue  # published since
        found += 1
        if repair:
            books.delete_video(video_id)
            mended += 1
        say(f"{video_id[:12]}: The catalogue has it, the disk has not.{' Mended.' if repair else ''}")
    for name in shelves.strangers():
        found += 1
        say(f"{name}: This is no folder of a film. Look at it; it is left alone.")
    return Outcome(folders=len(folders), rows=len(rows), found=found, mended=mended)


def _folder(
    video_id: str, row: Video | None, books: Books, shelves: Shelves, *, with_sums: bool
) -> tuple[str, Callable[[], object] | None]:
    """Return what is wrong with a folder and what mends it; None when nothing is."""
    try:
        video = shelves.verified(video_id, with_sums=with_sums)
    except FolderBroken as exc:

        def put_aside() -> None:
            books.delete_video(video_id)
            shelves.put_aside(video_id)

        return f"The folder is broken: {exc.detail}", put_aside
    if row is None:
        return "The disk has it, the catalogue has not.", lambda: books.register_video(video_id, video)
    if (row.size_bytes, row.duration_s) != (video.size_bytes, video.duration_s):
        return "The catalogue tells of another film here.", lambda: books.register_video(video_id, video)
    return "", None


def _rows(books: Books) -> dict[str, Video]:
    rows: dict[str, Video] = {}
    after = None
    while page := books.videos(limit=PAGE, after=after).videos:
        rows |= {video.video_id: video for video in page}
        after = page[-1].video_id
        if len(page) < PAGE:
            break
    return rows
