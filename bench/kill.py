"""`kill -9` at random moments, then a run to the end: `make bench-kill`, the full goal `python -m bench.kill --n 1000`.

One film after another is fetched by a process that is killed several times on the way. In the end the bytes must be
the truth and the host must have sent at most 1.05 times the film, each film by itself. Bytes are counted at the host,
chunk by chunk as they leave it. A film has 60 segments of 1.9 MB, about six minutes of 720p; `--segments` and
`--segment-kb` make others.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.support import origin
from tests.support.fetching import fetch_from, sum_of
from tests.support.origin import Answer, Origin

GOAL = 1.05
SEGMENTS = 60
SEGMENT_KB = 1880
KILLS_A_FILM = 4
MOMENT_S = 0.3
PACE_S = 0.01  # of each chunk: 6.5 MB/s a connection, so that a kill finds something under way


@dataclass(frozen=True, slots=True)
class Result:
    """One film."""

    identical: bool
    sent: int
    size: int


def segment(index: int, packets: int) -> bytes:
    """Return packets of MPEG-TS without a stream, different for each segment."""
    filling = hashlib.sha512(str(index).encode()).digest() * 3
    return b"".join(b"\x47\x1f\xff\x10" + filling[:180] + at.to_bytes(4) for at in range(packets))


def put_film(host: Origin, segments: int, segment_kb: int) -> bytes:
    """Serve a film, and return it."""
    parts = [segment(index, max(1, segment_kb * 1000 // 188)) for index in range(segments)]
    rows = [f"#EXTINF:2,\nseg{index}.ts" for index in range(segments)]
    host.files["/index.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
    host.files |= {f"/seg{index}.ts": part for index, part in enumerate(parts)}
    return b"".join(parts)


def fetch_and_kill(host: Origin, folder: Path, after: int) -> None:
    """Run the engine in a process of its own and kill it some moments after so many more requests."""
    reached = threading.Event()
    until = sum(host.asked.values()) + after

    def counted(_answer: Answer, _number: int) -> bool:
        if sum(host.asked.values()) >= until:
            reached.set()
        return False

    host.faults["*"] = counted
    words = [sys.executable, "-m", "tests.support.fetch_child", host.address, "/index.m3u8", str(folder)]
    child = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        if not reached.wait(60):
            sys.exit("bench-kill: the engine did not get on within a minute")
        threading.Event().wait(random.uniform(0, MOMENT_S))
    finally:
        child.kill()
        child.wait()
        host.faults.clear()


def one_film(kills: int, segments: int, segment_kb: int) -> Result:
    """Fetch a film through some kills."""
    with origin.origin() as host, tempfile.TemporaryDirectory() as name:
        host.pace = lambda: host.gate.wait(PACE_S)
        film = put_film(host, segments, segment_kb)
        for _ in range(kills):
            room = segments // (KILLS_A_FILM + 1)
            fetch_and_kill(host, Path(name), random.randint(2, room))
        fetched = fetch_from(host, "/index.m3u8", Path(name))
        same = sum_of(fetched) == hashlib.sha256(film).hexdigest()
        return Result(same, host.sent_bytes, len(film))


def main() -> int:
    """Print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20, help="how many kills (20)")
    parser.add_argument("--segments", type=int, default=SEGMENTS, help=f"of a film ({SEGMENTS})")
    parser.add_argument("--segment-kb", type=int, default=SEGMENT_KB, help=f"size of a segment ({SEGMENT_KB})")
    parser.add_argument("--seed", type=int, default=None, help="the same moments again")
    chosen = parser.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    random.seed(seed)
    results: list[Result] = []
    left = chosen.n
    while left > 0:
        kills = min(KILLS_A_FILM, left)
        results.append(one_film(kills, chosen.segments, chosen.segment_kb))
        left -= kills
        last = results[-1]
        told = "identical" if last.identical else "WRONG"
        sys.stdout.write(f"{kills} kills: {told}, {last.sent / last.size:.3f} of the film's bytes sent\n")
        sys.stdout.flush()
    worst = max(result.sent / result.size for result in results)
    whole = sum(result.sent for result in results) / sum(result.size for result in results)
    same = sum(result.identical for result in results)
    sys.stdout.write(
        f"\n{chosen.n} kills, seed {seed}: {same} of {len(results)} films identical; bytes sent {whole:.3f} of the "
        f"films on average, {worst:.3f} at worst; goal all, and {GOAL}\n"
    )
    return 0 if same == len(results) and worst <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
