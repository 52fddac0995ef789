"""Sheets of small pictures for the seek bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_common.media_tools import sprites
from kinodom_common.processes import ProgramStopped, checked
from kinodom_downloader.domain.thumbnails import COLUMNS, ROWS, SPRITES, grid_of, sheet_name, sprites_vtt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_downloader.adapters.sources import Runner
    from kinodom_downloader.domain.manifests import MediaTrack

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
    command = sprites(
        out / track.file,
        out=out,
        step_s=grid.step_s,
        size_px=(grid.width_px, grid.height_px),
        grid=(COLUMNS, ROWS),
        sheets=grid.sheets,
        keys_only=grid.keys_only,
    )
    try:
        checked(run(command, timeout_s=max(_LEAST_S, duration_s * _SHARE), stopped=stopped), "ffmpeg")
        if not all((out / sheet_name(number)).stat().st_size for number in range(grid.sheets)):
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
