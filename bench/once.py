"""Is a film in fragmented MP4 written once, whatever happens to it? `make bench-once`.

Ten minutes (picture and sound apart, about 220 MB) are fetched over HLS and packaged: bytes written by this process and
its programs, less what was deleted before it reached a disk, and as root also those that an ext4 disk of its own took.
Beside it the same without gathering, which is how MPEG-TS is still packaged. Then films are killed at random moments,
and with strace at every system call of the thread that gathers; what is published in the end must be the same bytes.
The exit code is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.track_files import file_sum
from tests.support import clips, origin
from tests.support.fetching import fetch_from, sum_of
from tests.support.kill_points import killed_at
from tests.support.killing import fetch_and_kill
from tests.support.written import written_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_downloader.domain.fetched import Fetched
    from tests.support.origin import Origin

ENTRY = "/master.m3u8"
GOAL_WRITTEN, GOAL_SENT = 1.02, 1.05
DISK_BYTES = 1_500_000_000
FETCH_CALLS = ("copy_file_range", "pwrite64", "write", "unlink", "ftruncate", "fsync", "rename", "openat", "flock")
PACKAGE_CALLS = ("linkat", "link", "pwrite64", "openat", "unlink")
MOST_CALLS = 400
KILLS_A_FILM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a film took."""

    written: int  # bytes
    on_disk: int | None  # bytes that reached a disk of its own
    tracks_s: float
    size: int  # of the published tracks


def ten_minutes() -> Path:
    """Return the film of the comparison."""
    folder = Path(tempfile.mkdtemp(prefix="kinodom-once-"))
    minute, film = folder / "minute.ts", folder / "film.ts"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25,noise=alls=16:allf=t", "-f", "lavfi", "-i", "sine=440")
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "2600k", "-g", "50", "-c:a", "aac", "-b:a", "128k")
    clips.ffmpeg(*picture, "-t", "60", *coding, "-f", "mpegts", minute)
    clips.ffmpeg("-stream_loop", "9", "-i", minute, "-c", "copy", "-f", "mpegts", film)
    made = clips.in_pieces(film, "once", "v:0,agroup:a", "a:0,agroup:a")
    shutil.rmtree(folder)
    return made


@contextmanager
def own_disk(folder: Path) -> Iterator[tuple[Path, Callable[[], int] | None]]:
    """Mount an ext4 disk in a file, and yield it with a count of the bytes written to it; else the folder alone."""
    image, at = folder / "disk.img", folder / "disk"
    at.mkdir()
    if os.geteuid():
        yield at, None
        return
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, at], check=True)
    try:
        device = subprocess.run(["findmnt", "-no", "SOURCE", at], check=True, capture_output=True, text=True).stdout
        stat = Path("/sys/class/block") / Path(device.strip()).name / "stat"

        def count() -> int:
            os.sync()
            return int(stat.read_text().split()[6]) * 512

        yield at, count
    finally:
        subprocess.run(["umount", at], check=True)


def cost(host: Origin, root: Path, on_disk: Callable[[], int] | None, *, gathered: bool) -> Cost:
    """Fetch and package the film, and say what it took."""
    before, disk_before = written_bytes(), on_disk() if on_disk else 0
    fetched = fetch_from(host, ENTRY, root / "parts", workers=8)
    if not gathered:
        fetched = replace(fetched, tracks=tuple(replace(track, gathered=()) for track in fetched.tracks))
    began_s = time.monotonic()
    first: list[float] = []

    package(fetched, root / "out", progress=lambda done: first.append(time.monotonic()) if done >= 1 else None)
    took_s = (first[-1] if first else time.monotonic()) - began_s
    size = sum(path.stat().st_size for path in (root / "out").glob("*.mp4"))
    shutil.rmtree(root / "parts")
    return Cost(
        written=written_bytes() - before,
        on_disk=on_disk() - disk_before if on_disk else None,
        tracks_s=took_s,
        size=size,
    )


