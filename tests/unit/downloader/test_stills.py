"""Frames for the seek bar are picked before they are decoded."""

from __future__ import annotations

import pytest

from kinodom_downloader.domain.boxes import boxes_in, fragments
from kinodom_downloader.domain.progressive import Samples
from kinodom_downloader.domain.stills import nearest, still_head


@pytest.mark.parametrize(
    ("wanted_s", "index"), [(-1.0, 0), (0.0, 0), (1.9, 0), (2.0, 0), (2.1, 1), (4.0, 1), (7.0, 2), (99.0, 2)]
)
def test_the_nearest_key_frame_is_taken(wanted_s: float, index: int) -> None:
    assert nearest([0.0, 4.0, 9.0], wanted_s) == index


def test_a_still_is_a_fragment_of_one_key_frame_at_its_place() -> None:
    frame = b"k" * 1000

    made = still_head(3, track_id=7, length=540_000, size_bytes=len(frame)) + frame

    moof, mdat = [box for box in boxes_in(made) if box.kind in ("moof", "mdat")]
    (read,) = fragments(made[moof.start : moof.end])
    samples = Samples(track_id=7, timescale=90_000)
    samples.add(made[moof.start : moof.end], 0)
    assert (read.track_id, read.decode_time, read.duration, read.starts_with_key) == (7, 3 * 540_000, 540_000, True)
    assert made[samples.chunks[0].start : samples.chunks[0].start + samples.sizes[0]] == frame
    assert mdat.end == len(made)
