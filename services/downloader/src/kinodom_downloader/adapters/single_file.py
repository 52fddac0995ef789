"""A file that is put together in place, range by range, and a note beside it of the ranges that came.

The note is not flushed: after a kill it is right, for the ranges were written before it; after a power cut it is not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_downloader.domain.gate import Payload

_NOTE: Final = "came.txt"


def put_range(file: Path, index: int, offset: int, payload: Payload | bytearray) -> None:
    """Write a range in its place, and note its number."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        view = memoryview(payload)
        while view:
            written = os.pwrite(handle, view, offset)
            view, offset = view[written:], offset + written
    finally:
        os.close(handle)
    with file.with_name(_NOTE).open("a", encoding="ascii") as note:
        note.write(f"{index} {len(payload)}\n")


def ranges_that_came(file: Path, *, ran_on: bool) -> dict[int, int]:
    """Return the lengths of the ranges that came, by number; none when the machine did not run on: forget them then."""
    note = file.with_name(_NOTE)
    if not (ran_on and file.exists()):
        note.unlink(missing_ok=True)
    if not note.exists():
        return {}
    rows = [line.split(" ") for line in note.read_text("ascii", "replace").split("\n")[:-1]]
    return {int(row[0]): int(row[1]) for row in rows if len(row) == 2 and all(map(str.isdigit, row))}
