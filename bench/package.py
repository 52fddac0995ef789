"""How packaging compares with copying, and whether its films are exact: `make bench-package`.

A film of ten minutes (one minute, ten times, 720p H.264 and AAC, as a hundred segments of MPEG-TS) is packaged beside
`cp` and a bare demux by ffmpeg of the same in one file, in turns; the best of each counts. A film with key frames up to
20 s apart is then compared with what shaka-packager makes of it, and played in three players. The exit code is 1 when a
goal is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.oracle import LANGUAGE, compared
from bench.seeks import PLAYERS, failed_seeks
from kinodom_common.processes import Command, Finished
from kinodom_common.processes import run as run_program
from kinodom_downloader.adapters.disk import flush
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.sample_tables import read_samples
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.progressive import Part, Tags, laid_out
from tests.support.shelved import a_track

if TYPE_CHECKING:
    from kinodom_downloader.domain.fetched import FetchedTrack

FRAME_S = 0.04
KEYS_S = (0.0, 1.0, 4.2, 11.0, 12.04, 20.0, 40.0, 41.5)
LENGTH_S = 60.0
TURNS = 5


@dataclass
class Clock:
    """Runs programs and notes how long each kind took; the frames for sprites are picked before their program runs."""

    took_s: dict[str, float] = field(default_factory=dict)
    ended_s: float = 0.0

    def __call__(self, command: Command, **options: Any) -> Finished:
        """Run."""
        words = " ".join(command.arguments)
        kinds = {"sprites": "tile=", "loudness": "ebur128", "poster": "thumbnail="}
        kind = next((name for name, word in kinds.items() if word in words), command.program)
        began_s = self.ended_s if kind == "sprites" else time.monotonic()
        try:
            return run_program(command, **options)
        finally:
            self.ended_s = time.monotonic()
            self.took_s[kind] = self.took_s.get(kind, 0.0) + self.ended_s - began_s


def ffmpeg(*words: str | Path) -> float:
    """Run ffmpeg and return how long it took, seconds."""
    began_s = time.monotonic()
    subprocess.run(["ffmpeg", "-nostdin", "-v", "fatal", "-y", *map(str, words)], check=True)
    return time.monotonic() - began_s


def ten_minutes(folder: Path) -> Path:
    """Write the film of the comparison."""
    minute, film = folder / "minute.ts", folder / "film.ts"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25,noise=alls=16:allf=t", "-f", "lavfi", "-i", "sine=440")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "2600k", "-g", "50", "-c:a", "aac", "-b:a", "128k")
    ffmpeg(*picture, "-t", "60", *coding, "-f", "mpegts", minute)
    ffmpeg("-stream_loop", "9", "-i", minute, "-c", "copy", "-f", "mpegts", film)
    return film


def in_segments(film: Path) -> list[Path]:
    """Return the film as a hundred segments, as it comes from a host."""
    whole, folder = film.read_bytes(), film.parent / "segments"
    folder.mkdir()
    each = -(-len(whole) // 188 // 100) * 188
    parts = [folder / f"{number:03}" for number in range(100)]
    for number, part in enumerate(parts):
        part.write_bytes(whole[number * each : (number + 1) * each])
    return parts


def packaged(out: Path, *tracks: FetchedTrack) -> tuple[float, Clock, int]:
    """Package; return the seconds for the tracks alone, the clock, and the bytes that were written."""
    clock, before = Clock(), _written_bytes()
    began_s = time.monotonic()
    package(Fetched(tracks=tracks, duration_s=None, total_bytes=0), out, run=clock, language=LANGUAGE)
    took_s = time.monotonic() - began_s
    beside_s = sum(clock.took_s.get(kind, 0.0) for kind in ("sprites", "loudness", "poster"))
    return took_s - beside_s, clock, _written_bytes() - before


def _written_bytes() -> int:
    """Return what this process and the programs that it has waited for brought to disks so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def speed(folder: Path) -> list[tuple[str, float, float]]:
    """Return the goals of speed as (name, value, limit)."""
    film = ten_minutes(folder)
    size, segments = film.stat().st_size, in_segments(film)
    copy_s = flushed_copy_s = demux_s = ours_s = flushed_s = float("inf")
    for turn in range(TURNS):
        os.sync()  # nobody pays for what was written before
        (folder / "copy.ts").unlink(missing_ok=True)
        began_s = time.monotonic()
        subprocess.run(["cp", film, folder / "copy.ts"], check=True)
        copy_s = min(copy_s, time.monotonic() - began_s)
        flush(folder / "copy.ts")
        flushed_copy_s = min(flushed_copy_s, time.monotonic() - began_s)
        demux_s = min(demux_s, ffmpeg("-i", film, "-c", "copy", "-f", "null", "-"))
        took_s, clock, written = packaged(folder / f"out{turn}", a_track("ts", *segments))
        ours_s, began_s = min(ours_s, took_s), time.monotonic()
        for track in (folder / f"out{turn}").glob("*.mp4"):
            flush(track)
        flushed_s = min(flushed_s, took_s + time.monotonic() - began_s)
    out = folder / f"out{TURNS - 1}"
    video = out / "v.mp4"
    decode_s = ffmpeg("-i", video, "-f", "null", "-")
    parts = [
        Part(trak=trak, samples=samples, language="und", label="", first_of_kind=True)
        for trak, samples in (read_samples(path) for path in sorted(out.glob("*.mp4")))
    ]
    began_s = time.monotonic()
    laid_out(parts, Tags(title="x"))
    print(
        f"10 min, {size / 1e6:.0f} MB: cp {copy_s:.3f} s, demux {demux_s:.3f} s, tracks {ours_s:.3f} s; the last time"
    )
    print(", ".join(f"{kind} {s:.3f} s" for kind, s in clock.took_s.items()), end="; ")
    print(f"full decode {decode_s:.1f} s; header for saving {time.monotonic() - began_s:.3f} s")
    return [
        ("tracks / cp, wall", ours_s / copy_s, 6.0),
        ("the same, both safe on the disk", flushed_s / flushed_copy_s, 6.0),
        ("tracks / bare demux, wall", ours_s / demux_s, 2.2),
        ("bytes written with the fetched parts / media", 1 + written / size, 2.05),
        ("sprites / full decode, wall", clock.took_s["sprites"] / decode_s, 0.06),
    ]


