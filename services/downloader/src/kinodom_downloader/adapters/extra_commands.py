"""Commands for what lies beside a film: a poster, small pictures for the seek bar, and how loud a sound is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.media_tools import QUIET, MediaInput, decoded, local_file
from kinodom_common.processes import Command

if TYPE_CHECKING:
    from pathlib import Path


def poster(path: Path, *, at_s: float, out: Path, width_px: int, height_px: int) -> Command:
    """Return the command that writes one telling frame near a moment as JPEG, and its 16x9 grey thumbnail to stdout.

    The thumbnail is 144 bytes, one per pixel: enough to see whether the picture is black.
    """
    pick = "thumbnail=24"
    fit = f"scale=w={int(width_px)}:h={int(height_px)}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    source = MediaInput(path=path, demuxer="mov", seek_s=at_s)
    return Command(
        "ffmpeg",
        (
            *(*QUIET, "-y", *decoded(source)),
            *("-map", "0:v:0", "-frames:v", "1", "-vf", f"{pick},{fit},setsar=1", "-q:v", "4", "-f", "image2"),
            *("-update", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", local_file(out)),
            *("-map", "0:v:0", "-frames:v", "1", "-vf", f"{pick},scale=16:9,format=gray"),
            *("-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"),
        ),
    )


def sprites(
    path: Path | None, *, out: Path, step_s: float, size_px: tuple[int, int], grid: tuple[int, int], sheets: int
) -> Command:
    """Return the command that writes sheets `sprite-0.jpg`, … of small pictures.

    With a path they are taken at even steps, and all of it is decoded. Without one standard input is MP4 that holds
    one frame for each of them and nothing else.
    """
    (width, height), (columns, rows) = size_px, grid
    fit = f"scale={int(width)}:{int(height)}:flags=fast_bilinear,setsar=1,tile={int(columns)}x{int(rows)}"
    pick = fit if path is None else f"fps=1/{step_s:.6f}:start_time=0,{fit}"
    # image2 reads a percent sign of the folder's name as a place for the number.
    folder = str(out.absolute()).replace("%", "%%")
    return Command(
        "ffmpeg",
        (
            *(*QUIET, "-y", "-skip_loop_filter", "all", *decoded(MediaInput(path=path, demuxer="mov"))),
            *("-map", "0:v:0", "-an", "-vf", pick, "-fps_mode", "passthrough", "-frames:v", str(int(sheets))),
            *("-q:v", "5", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "image2", "-start_number", "0"),
            f"file:{folder}/sprite-%d.jpg",
        ),
    )


LOUDNESS_KEY = "lavfi.r128.I"


def loudness(path: Path) -> Command:
    """Return the command that measures the loudness of a packaged sound; its last line on stdout has the result."""
    meter = f"ebur128=metadata=1:framelog=verbose,ametadata=mode=print:key={LOUDNESS_KEY}:file=-"
    source = decoded(MediaInput(path=path, demuxer="mov"))
    return Command("ffmpeg", (*QUIET, *source, "-map", "0:a:0", "-af", meter, "-f", "null", "-"))
