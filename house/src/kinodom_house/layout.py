"""The data folder: what lies where."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_house.refusals import NoPermissionError, NoSpaceError

if TYPE_CHECKING:
    from pathlib import Path

LEAST_FREE_BYTES = 500 * 1000 * 1000  # below this a house cannot even make its demo films
_PRIVATE = 0o750


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders below the data folder; `root` is absolute."""

    root: Path

    @property
    def secrets(self) -> Path:
        """Keys and passwords, made at the first start and kept."""
        return self.root / "secrets"

    @property
    def redis(self) -> Path:
        """Redis' append-only file."""
        return self.root / "redis"

    @property
    def store(self) -> Path:
        """One SQLite file per service."""
        return self.root / "store"

    @property
    def media(self) -> Path:
        """`library`, `work` and `trash`: one disk, because films are published by a rename."""
        return self.root / "media"

    @property
    def covers(self) -> Path:
        """Posters and stills, named by their content."""
        return self.root / "covers"

    @property
    def demo(self) -> Path:
        """The films of the demo site."""
        return self.root / "demo"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What is true only while the house runs: ports, the lock, Nginx's configuration. May be deleted after."""
        return self.root / "run"

    @property
    def home(self) -> Path:
        """What the processes see as their home; empty."""
        return self.run / "home"

    @property
    def temp(self) -> Path:
        """Temporary files of the processes."""
        return self.run / "temp"

    @property
    def nginx(self) -> Path:
        """Nginx's configuration, copied and completed at each start."""
        return self.run / "nginx"

    def make(self) -> None:
        """Make the folders that are missing and see that there is room.

        Raises:
            NoPermissionError: a folder cannot be made or written.
            NoSpaceError: the disk is full or nearly so.
        """
        try:
            folders = (self.secrets, self.redis, self.store, self.covers, self.demo, self.logs, self.home, self.temp)
            media = (self.media / "library", self.media / "work", self.media / "trash")
            for folder in (self.root, self.run, *folders, *media):
                folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            probe = self.run / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except PermissionError as exc:
            raise NoPermissionError(
                f"The data folder cannot be written ({exc.filename}): make it yours, or choose another with "
                "KINODOM_DATA=/path make run."
            ) from exc
        except OSError as exc:
            raise NoSpaceError(f"The data folder {self.root} cannot be used: {exc.strerror}.") from exc
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE_BYTES:
            raise NoSpaceError(
                f"Only {free // 1_000_000} MB are free on the disk of {self.root}, and Kinodom needs 500 MB to start: "
                "free some space, or choose another disk with KINODOM_DATA=/path make run."
            )
