"""Sheets of small pictures for the seek bar."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_common.processes import ProgramStopped, checked
from kinodom_downloader.adapters.extra_commands import sprites
from kinodom_downloader.domain.boxes import load, read_box
from kinodom_downloader.domain.progressive import Samples
from kinodom_downloader.domain.stills import nearest, still_head
from kinodom_downloader.domain.thumbnails import COLUMNS, ROWS, SPRITES, grid_of, sheet_name, sprites_vtt

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.adapters.sources import Runner
    from kinodom_downloader.domain.boxes import Box, Index, Reference
    from kinodom_downloader.domain.manifests import MediaTrack
    from kinodom_downloader.domain.thumbnails import Grid

log = get_log(__name__)

_LEAST_S = 60.0
_SHARE = 0.25  # of the length of the film: what takes longer is not worth waiting for


def make_sprites(
    track: MediaTrack, duration_s: float, out: Path, *, run: Runner, stopped: Callable[[], bool] = lambda: False
) -> bool:
    """Write `sprite-0.jpg`, … and `sprites.vtt` beside a packaged picture, and return whether they are there.

    A film without them is still a film: a failure is logged and leaves nothing. Raises ProgramStopped alone.
    """
    index = track.index
    keys_s = [part.at / index.timescale for part in index.references]
    grid = grid_of(keys_s, duration_s, track.width_px or 0, track.height_px or 0)
    if grid is None:
        return False
    size_px, sheets = (grid.width_px, grid.height_px), grid.sheets
    path = None if grid.keys_only else out / track.file
    command = sprites(path, out=out, step_s=grid.step_s, size_px=size_px, grid=(COLUMNS, ROWS), sheets=sheets)
    try:
        with tempfile.NamedTemporaryFile(prefix=".stills-", dir=out.parent) as stills:
            if grid.keys_only:
                _write_stills(out / track.file, index, grid, stills)
            parts = (Path(stills.name),) if grid.keys_only else None
            limit_s = max(_LEAST_S, duration_s * _SHARE)
            checked(run(command, timeout_s=limit_s, stdin_parts=parts, stopped=stopped), "ffmpeg")
        if not all((out / sheet_name(number)).stat().st_size for number in range(sheets)):
            raise FileNotFoundError("a sheet is empty")
        (out / SPRITES).write_text(sprites_vtt(grid, duration_s), encoding="utf-8")
    except ProgramStopped:
        raise
    except (KinodomError, OSError) as exc:
        log.warning("sprites_left_out", error=str(exc)[:300])
        for path in (*out.glob(sheet_name(0).replace("0", "*")), out / SPRITES):
            path.unlink(missing_ok=True)
        return False
    return True


def _write_stills(path: Path, index: Index, grid: Grid, to: IO[bytes]) -> None:
    """Write the header of a track and the key frame that is nearest to each step."""
    times_s = [part.at / index.timescale for part in index.references]
    length = round(grid.step_s * index.timescale)
    with path.open("rb") as file:
        to.write(file.read(index.box.start))
        for number in range(grid.count):
            box = _first_moof(file, index.references[nearest(times_s, number * grid.step_s)])
            moof = load(file, box)
            samples = Samples(track_id=0, timescale=index.timescale)
            samples.add(moof, box.start)
            size_bytes = samples.sizes[0]
            (track_id,) = struct.unpack_from(">I", moof, moof.index(b"tfhd") + 8)
            to.write(still_head(number, track_id=track_id, length=length, size_bytes=size_bytes))
            file.seek(samples.chunks[0].start)
            to.write(file.read(size_bytes))
    to.flush()


def _first_moof(file: BinaryIO, part: Reference) -> Box:
    """Return where the fragment of an entry of the index begins: a gathered film has other boxes before it."""
    at, end = part.start, part.start + part.size
    while True:
        file.seek(at)
        if (box := read_box(file.read(16), 0, at, end)).kind == "moof":
            return box
        at = box.end
