"""A hundred kills of downloads, over five kinds of film: each time the same film, and hardly a byte sent twice."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from kinodom_downloader.adapters.planner import CHUNK_BYTES
from tests.support import fetch_child, media, origin
from tests.support.fetching import fetch_from, sum_of
from tests.support.media import ffmpeg
from tests.support.origin import Origin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GOAL = 1.05
LENGTH_S = 300  # in pieces of a second
WORKERS = 2
FILMS, KILLS = 5, 4  # of each kind, and of each film
PACE_S = 0.0005  # before each answer or chunk of it that the host sends
HEAD_BYTES = CHUNK_BYTES // 2
RUNS = multiprocessing.get_context("forkserver")
RUNS.set_forkserver_preload(["tests.support.fetch_child"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One kind of film, as a host has it."""

    files: dict[str, bytes]
    entry: str
    truth: str  # sum of what must come
    largest: int  # bytes of a piece

    @property
    def size(self) -> int:
        """Return the bytes of all that is sent for it once."""
        return sum(map(len, self.files.values()))

    @property
    def bound(self) -> float:
        """Return the share that may be sent at the most: a kill costs what is under way.

        The list comes twice in each run, to see what it is and to be read; of a film the head comes, and the host has
        sent some more of it before it sees that nobody reads on.
        """
        again = (
            (2 * KILLS + 1) * len(self.files[self.entry]) if self.largest < CHUNK_BYTES else (KILLS + 1) * HEAD_BYTES
        )
        return 1 + (KILLS * WORKERS * self.largest + again) / self.size


@cache
def whole() -> Path:
    """Return five minutes of picture and sound, a key frame every second."""
    path = media.media_folder() / "five-minutes.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=192x108:rate=12:duration={LENGTH_S},noise=alls=8:allf=t"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={LENGTH_S}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "12", "-keyint_min", "12"),
        *("-sc_threshold", "0", "-b:v", "200k", "-maxrate", "200k", "-bufsize", "50k", "-c:a", "aac", "-b:a", "48k"),
        *("-movflags", "+faststart", path),
    )
    return path


def made(name: str, entry: str, *words: str | Path) -> dict[str, bytes]:
    """Return the files that ffmpeg makes of the film, by their paths."""
    folder = media.media_folder() / name
    folder.mkdir()
    ffmpeg("-i", whole(), "-c", "copy", *words, folder / entry)
    return {f"/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


def hls(name: str, *words: str | Path) -> dict[str, bytes]:
    return made(name, "index.m3u8", "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", *words)


def joined(files: dict[str, bytes], *patterns: str) -> str:
    """Return the sum of the files of these patterns, one after the other."""
    return hashlib.sha256(b"".join(files[name] for name in patterns)).hexdigest()


@cache
def ts() -> Film:
    files = hls("kills-ts")
    names = [f"/index{number}.ts" for number in range(len(files) - 1)]
    return Film(
        files=files, entry="/index.m3u8", truth=joined(files, *names), largest=max(len(files[name]) for name in names)
    )


@cache
def aes() -> Film:
    words = media.media_folder() / "kills-key.txt"
    key = media.media_folder() / "kills.key"
    key.write_bytes(media.KEY)
    words.write_text(f"key.bin\n{key}\n")
    files = hls("kills-aes", "-hls_key_info_file", words) | {"/key.bin": media.KEY}
    return Film(
        files=files,
        entry="/index.m3u8",
        truth=ts().truth,
        largest=max(len(body) for name, body in files.items() if name.endswith(".ts")),
    )


@cache
def fmp4() -> Film:
    files = hls("kills-fmp4", "-hls_segment_type", "fmp4", "-hls_flags", "single_file")
    rows = files["/index.m3u8"].decode().splitlines()
    lengths = [int(row.partition(":")[2].partition("@")[0]) for row in rows if row.startswith("#EXT-X-BYTERANGE")]
    assert any("BYTERANGE" in row for row in rows if row.startswith("#EXT-X-MAP"))
    return Film(files=files, entry="/index.m3u8", truth=joined(files, "/index.m4s"), largest=max(lengths))


@cache
def dash() -> Film:
    files = made("kills-dash", "manifest.mpd", "-f", "dash", "-seg_duration", "1")
    with origin.origin() as host:  # its tracks come with an index that the files at the host do not have
        host.files = files
        truth = sum_of(fetch_from(host, "/manifest.mpd", media.media_folder() / "kills-dash-whole", delivery="dash"))
    largest = max(len(body) for name, body in files.items() if name.startswith("/chunk"))
    return Film(files=files, entry="/manifest.mpd", truth=truth, largest=largest)


@cache
def mp4() -> Film:
    film = whole().read_bytes()
    free = 220 * CHUNK_BYTES - len(film)  # the pieces of a file are large
    body = film + free.to_bytes(4) + b"free" + random.Random(1).randbytes(CHUNK_BYTES) * (free // CHUNK_BYTES + 1)
    files = {"/film.mp4": body[: 220 * CHUNK_BYTES]}
    return Film(files=files, entry="/film.mp4", truth=joined(files, "/film.mp4"), largest=CHUNK_BYTES)


def fetch_and_kill(host: Origin, film: Film, folder: Path, at_bytes: int) -> int | None:
    """Run the engine in a process of its own and kill it when the host has sent so much; return how it ended."""
    reached = threading.Event()

    def paced() -> None:
        if host.sent_bytes >= at_bytes:
            reached.set()
        host.gate.wait(PACE_S)

    host.pace = paced
    child = RUNS.Process(target=fetch_child.main, args=(host.address, film.entry, str(folder), WORKERS))
    child.start()
    assert reached.wait(60)
    child.kill()
    child.join()
    host.pace = lambda: None
    return child.exitcode


@pytest.mark.parametrize("kind", [ts, aes, fmp4, dash, mp4], ids=lambda kind: str(kind.__name__))
def test_twenty_kills_of_each_kind_leave_the_same_film_for_hardly_more_bytes(
    kind: Callable[[], Film], tmp_path: Path
) -> None:
    chance, film = random.Random(kind.__name__), kind()
    ends: list[int | None] = []
    shares = []
    for number in range(FILMS):
        with origin.origin() as host:
            host.files = dict(film.files)
            host.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, origin.CHUNK_BYTES)  # of all its connections
            for kill in range(KILLS):
                moment = film.size * (kill + chance.random()) / (KILLS + 0.5)
                ends.append(fetch_and_kill(host, film, tmp_path / str(number), int(moment)))
            fetched = fetch_from(host, film.entry, tmp_path / str(number), delivery="progressive", workers=WORKERS)
            assert sum_of(fetched) == film.truth
            shares.append(host.sent_bytes / film.size)

    assert ends == [-9] * FILMS * KILLS
    assert film.bound <= GOAL
    assert max(shares) <= film.bound