def writes(host: Origin, folder: Path) -> list[tuple[str, float, float]]:
    """Return the goals of writing as (name, value, limit)."""
    with own_disk(folder) as (disk, on_disk):
        ours = cost(host, disk / "once", on_disk, gathered=True)
        usual = cost(host, disk / "twice", on_disk, gathered=False)
    print(
        f"10 min, {ours.size / 1e6:.0f} MB of tracks: adopted in {ours.tracks_s:.2f} s, by ffmpeg in "
        f"{usual.tracks_s:.2f} s; by ffmpeg {usual.written / usual.size:.3f} of their bytes written"
        + (f", {usual.on_disk / usual.size:.3f} on the disk" if usual.on_disk else "")
    )
    goals = [("bytes written / media, fMP4 source", ours.written / ours.size, GOAL_WRITTEN)]
    if ours.on_disk is None:
        print("A disk of its own needs root: not tried.")
        return goals
    return [*goals, ("bytes that reached an ext4 disk / media", ours.on_disk / ours.size, GOAL_WRITTEN)]


def sums(fetched: Fetched, out: Path) -> list[str]:
    """Package, and return the sums of the tracks; the fetched parts and the package are deleted."""
    package(fetched, out)
    return [file_sum(path) for path in sorted(out.glob("*.mp4"))]


def at_random(host: Origin, folder: Path, count: int) -> list[tuple[str, float, float]]:
    """Kill processes that fetch the film at random moments."""
    wrong, worst = 0, 0.0
    right = fetch_from(host, ENTRY, folder / "right")
    host.pace = lambda: host.gate.wait(0.003)
    for number in range(count // KILLS_A_FILM):
        parts = folder / f"film{number}"
        host.sent_bytes = 0
        for _ in range(KILLS_A_FILM):
            fetch_and_kill(host, ENTRY, parts, requests=random.randint(2, 80), later_s=random.uniform(0, 0.3))
        fetched = fetch_from(host, ENTRY, parts)
        wrong += sum_of(fetched) != sum_of(right) or not all(track.gathered for track in fetched.tracks)
        worst = max(worst, host.sent_bytes / right.total_bytes)
        shutil.rmtree(parts)
    return [
        (f"wrong of {count // KILLS_A_FILM} films, each killed {KILLS_A_FILM} times", wrong, 0),
        ("bytes fetched / film, at worst", worst, GOAL_SENT),
    ]


def at_every_call(folder: Path) -> list[tuple[str, float, float]]:
    """Kill the thread that gathers, and the one that packages, at every system call that touches a file."""
    points = wrong = 0
    with origin.origin() as host:
        host.put(clips.film_apart())
        right = sums(fetch_from(host, ENTRY, folder / "right"), folder / "right-out")
        for packages, names in ((False, FETCH_CALLS), (True, PACKAGE_CALLS)):
            for name in names:
                for call in range(1, MOST_CALLS):
                    root = folder / f"{name}-{call}-{packages}"
                    if not killed_at(partial(_work, host, root, packages=packages), name, call):
                        break
                    points += 1
                    wrong += sums(fetch_from(host, ENTRY, root / "parts"), root / "again") != right
                    shutil.rmtree(root)
    return [(f"wrong of {points} films killed at a system call", wrong if points else 1, 0)]


def _work(host: Origin, root: Path, *, packages: bool) -> None:
    fetched = fetch_from(host, ENTRY, root / "parts")
    if packages:
        package(fetched, root / "out")


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="at random moments (40)")
    parser.add_argument("--calls", action="store_true", help="also at every system call: some minutes")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as folder:
        with origin.origin() as host:
            film = ten_minutes()
            host.put(film)
            shutil.rmtree(film)
            goals = writes(host, Path(folder)) + at_random(host, Path(folder) / "random", chosen.kills)
        if chosen.calls:
            goals += at_every_call(Path(folder) / "calls")
    for name, value, limit in goals:
        print(f"{'holds ' if value <= limit else 'MISSED'} {name:<46} {value:8.3f}  goal <= {limit:g}")
    return 0 if all(value <= limit for _name, value, limit in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
