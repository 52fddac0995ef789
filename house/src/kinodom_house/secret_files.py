"""Small files written whole or not at all, and secrets that are made once and kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECRET_BYTES = 32  # 256 bits, written as 64 hexadecimal digits
PRIVATE_MODE = 0o640  # the owner writes, the house's group reads, nobody else sees it


def write_whole(path: Path, text: str, *, mode: int = PRIVATE_MODE, group: int | None = None) -> bool:
    """Write a file by a rename, so that no reader ever sees half of it; return whether anything changed.

    Args:
        path: the file; its folder exists.
        text: the whole content.
        mode: permissions, set before the group because a process that may only change owners cannot change the mode
            of a file that is no longer its own.
        group: numeric group that gets the file; None leaves it with the process's own.
    """
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if group is not None:
                os.fchown(file.fileno(), -1, group)
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - `name` comes from mkstemp as text
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108 - as above
        raise
    return True


def keep_secret(path: Path, *, group: int | None = None) -> str:
    """Return the secret in this file; make it first if the file is missing or empty."""
    if path.is_file():
        kept = path.read_text(encoding="utf-8").strip()
        if kept:
            return kept
    fresh = secrets.token_hex(SECRET_BYTES)
    write_whole(path, fresh + "\n", group=group)
    return fresh
