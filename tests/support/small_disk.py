"""Disks in memory of any size, for tests of full ones. Mounting takes root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted disk."""

    root: Path

    def used_bytes(self) -> int:
        """Return what its files take."""
        told = os.statvfs(self.root)
        return (told.f_blocks - told.f_bfree) * told.f_frsize

    def used_inodes(self) -> int:
        """Return how many files and folders it has."""
        told = os.statvfs(self.root)
        return told.f_files - told.f_ffree

    def change(self, *options: str) -> None:
        """Mount it anew with other options, its files on it."""
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), self.root], check=True)


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[SmallDisk]:
    """Mount a disk in memory for the length of a block, with options such as `size=40960` or `nr_inodes=20`."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
