"""The sample tables of a packaged track file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kinodom_downloader.domain.boxes import BrokenBoxes, boxes_in, load, top_boxes
from kinodom_downloader.domain.headers import read_tracks
from kinodom_downloader.domain.progressive import Samples

if TYPE_CHECKING:
    from pathlib import Path


def read_samples(path: Path) -> tuple[bytes, Samples]:
    """Return the `trak` box of a track file, and its samples.

    Raises:
        BrokenBoxes: it is no whole track file.
    """
    trak, samples = b"", None
    with path.open("rb") as file:
        for box in top_boxes(file, path.stat().st_size):
            if box.kind == "moov":
                moov = load(file, box)
                (found,) = read_tracks(moov)
                trak = next(moov[one.start : one.end] for one in boxes_in(moov) if one.kind == "trak")
                samples = Samples(track_id=found.track_id, timescale=found.timescale)
            elif box.kind == "moof" and samples is not None:
                samples.add(load(file, box), box.start)
    if samples is None:
        raise BrokenBoxes(f"{path.name} has no header.")
    return trak, samples


def picture_hash(path: Path) -> str:
    """Return what two files have in common that show the same coded picture at the same times.

    Sizes and durations of all frames, in their order: no two different codings of a film agree in thousands of sizes.
    """
    _trak, samples = read_samples(path)
    digest = hashlib.sha256(f"{samples.timescale} {samples.start_s:.3f}".encode())
    for table in (samples.sizes, samples.durations, samples.offsets):
        digest.update(table.tobytes())
    return digest.hexdigest()
