"""How much of the disk a film may take."""

from __future__ import annotations

from kinodom_common.errors import NoSpace

NEEDED_TIMES = 2.2  # free space over the size of a film: segments, then track files
ALWAYS_FREE_BYTES = 1_000_000_000


def needed_bytes(size_bytes: int | None) -> int:
    """Return what a film of this size takes until it is published; 0 when the size is not known."""
    return int(NEEDED_TIMES * (size_bytes or 0))


def check_room(free_bytes: int, *, needed_bytes: int) -> None:
    """Return when so much more fits on the disk.

    Raises:
        NoSpace: it does not.
    """
    if free_bytes < ALWAYS_FREE_BYTES + needed_bytes:
        raise too_full(free_bytes)


def too_full(free_bytes: int) -> NoSpace:
    """Return the error of a disk on which a film does not fit."""
    return NoSpace(
        f"Waits for space: {free_bytes / 1e9:.1f} GB are free, and this film needs more. "
        "Delete something and it goes on by itself."
    )
