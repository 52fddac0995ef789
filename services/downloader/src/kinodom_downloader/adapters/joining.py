"""The command that joins stretches of several kinds to one track each; from the vocabulary of `media_tools`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.media_tools import MediaInput, decoded
from kinodom_common.processes import Command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ENCODE_PICTURE = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-profile:v", "high")
_KEYS_EACH_2_S = ("-force_key_frames", "expr:gte(t,n_forced*2)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is read one after another. A sound that it lacks is silent there."""

    source: MediaInput | None  # None: nothing but silence
    length_s: float
    picture: int | None  # number of its stream in the source; None: there is none
    sounds: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What all stretches become."""

    size_px: tuple[int, int] | None  # None: there is no picture
    frames_per_s: str = "25"
    sample_rate_hz: int = 48_000
    channels: int = 2


def join(stretches: Sequence[Stretch], shape: Shape, out: Path) -> Command:
    """Return the command that writes H.264 and AAC into one MP4 file: the picture first, then the sounds."""
    inputs = [one for one in stretches if one.source is not None]
    words = ["-nostdin", "-v", "error", "-y"]
    for one in inputs:
        assert one.source is not None
        words += decoded(one.source)
    sounds = len(stretches[0].sounds)
    graph, pads = [], ""
    for number, one in enumerate(stretches):
        at = inputs.index(one) if one.source is not None else 0
        if shape.size_px is not None:
            graph.append(f"[{at}:{one.picture}]{_picture(shape)}[v{number}]")
            pads += f"[v{number}]"
        for sound, stream in enumerate(one.sounds):
            graph.append(f"{_heard(at, stream, one.length_s, shape)}[a{number}x{sound}]")
            pads += f"[a{number}x{sound}]"
    made = [*(["[v]"] if shape.size_px else []), *(f"[a{sound}]" for sound in range(sounds))]
    graph.append(f"{pads}concat=n={len(stretches)}:v={int(shape.size_px is not None)}:a={sounds}{''.join(made)}")
    words += ["-filter_complex", ";".join(graph)]
    for pad in made:
        words += ["-map", pad]
    words += [*_ENCODE_PICTURE, *_KEYS_EACH_2_S] if shape.size_px else []
    words += ["-c:a", "aac", "-b:a", f"{96 * shape.channels}k"] if sounds else []
    return Command(
        "ffmpeg", (*words, "-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4", f"file:{out.absolute()}")
    )


def _picture(shape: Shape) -> str:
    width, height = shape.size_px or (0, 0)
    fit = f"scale={int(width)}:{int(height)}:force_original_aspect_ratio=decrease"
    return f"{fit},pad={int(width)}:{int(height)}:-1:-1,setsar=1,fps={shape.frames_per_s}:round=down,format=yuv420p"


def _heard(at: int, stream: int | None, length_s: float, shape: Shape) -> str:
    layout = {1: "mono", 6: "5.1"}.get(shape.channels, "stereo")
    rate = int(shape.sample_rate_hz)
    if stream is None:
        return f"anullsrc=r={rate}:cl={layout}:d={length_s:.6f},aformat=sample_fmts=fltp"
    return f"[{at}:{stream}]aresample={rate},aformat=sample_fmts=fltp:channel_layouts={layout}"
