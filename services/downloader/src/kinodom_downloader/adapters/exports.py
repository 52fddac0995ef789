"""Published films read as one plain MP4 each, without a copy on the disk."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from bisect import bisect_right
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.publish import find_published
from kinodom_downloader.adapters.sample_tables import read_samples
from kinodom_downloader.domain.exporting import Export, ExportBusy, NoSuchFilm, file_name, tags_of
from kinodom_downloader.domain.ladder import for_devices
from kinodom_downloader.domain.languages import language_tag, three_letters
from kinodom_downloader.domain.progressive import Part, laid_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kinodom_common.contracts.videos import TrackInfo
    from kinodom_downloader.domain.publishing import Metadata

AT_ONCE = 3  # each holds a thread of the web service for as long as the other side reads


class Stretches(io.RawIOBase):
    """A file that is made of bytes in memory and stretches of other files; it can be read from anywhere."""

    def __init__(self, head: bytes, stretches: Sequence[tuple[int, int, int]], done: Callable[[], None]) -> None:
        """Take the first bytes, then stretches as (descriptor, start, length); `done` is called once at the close."""
        super().__init__()
        self._head, self._stretches, self._done = head, stretches, done
        self._starts = []
        self.size_bytes = len(head)
        for _descriptor, _start, length in stretches:
            self._starts.append(self.size_bytes)
            self.size_bytes += length
        self._at = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte and return which."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return at which byte it is."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to so many bytes from here, fewer at the end of a stretch, none at the end."""
        size = self.size_bytes if size < 0 else size
        if self._at < len(self._head):
            block = self._head[self._at : self._at + size]
        else:
            number = bisect_right(self._starts, self._at) - 1
            if number < 0 or self._at >= self.size_bytes:
                return b""
            descriptor, start, length = self._stretches[number]
            inside = self._at - self._starts[number]
            block = os.pread(descriptor, min(size, length - inside), start + inside)
        self._at += len(block)
        return block

    def close(self) -> None:
        """Let go of the files."""
        if not self.closed:
            self._done()
        super().close()


class LibraryExports:
    """The port `Exports` over a library, a few at a time."""

    def __init__(self, media_root: Path, *, at_once: int = AT_ONCE) -> None:
        self._library = media_root / "library"
        self._room = threading.BoundedSemaphore(at_once)

    def open(self, video_id: str) -> Export:
        """Return a published film as one file.

        Raises:
            NoSuchFilm: it is not there, or not whole.
            ExportBusy: others are leaving; try again.
        """
        if not self._room.acquire(blocking=False):
            raise ExportBusy("Several films are being copied to devices right now. Try again when one has left.")
        with ExitStack() as stack:
            stack.callback(self._room.release)
            metadata = self._found(video_id)
            folder = self._library / folder_of(video_id)
            picture = for_devices(metadata.video.tracks)
            tracks = [track for track in metadata.video.tracks if track.kind == "audio" or track is picture]
            descriptors = [os.open(folder / track.file, os.O_RDONLY) for track in tracks]
            for descriptor in descriptors:
                stack.callback(os.close, descriptor)
            parts = [_part(folder / track.file, track, tracks) for track in tracks]
            head, order = laid_out(parts, tags_of(metadata.video))
            stretches = [(descriptors[number], chunk.start, chunk.size) for number, chunk in order]
            stream = Stretches(head, stretches, stack.pop_all().close)
            etag = hashlib.sha256(head).hexdigest()[:32]
            return Export(name=file_name(metadata.video), size_bytes=stream.size_bytes, etag=etag, stream=stream)

    def _found(self, video_id: str) -> Metadata:
        metadata = find_published(self._library, video_id)
        if metadata is None:
            raise NoSuchFilm("This film is not on the disk any more. Open its page to get it again.")
        return metadata


def _part(path: Path, track: TrackInfo, tracks: Sequence[TrackInfo]) -> Part:
    """Return what one track file holds."""
    trak, samples = read_samples(path)
    return Part(
        trak=trak,
        samples=samples,
        language=three_letters(language_tag(track.language)),
        label=track.dub or "",
        first_of_kind=next(one for one in tracks if one.kind == track.kind) is track,
    )
