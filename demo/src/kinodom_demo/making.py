"""Makes a film the first time somebody asks for it. Two processes that ask at once make it once."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from kinodom_common.logs import get_log
from kinodom_common.processes import checked, run
from kinodom_demo.recipes import KEY_FILE, KEY_NOTE, film_command, poster_command
from kinodom_demo.subtitles import media_playlist, web_vtt, with_subtitles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kinodom_common.processes import Command
    from kinodom_demo.films import Film, Version

log = get_log(__name__)

RECIPE = "1"  # another number makes everything anew
TIMEOUT_S = 300


class Encoder(Protocol):
    """Runs a command in a folder, or raises."""

    def __call__(self, command: Command, folder: Path) -> None:
        """Run it to its end."""


def encode(command: Command, folder: Path) -> None:
    """Run ffmpeg in a folder; raises ProgramMissing, ProgramTimeout, ProgramFailed, NoSpace."""
    checked(run(command, timeout_s=TIMEOUT_S, cwd=folder), command.program)


class Shelf:
    """What was made, as folders below `root`.

    Args:
        root: may be emptied at any time.
        seconds: length of each part; another length lies in another folder.
        encoder: what runs ffmpeg.
    """

    def __init__(self, root: Path, *, seconds: int, encoder: Encoder = encode) -> None:
        self._root = root.absolute()
        self._seconds = seconds
        self._made = self._root / f"{seconds}s-{RECIPE}"
        self._encoder = encoder

    def part(self, film: Film, version: Version, part: int) -> Path:
        """Return the folder of a part, whole; it is made when it is not there."""
        name = f"{film.slug}-{version.id}-{part}"
        return self._once(name, lambda folder: self._fill(folder, film, version, part))

    def poster(self, film: Film) -> Path:
        """Return the folder that holds `poster.jpg`."""
        return self._once(
            f"{film.slug}-poster",
            lambda folder: self._encoder(poster_command(film.scene, folder / "poster.jpg"), folder),
        )

    def folder(self, film: Film, version: Version, part: int) -> Path:
        """Return where a part lies, or would lie; nothing is made."""
        return self._made / f"{film.slug}-{version.id}-{part}"

    def _once(self, name: str, fill: Callable[[Path], None]) -> Path:
        done = self._made / name
        if done.is_dir():
            return done
        with self._locked(name):
            if done.is_dir():  # another one made it while we waited
                return done
            staged = self._root / "staged" / name
            shutil.rmtree(staged, ignore_errors=True)  # left by one who died at it; the lock is ours
            staged.mkdir(parents=True)
            fill(staged)
            self._made.mkdir(parents=True, exist_ok=True)
            staged.rename(done)
            log.info("demo_item_made", item=name)
        return done

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        locks = self._root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed, also by a death
            yield

    def _fill(self, folder: Path, film: Film, version: Version, part: int) -> None:
        if film.form == "ts_aes128":
            # From the name: a film made anew still opens what somebody fetched of it before.
            key = hashlib.sha256(f"{film.slug} {version.id} {part}".encode()).digest()[:16]
            (folder / KEY_FILE).write_bytes(key)
            (folder / KEY_NOTE).write_text(f"{KEY_FILE}\n{folder / KEY_FILE}\n")
        self._encoder(film_command(film, version, part, seconds=self._seconds), folder)
        (folder / KEY_NOTE).unlink(missing_ok=True)
        for language in film.subtitles:
            (folder / f"{language}.vtt").write_text(web_vtt(language, part, seconds=self._seconds))
            (folder / f"{language}.m3u8").write_text(media_playlist(language, seconds=self._seconds))
        master = folder / "master.m3u8"
        master.write_text(with_subtitles(master.read_text(), film.subtitles))
