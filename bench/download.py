"""One film fetched by the engine, by `curl -Z` and by `yt-dlp -N 16`, from one host: `make bench-download`.

The film is ten minutes of 720p as HLS, plain and with AES-128; the host serves it bare, with 50 ms before each answer
and 100 ms more on a new connection, with 2 MB/s a connection, with a fifth of the requests for segments going wrong,
and as 20 000 segments of 10 kB. Every run has a fresh host and a fresh folder, the order is shuffled; but the many
segments come first and yt-dlp's last of them, as it deletes its own, and for minutes after that ext4 takes far longer
for each new file. What came is joined and compared by its hash, never by an exit code. Times and processor times are
the best of the runs, memory (PSS) is the most, and one wrong run is wrong.

The engine's clock starts when its process has started, as workers run all the time; yt-dlp is started for each film,
and both starts are printed. Its memory is that of a process with the engine alone, as the others' is of programs that
do nothing but fetch; a worker of the house holds the queue, the store and the shapes of the wire beside it, which are
printed at the end. curl gets the addresses of the segments and reads no playlist; it opens no locks either.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.kill import segment
from bench.measured import Cost, idle_mb, run, run_ready
from tests.support.media import ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS: Final = 16
MANY: Final = 20_000
WORKER: Final = "kinodom_downloader.worker"
TOOLS: Final = ("kinodom", "curl", "yt-dlp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to serve the film."""

    film: str  # folder
    trouble: tuple[str, ...] = ()  # words for the host
    runs: int = 3


WAYS: Final = {
    "many": Way(film="many", runs=1),
    "bare": Way(film="ts"),
    "50 ms": Way(film="ts", trouble=("--delay-ms", "50", "--connect-ms", "100")),
    "2 MB/s": Way(film="ts", trouble=("--delay-ms", "50", "--connect-ms", "100", "--cap-mb", "2"), runs=1),
    "AES-128": Way(film="aes"),
    "faults": Way(film="ts", trouble=("--delay-ms", "20", "--faults", "20")),
}


@dataclass(slots=True)
class Results:
    """What all runs of one tool for one way took."""

    costs: list[Cost] = field(default_factory=list)
    wrong: int = 0

    @property
    def wall_s(self) -> float:
        """Return the best."""
        return min(cost.wall_s for cost in self.costs)

    @property
    def cpu_s(self) -> float:
        """Return the best."""
        return min(cost.cpu_s for cost in self.costs)

    @property
    def peak_mb(self) -> float:
        """Return the most."""
        return max(cost.peak_mb for cost in self.costs)


def make_film(root: Path, minutes: int) -> None:
    """Make one minute of 720p with noise in it, and the film that repeats it, as HLS in `ts` and `aes`."""
    minute = root / "minute.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=60,noise=alls=12:allf=t"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=60"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-sc_threshold", "0"),
        *("-b:v", "2600k", "-maxrate", "2600k", "-bufsize", "2600k", "-c:a", "aac", "-b:a", "128k", minute),
    )
    whole = root / "film.ts"
    ffmpeg("-stream_loop", str(minutes - 1), "-i", minute, "-c", "copy", "-f", "mpegts", whole)
    key = root / "key.bin"
    key.write_bytes(bytes(range(16)))
    (root / "key.txt").write_text(f"key.bin\n{key}\n")
    for name, lock in (("ts", ()), ("aes", ("-hls_key_info_file", root / "key.txt"))):
        folder = root / name
        folder.mkdir()
        cut = ("-hls_time", "6", "-hls_playlist_type", "vod", "-hls_segment_filename", folder / "seg%d.ts")
        ffmpeg("-i", whole, "-c", "copy", "-f", "hls", *cut, *lock, folder / "index.m3u8")
    (root / "aes" / "key.bin").write_bytes(key.read_bytes())


def make_many(root: Path, count: int) -> None:
    """Make a film of very many very short segments."""
    folder = root / "many"
    folder.mkdir()
    for index in range(count):
        (folder / f"seg{index}.ts").write_bytes(segment(index, 53))
    rows = "".join(f"#EXTINF:2,\nseg{index}.ts\n" for index in range(count))
    (folder / "index.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{rows}#EXT-X-ENDLIST\n")


@contextlib.contextmanager
def host(folder: Path, trouble: tuple[str, ...]) -> Iterator[str]:
    """Run a fresh host; yield its address."""
    words = [sys.executable, "-m", "bench.media_host", str(folder), *trouble]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def in_order(paths: Iterator[Path]) -> list[Path]:
    """Return files by the number in their names."""
    return sorted(paths, key=lambda path: int(re.sub(r"\D", "", path.stem)))


