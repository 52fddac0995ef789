"""Files of the household come into the work folder: never outside the import folder, never changed, checked as all.

The bytes are shared with the original where the file system can do that (a reflink: a later change of either leaves
the other as it is), else copied in pieces. A hard link would be as quick, and would let a mistake of ours write into
the household's own file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from kinodom_common.logs import get_log
from kinodom_downloader.adapters.disk import told_when_full
from kinodom_downloader.adapters.harvest import fetched_of
from kinodom_downloader.adapters.tally import Tally
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.domain import gate
from kinodom_downloader.domain.faults import (
    ImportChanged,
    ImportGone,
    ImportOff,
    ImportRefused,
    ImportUnreadable,
    Stopped,
)
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kinodom_downloader.domain.fetched import Fetched, FilmSource, Headway

log = get_log(__name__)

SCHEME: Final = "file-import:"
PIECE_BYTES: Final = 67_108_864
STEPS: Final = 16  # of a piece; between two of them it may be told to stop
MAX_SUBTITLE_BYTES: Final = 16_777_216
TICK_S: Final = 0.2
FICLONE: Final = 0x4004_9409  # linux/fs.h
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe under this name would hold an open without O_NONBLOCK up for ever.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class _Copying:
    """One copy on its way."""

    source: int
    folder: WorkFolder
    tally: Tally
    on_progress: Callable[[Headway], None]
    should_stop: Callable[[], bool]
    told_s: float = 0.0

    def step(self) -> None:
        """Tell how far it is, and stop when nobody wants it any more."""
        if self.should_stop():
            raise Stopped
        now_s = time.monotonic()
        if now_s - self.told_s >= TICK_S:
            self.told_s = now_s
            self.on_progress(self.tally.progress())


def copy_in(
    offer: FilmSource,
    work: Path,
    *,
    root: Path | None,
    on_progress: Callable[[Headway], None],
    should_stop: Callable[[], bool],
    piece_bytes: int = PIECE_BYTES,
) -> Fetched:
    """Return a file of the import folder and the subtitles beside it, copied into the work folder.

    Killed at any moment, the same call goes on from there; a file that changed in between is copied anew.

    Raises:
        ImportOff, ImportRefused, NotMedia: final. ImportGone: it is not there.
        ImportUnreadable, ImportChanged, SegmentBad: worth another call later. NoSpace: when there is room.
        Stopped: because `should_stop` said so.
    """
    if root is None:
        raise ImportOff("No import folder is set for the downloader, so this file cannot be reached.")
    with opened(root, offer.url) as source:
        before = os.fstat(source)
        folder = _work_folder(_plan(offer, before.st_size, piece_bytes), offer.url, work, before)
        tally = Tally(folder.plan, 1)
        copying = _Copying(source, folder, tally, on_progress, should_stop)
        _copy(copying)
        if _stamp(os.fstat(source)) != _stamp(before):
            (work / "plan.json").unlink(missing_ok=True)  # nothing of this copy is good
            raise ImportChanged("The file changed while it was copied. Perhaps it is still being written.")
    left_out = _copy_subtitles(offer, root, folder, tally)
    on_progress(tally.progress())
    return fetched_of(folder, left_out=left_out)


@contextmanager
def opened(root: Path, url: str) -> Iterator[int]:
    """Open a file of the import folder for reading, for the length of a block.

    Every folder on the way is opened from the one before and no link is followed, so that no name, and nothing that
    is renamed meanwhile, leads out.
    """
    names = _names_in(url)
    with ExitStack() as handles:
        try:
            at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            handles.callback(os.close, at)
        except OSError as exc:
            raise ImportUnreadable(f"The import folder cannot be read ({exc.strerror}). Is its disk there?") from exc
        try:
            for name in names[:-1]:
                at = os.open(name, _FOLDER, dir_fd=at)
                handles.callback(os.close, at)
            at = os.open(names[-1], _FILE, dir_fd=at)
            handles.callback(os.close, at)
        except OSError as exc:
            raise _why(exc) from exc
        if not stat.S_ISREG(os.fstat(at).st_mode):
            raise ImportRefused("This name in the import folder is no file.")
        yield at


def _names_in(url: str) -> list[bytes]:
    if not url.startswith(SCHEME):
        raise ImportRefused("This is not an address of a file in the import folder.")
    names = unquote_to_bytes(url.removeprefix(SCHEME)).split(b"/")
    if any(name in (b"", b".", b"..") or b"\x00" in name for name in names):
        raise ImportRefused("This address leads out of the import folder.")
    return names


def _why(exc: OSError) -> ImportGone | ImportRefused | ImportUnreadable:
    if exc.errno in (errno.ENOENT, errno.ENAMETOOLONG):
        return ImportGone("The import folder no longer has this file. Search for it again.")
    if exc.errno in (errno.ELOOP, errno.ENOTDIR):
        return ImportRefused("This name in the import folder is a link, or leads through one. Links are not followed.")
    return ImportUnreadable(f"This file of the import folder cannot be read ({exc.strerror}).")


def _work_folder(plan: Plan, url: str, work: Path, source: os.stat_result) -> WorkFolder:
    """Return the work folder, emptied when what lies there is of another file or of another state of it."""
    stamp = work / "import.txt"
    mark = f"{url}\n{_stamp(source)}\n"
    if not stamp.exists() or stamp.read_text("utf-8") != mark:
        (work / "plan.json").unlink(missing_ok=True)
    folder = WorkFolder.opened(work, plan)
    with told_when_full():
        stamp.write_text(mark, "utf-8")
    return folder


def _plan(offer: FilmSource, length: int, piece_bytes: int) -> Plan:
    pieces = tuple(
        Segment(url=offer.url, offset=offset, length=min(piece_bytes, length - offset))
        for offset in range(0, length, piece_bytes)
    )
    film = TrackPlan(role="muxed", segments=pieces, shape="file", height_px=offer.height_px, file_bytes=length)
    texts = (
        TrackPlan(role="subtitles", segments=(Segment(url=one.url),), language=one.language, name=one.name)
        for one in offer.subtitles
    )
    return Plan(tracks=(film, *texts), duration_s=offer.duration_s, total_bytes=length)


def _stamp(source: os.stat_result) -> str:
    return f"{source.st_size} {source.st_mtime_ns} {source.st_ino}"


def _copy(copying: _Copying) -> None:
    folder = copying.folder
    pieces = folder.plan.tracks[0].segments
    with told_when_full(), ExitStack() as handles:
        target = os.open(folder.file(0), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        handles.callback(os.close, target)
        shared = not folder.safe and _shared(copying.source, target)
        for index, piece in enumerate(pieces):
            offset, length = piece.offset or 0, piece.length or 0
            if folder.has(0, index):
                copying.tally.found(0, index, length)
                continue
            if not shared:
                _copy_piece(copying, target, offset, length)
            folder.note(0, index, length)
            copying.tally.finished(0, index, length)
            copying.step()
            folder.settle()


def _shared(source: int, target: int) -> bool:
    """Try to share the bytes of a file with another; return whether it was possible."""
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:  # another disk, or a file system that cannot
        return False
    return True


def _copy_piece(copying: _Copying, target: int, offset: int, length: int) -> None:
    count = copying.tally.counter(0)
    end, step_bytes = offset + length, max(1, length // STEPS)
    while offset < end:
        copying.step()
        try:
            part = os.pread(copying.source, min(step_bytes, end - offset), offset)
        except OSError as exc:
            raise ImportUnreadable(f"The disk of the import folder does not give the file ({exc.strerror}).") from exc
        if not part:
            raise ImportChanged("The file became shorter while it was copied.")
        view = memoryview(part)
        while view:
            written = os.pwrite(target, view, offset)
            view, offset = view[written:], offset + written
            count(written)


def _copy_subtitles(offer: FilmSource, root: Path, folder: WorkFolder, tally: Tally) -> set[int]:
    """Copy the subtitles, and return the tracks of those that are none or cannot be read."""
    left_out: set[int] = set()
    for track, text in enumerate(offer.subtitles, start=1):
        tally.finished(track, 0, 0)  # whatever becomes of it, a film is whole without it
        if folder.has(track, 0):
            continue
        try:
            with opened(root, text.url) as source, os.fdopen(os.dup(source), "rb") as file:
                body = file.read(MAX_SUBTITLE_BYTES)
            folder.keep(track, 0, gate.check_subtitles(body).payload)
        except (ImportGone, ImportRefused, ImportUnreadable, gate.NotThatMedia) as exc:
            log.warning("subtitles_left_out", language=text.language, error=str(exc))
            left_out.add(track)
    folder.settle()
    return left_out
