"""How loud a sound is, by EBU R 128."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_common.processes import ProgramStopped, checked
from kinodom_downloader.adapters.extra_commands import LOUDNESS_KEY, loudness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_downloader.adapters.sources import Runner

log = get_log(__name__)

_LEAST_S = 60.0
_SHARE = 0.1  # of the length of the sound
SILENCE_LUFS = -70.0  # what the meter says of silence


def loudness_lufs(
    path: Path, duration_s: float, *, run: Runner, stopped: Callable[[], bool] = lambda: False
) -> float | None:
    """Return the integrated loudness of a packaged sound, LUFS; None when it is silent or was not to be measured.

    A film whose loudness nobody knows is still a film. Raises ProgramStopped alone.
    """
    last = ""

    def on_line(line: str) -> None:
        nonlocal last
        if line.startswith(LOUDNESS_KEY):
            last = line.partition("=")[2]

    try:
        command = loudness(path)
        checked(run(command, timeout_s=max(_LEAST_S, duration_s * _SHARE), on_line=on_line, stopped=stopped), "ffmpeg")
        found = float(last)
    except ProgramStopped:
        raise
    except (KinodomError, ValueError) as exc:
        log.warning("loudness_not_measured", file=path.name, error=str(exc)[:300])
        return None
    return round(found, 1) if found > SILENCE_LUFS else None
