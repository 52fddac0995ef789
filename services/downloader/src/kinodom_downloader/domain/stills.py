"""Single frames of a track as MP4 of their own: a program that wants some of them reads and decodes no others."""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING

from kinodom_downloader.domain.progressive import box

if TYPE_CHECKING:
    from collections.abc import Sequence

_BASE_IS_MOOF = 0x020000
_OFFSET_FLAGS_LENGTH_SIZE = 0x000305  # of the run: data offset, flags of the first sample, duration and size of each
_KEY_FRAME = 0x02000000


def nearest(times_s: Sequence[float], wanted_s: float) -> int:
    """Return which of these ascending times is nearest; of two as near the earlier one."""
    after = bisect_left(times_s, wanted_s)
    if after == 0:
        return 0
    if after == len(times_s) or wanted_s - times_s[after - 1] <= times_s[after] - wanted_s:
        return after - 1
    return after


def still_head(number: int, *, track_id: int, length: int, size_bytes: int) -> bytes:
    """Return what stands before the bytes of one key frame: the `moof` of a fragment, and the head of its `mdat`.

    Args:
        number: of the fragment, from 0; each is shown for as long as the others.
        track_id: of the track.
        length: for how long each is shown, in units of the track.
        size_bytes: of the frame.
    """
    tfhd = box("tfhd", struct.pack(">II", _BASE_IS_MOOF, track_id))
    tfdt = box("tfdt", struct.pack(">IQ", 0x01000000, number * length))
    mfhd = box("mfhd", struct.pack(">II", 0, number + 1))
    run = struct.pack(">IIIIII", _OFFSET_FLAGS_LENGTH_SIZE, 1, 0, _KEY_FRAME, length, size_bytes)
    before = len(box("moof", mfhd, box("traf", tfhd, tfdt, box("trun", run)))) + 8
    run = struct.pack(">IIIIII", _OFFSET_FLAGS_LENGTH_SIZE, 1, before, _KEY_FRAME, length, size_bytes)
    moof = box("moof", mfhd, box("traf", tfhd, tfdt, box("trun", run)))
    return moof + struct.pack(">I4s", 8 + size_bytes, b"mdat")