def exactness(folder: Path, seeks: int) -> list[tuple[str, float, float]]:
    """Return the goals of exactness as (name, value, limit)."""
    film, late_s = folder / "odd.ts", 0.5
    keys = ("-force_key_frames", ",".join(map(str, KEYS_S)), "-x264-params", "keyint=9999:scenecut=0")
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=640x360:r=25:d={LENGTH_S}")
    sound = ("-itsoffset", str(late_s), "-f", "lavfi", "-i", f"sine=440:d={LENGTH_S - late_s}")
    ffmpeg(*picture, *sound, "-c:v", "libx264", "-preset", "veryfast", *keys, "-c:a", "aac", "-f", "mpegts", film)
    out = folder / "odd"
    packaged(out, a_track("ts", film))
    index = read_track(out / "v.mp4").index
    starts_s = [part.at / index.timescale for part in index.references]
    worst_s = max(abs(found - made) for found, made in zip(starts_s, KEYS_S, strict=True))
    offset_s = read_track(out / f"a-{LANGUAGE}.mp4").index.start_s - index.start_s
    seen = _starts(film)
    goals = [
        ("start of a fragment off by, frames", worst_s / FRAME_S, 1.0),
        ("sound to picture moved by, ms", abs(offset_s - (seen["audio"] - seen["video"])) * 1000, 1.0),
        *compared(film, out, folder / "oracle"),
    ]
    if not PLAYERS.is_dir():
        print("No players: run npm ci in bench/players first.")
        return [*goals, ("players that could be tried, missing", 3, 0)]
    failed = failed_seeks(out, LENGTH_S, seeks)
    return goals + [(f"failed of {seeks} seeks in {name}", count, 0) for name, count in failed.items()]


def _starts(film: Path) -> dict[str, float]:
    words = ("-show_entries", "stream=codec_type,start_time", "-of", "csv=p=0")
    shown = subprocess.run(["ffprobe", "-v", "error", *words, film], check=True, capture_output=True, text=True).stdout
    return {kind: float(at) for kind, at in (line.split(",")[:2] for line in shown.split())}


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeks", type=int, default=100, help="in each player")
    seeks = parser.parse_args().seeks
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as folder:
        goals = speed(Path(folder)) + exactness(Path(folder), seeks)
    for name, value, limit in goals:
        print(f"{'holds ' if value <= limit else 'MISSED'} {name:<46} {value:8.3f}  goal <= {limit:g}")
    return 0 if all(value <= limit for _name, value, limit in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
