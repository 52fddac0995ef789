"""One still picture of a packaged video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.logs import get_log
from kinodom_common.processes import ProgramTimeout
from kinodom_downloader.adapters.extra_commands import poster

if TYPE_CHECKING:
    from pathlib import Path

    from kinodom_downloader.adapters.sources import Runner

log = get_log(__name__)

POSTER = "poster.jpg"
_WIDTH_PX, _HEIGHT_PX = 640, 360
_DARK = 20  # mean grey of 255 below which a picture tells nothing
_MOMENTS = (0.1, 0.25, 0.45, 0.7)
_EACH_S = 60.0


def make_poster(video: Path, duration_s: float, out: Path, *, run: Runner) -> Path | None:
    """Write `poster.jpg` of a frame near a tenth of the film, later if that is black; None when none could be made.

    A video without a poster is still a video, so a failure here is logged and not raised.
    """
    path = out / POSTER
    for moment in _MOMENTS:
        command = poster(video, at_s=duration_s * moment, out=path, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
        try:
            done = run(command, timeout_s=_EACH_S)
        except ProgramTimeout as exc:
            log.warning("poster_failed", error=exc.detail)
            break
        if done.returncode != 0:
            log.warning("poster_failed", error=done.stderr[-300:])
            path.unlink(missing_ok=True)  # half of it may be there
        elif done.stdout and sum(done.stdout) / len(done.stdout) > _DARK:
            break
    if path.exists() and path.stat().st_size == 0:
        path.unlink()
    return path if path.exists() else None