def sum_of(paths: list[Path]) -> str:
    """Return the hash of files joined."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def with_kinodom(address: str, folder: Path, _source: Path) -> tuple[Cost, list[Path]]:
    """Fetch with the engine."""
    words = [sys.executable, "-m", "bench.download_child", f"{address}/index.m3u8", str(folder), str(CONNECTIONS)]
    cost, start_s = run_ready(words, cwd=Path.cwd())
    STARTS["kinodom"] = min(STARTS.get("kinodom", start_s), start_s)
    return cost, in_order((folder / "t0").glob("*.seg"))


def with_curl(address: str, folder: Path, source: Path) -> tuple[Cost, list[Path]]:
    """Fetch with curl, which gets the list of addresses."""
    names = [path.name for path in in_order(source.glob("seg*"))]
    listed = folder / "curl.txt"
    listed.write_text("".join(f'url = "{address}/{name}"\noutput = "{name}"\n' for name in names))
    retry = ("--retry", "10", "--retry-all-errors", "--fail")
    words = ["curl", "-sZ", "--no-progress-meter", "--parallel-max", str(CONNECTIONS), *retry, "-K", str(listed)]
    return run(words, cwd=folder), in_order(folder.glob("seg*"))


def with_ytdlp(address: str, folder: Path, _source: Path) -> tuple[Cost, list[Path]]:
    """Fetch with yt-dlp."""
    options = ("--ignore-config", "--no-cache-dir", "--no-progress", "-q", "--fixup", "never", "--no-mtime")
    program = (sys.executable, "-m", "yt_dlp", *options, "-N", str(CONNECTIONS), "-o", "film.bin")
    return run([*program, f"{address}/index.m3u8"], cwd=folder), list(folder.glob("film.bin"))


RUNNERS: Final[dict[str, Callable[[str, Path, Path], tuple[Cost, list[Path]]]]] = {
    "kinodom": with_kinodom,
    "curl": with_curl,
    "yt-dlp": with_ytdlp,
}
STARTS: Final[dict[str, float]] = {}


def one_run(tool: str, source: Path, way: Way, results: Results, root: Path) -> None:
    """Fetch once, and judge what came."""
    folder = Path(tempfile.mkdtemp(dir=root))
    with host(source, way.trouble) as address:
        cost, files = RUNNERS[tool](address, folder, source)
        plain = source.parent / ("ts" if way.film == "aes" and tool != "curl" else way.film)  # curl opens no locks
        same = bool(files) and sum_of(files) == sum_of(in_order(plain.glob("seg*")))
    if way.film != "many":
        shutil.rmtree(folder)
    results.costs.append(cost)
    results.wrong += not same


def told(way: str, results: dict[str, Results]) -> bool:
    """Print the rows of one way and the goals; return whether all of them hold."""
    for tool, its in results.items():
        truth = "identical" if not its.wrong else f"WRONG in {its.wrong} of {len(its.costs)}"
        print(f"{way:>8} {tool:>8} {its.wall_s:8.2f} s {its.cpu_s:8.2f} s {its.peak_mb:7.0f} MB  {truth}")
    ours = results["kinodom"]
    goals: list[tuple[str, float, float]] = [("identical", float(ours.wrong), 0.0)]
    if (peer := results.get("yt-dlp")) is not None:
        if way == "many":
            goals.append(("wall of yt-dlp", ours.wall_s / peer.wall_s, 0.1))
        elif way == "faults":
            goals.append(("wall of yt-dlp", ours.wall_s / peer.wall_s, 0.3))
        else:
            goals.append(("processor time of yt-dlp", ours.cpu_s / peer.cpu_s, 0.25))
            goals.append(("memory of yt-dlp", ours.peak_mb / peer.peak_mb, 0.3))
    if (curl := results.get("curl")) is not None and way in ("bare", "50 ms", "2 MB/s"):
        goals.append(("wall of curl", ours.wall_s / curl.wall_s, 1.15))
    if way == "many":
        goals.append(("memory, MB", ours.peak_mb, 60.0))
    for name, value, goal in goals[1:]:
        print(f"{'':>8} {'':>8} {value:8.2f} {name}; goal {goal:g}: {'holds' if value <= goal else 'NOT REACHED'}")
    sys.stdout.flush()
    return all(value <= goal for _, value, goal in goals)


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10, help="length of the film (10)")
    parser.add_argument("--many", type=int, default=MANY, help=f"how many short segments ({MANY})")
    parser.add_argument("--only", action="append", choices=WAYS, help="this way; may be given again")
    parser.add_argument("--against", default=",".join(TOOLS[1:]), help="peers (curl,yt-dlp)")
    parser.add_argument("--runs", type=int, help="of each tool for each way")
    chosen = parser.parse_args()
    tools = ["kinodom", *(name for name in chosen.against.split(",") if name)]
    ways = {name: WAYS[name] for name in chosen.only or WAYS}
    hold = True
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as name:
        root = Path(name)
        if any(way.film != "many" for way in ways.values()):
            make_film(root, chosen.minutes)
        if "many" in ways:
            make_many(root, chosen.many)
        print(f"{'way':>8} {'tool':>8} {'wall':>10} {'processor':>10} {'memory':>10}")
        for label, way in ways.items():
            results = {tool: Results() for tool in tools}
            for _ in range(chosen.runs or way.runs):
                for tool in tools if label == "many" else random.sample(tools, len(tools)):
                    one_run(tool, root / way.film, way, results[tool], root)
            hold = told(label, results) and hold
        if "yt-dlp" in tools:
            start = run([sys.executable, "-m", "yt_dlp", "--ignore-config", "--version"], cwd=root)
            print(f"starts: the engine {STARTS['kinodom']:.2f} s, once; yt-dlp {start.wall_s:.2f} s, for each film")
    engine_mb, worker_mb = (idle_mb(module) for module in ("kinodom_downloader.adapters.engine", WORKER))
    print(f"idle: the engine {engine_mb:.0f} MB; a worker, which has it and all the rest, {worker_mb:.0f} MB")
    return 0 if hold else 1


if __name__ == "__main__":
    sys.exit(main())
