"""What lies in the import folder: videos, and beside them subtitles and NFO files. Nothing in it is followed or run."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Iterator

log = get_log(__name__)

VIDEOS: Final = frozenset({"mp4", "m4v", "mov", "webm", "mkv", "ts"})
TEXTS: Final = frozenset({"srt", "vtt"})
MOST_VIDEOS: Final = 20_000
MOST_ENTRIES: Final = 300_000
DEEPEST: Final = 10
NFO_BYTES: Final = 262_144
ASIDE: Final = re.compile(
    r"samples?|trailers?|extras|featurettes|behind the scenes|deleted scenes|interviews|@eadir|lost\+found",
    re.IGNORECASE,
)
ASIDE_NAME: Final = re.compile(r"(?:^|[-._ ])(?:sample|trailer)\d*$", re.IGNORECASE)
SUBTITLE_FOLDER: Final = re.compile(r"subs?|subtitles?", re.IGNORECASE)


class ImportFolderUnreadable(UpstreamFailed):
    """The import folder cannot be read now."""

    code = "import_folder_unreadable"
    title = "The import folder cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One video file; paths are relative to the import folder, with `/` between."""

    path: str  # bytes that are no UTF-8 stand in it as surrogates, as the standard library gives them
    size_bytes: int
    subtitles: tuple[str, ...]  # paths
    notes: tuple[tuple[str, float], ...]  # NFO files that may speak of it, the nearest first, with their times
    show_folder: str | None  # of the nearest `tvshow.nfo` above it

    @property
    def stem(self) -> str:
        """Return the name without its ending."""
        return self.path.rpartition("/")[2].rpartition(".")[0]


@dataclass(slots=True)
class _Level:
    """One folder while it is read."""

    path: str
    folders: list[str]
    files: dict[str, os.stat_result]
    show: tuple[str, float] | None


def videos_in(root: str) -> list[Video]:
    """Return the videos below a folder in the order of their paths; links are not followed.

    Raises:
        ImportFolderUnreadable: it is not there, or may not be read.
    """
    found: list[Video] = []
    for level in _levels(root):
        found += _videos(level, root)
        if len(found) >= MOST_VIDEOS:
            log.warning("import_folder_too_large", most=MOST_VIDEOS)
            break
    return sorted(found[:MOST_VIDEOS], key=lambda one: one.path)


def read_small(root: str, path: str) -> bytes:
    """Return the beginning of a file beside a video; nothing when it cannot be read."""
    try:
        # O_NONBLOCK: a pipe under this name must not hold us up.
        handle = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(handle, NFO_BYTES) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(handle)


def address(path: str) -> str:
    """Return the address of a file in the import folder, as the downloader reads it."""
    return f"file-import:{quote(os.fsencode(path), safe='/')}"


def shown(path: str) -> str:
    """Return a path as text that can be sent."""
    return os.fsencode(path).decode("utf-8", "replace")


def _levels(root: str) -> Iterator[_Level]:
    waiting: list[tuple[str, int, tuple[str, float] | None]] = [("", 0, None)]
    entries = 0
    while waiting and entries < MOST_ENTRIES:
        path, depth, show = waiting.pop()
        level = _level(root, path, show)
        entries += len(level.files) + len(level.folders)
        yield level
        if depth < DEEPEST:
            waiting += [(_join(path, name), depth + 1, level.show) for name in level.folders if not _is_aside(name)]


def _level(root: str, path: str, show: tuple[str, float] | None) -> _Level:
    level = _Level(path=path, folders=[], files={}, show=show)
    try:
        with os.scandir(f"{root}/{path}") as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    level.folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    level.files[entry.name] = entry.stat(follow_symlinks=False)
    except OSError as exc:
        if not path:
            raise ImportFolderUnreadable(
                f"The import folder cannot be read ({exc.strerror}). Check that its disk is there and may be read."
            ) from exc
        log.warning("import_subfolder_unreadable", error=str(exc.strerror))
    if "tvshow.nfo" in level.files:
        level.show = (_join(path, "tvshow.nfo"), level.files["tvshow.nfo"].st_mtime)
    return level


def _videos(level: _Level, root: str) -> list[Video]:
    names = [name for name in level.files if _ending(name) in VIDEOS and not ASIDE_NAME.search(_stem(name))]
    if not names:
        return []
    texts = [(_join(level.path, name), False) for name in level.files if _ending(name) in TEXTS]
    for folder in filter(SUBTITLE_FOLDER.fullmatch, level.folders):
        inside = _level(root, _join(level.path, folder), None)
        texts += [(_join(inside.path, name), True) for name in inside.files if _ending(name) in TEXTS]
    return [
        Video(
            path=_join(level.path, name),
            size_bytes=level.files[name].st_size,
            subtitles=tuple(sorted(text for text, apart in texts if _belongs(text, name, names, apart=apart))),
            notes=tuple(_notes(level, name, alone=len(names) == 1)),
            show_folder=level.show[0].rpartition("/")[0] if level.show else None,
        )
        for name in names
        if level.files[name].st_size > 0
    ]


def _notes(level: _Level, name: str, *, alone: bool) -> Iterator[tuple[str, float]]:
    for note in (f"{_stem(name)}.nfo", *(["movie.nfo"] if alone else [])):
        if note in level.files:
            yield _join(level.path, note), level.files[note].st_mtime
    if level.show:
        yield level.show


def _belongs(text: str, video: str, videos: list[str], *, apart: bool) -> bool:
    """Return whether subtitles are those of a video: the longest name of a video that theirs begins with."""
    stem = _stem(text.rpartition("/")[2])
    owners = [one for one in videos if stem == _stem(one) or stem.startswith((f"{_stem(one)}.", f"{_stem(one)}_"))]
    if not owners:
        return apart and len(videos) == 1  # in a folder of subtitles they are often called by language alone
    return max(owners, key=len) == video


def _is_aside(name: str) -> bool:
    return bool(ASIDE.fullmatch(name) or SUBTITLE_FOLDER.fullmatch(name))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
