"""Which small pictures of a film are made for its seek bar, and where each lies on the sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_downloader.domain.chapters import vtt_time

if TYPE_CHECKING:
    from collections.abc import Sequence

SPRITES = "sprites.vtt"
WIDTH_PX = 240
COLUMNS, ROWS = 5, 6
_MOST = 720  # of one film
_LONGEST_STEP_S, _SHORTEST_STEP_S = 10.0, 2.0
_SPARSE_S = 20.0  # key frames further apart than this are not enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Pictures at even steps, on sheets of 5 by 6."""

    step_s: float
    count: int
    width_px: int
    height_px: int
    keys_only: bool  # key frames are near enough to each other to take nothing else

    @property
    def sheets(self) -> int:
        """Return how many sheets there are."""
        return -(-self.count // (COLUMNS * ROWS))


def grid_of(key_frames_s: Sequence[float], duration_s: float, width_px: int, height_px: int) -> Grid | None:
    """Return the grid of a film; None when it is too short or too odd for one.

    Args:
        key_frames_s: times of the key frames, ascending.
        duration_s: of the film.
        width_px: of its picture.
        height_px: of its picture.
    """
    if not key_frames_s or min(width_px, height_px) <= 0 or duration_s < 2 * _SHORTEST_STEP_S:
        return None
    step_s = max(min(_LONGEST_STEP_S, max(_SHORTEST_STEP_S, duration_s / 100)), duration_s / _MOST)
    ends_s = [*key_frames_s[1:], duration_s]
    widest_s = max(end - start for start, end in zip(key_frames_s, ends_s, strict=True))
    keys_only = widest_s <= max(_SPARSE_S, 2 * step_s)
    last_s = key_frames_s[-1] if keys_only else duration_s - step_s / 2
    height = max(2, min(4 * WIDTH_PX, round(WIDTH_PX * height_px / width_px / 2) * 2))
    # ffmpeg's `fps` filter gives the frame nearest to each step, for sure up to the last step before the last frame.
    return Grid(step_s=step_s, count=int(last_s / step_s) + 1, width_px=WIDTH_PX, height_px=height, keys_only=keys_only)


def sheet_name(number: int) -> str:
    """Return the file name of a sheet, from 0."""
    return f"sprite-{number}.jpg"


def sprites_vtt(grid: Grid, duration_s: float) -> str:
    """Return the WebVTT file that tells which part of which sheet belongs to which time."""
    lines = ["WEBVTT", ""]
    for number in range(grid.count):
        sheet, place = divmod(number, COLUMNS * ROWS)
        row, column = divmod(place, COLUMNS)
        start_s = max(0.0, (number - 0.5) * grid.step_s)
        end_s = duration_s if number == grid.count - 1 else (number + 0.5) * grid.step_s
        if end_s <= start_s:
            break
        box = f"{column * grid.width_px},{row * grid.height_px},{grid.width_px},{grid.height_px}"
        lines += [f"{vtt_time(start_s)} --> {vtt_time(end_s)}", f"{sheet_name(sheet)}#xywh={box}", ""]
    return "\n".join(lines)
