"""Sources in fragmented MP4 are written once: pieces are gathered into the file that is published."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from kinodom_common.contracts.offers import Delivery
from kinodom_common.processes import Command, Finished, run
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.sample_tables import read_samples
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.fetched import Fetched
from tests.support import clips, media, origin
from tests.support.fetching import fetch_from
from tests.support.origin import Origin
from tests.support.shelved import a_track
from tests.support.written import written_bytes

pytestmark = pytest.mark.slow


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


class Programs:
    """Runs programs and notes how often tracks were written by one."""

    def __init__(self) -> None:
        self.packaged = 0

    def __call__(self, command: Command, **options: Any) -> Finished:
        self.packaged += any("+cmaf" in word for word in command.arguments)
        return run(command, **options)


def made_of(fetched: Fetched, out: Path) -> int:
    """Package, and return how often ffmpeg wrote tracks."""
    programs = Programs()
    package(fetched, out, run=programs)
    return programs.packaged


def samples_of(path: Path) -> list[str]:
    """Return the coded samples of a track in their order, without times."""
    return [line.rsplit(",", 2)[1] + line.rsplit(",", 2)[2] for line in media.packets_of(path)]


def parts_of(folder: Path, init: str, pattern: str) -> list[Path]:
    """Return an init section and its segments in their order."""
    return [folder / init, *sorted(folder.glob(pattern), key=lambda path: int(path.stem.rpartition("-")[2]))]


def apart(host: Origin) -> None:
    host.put(clips.film_apart())


def test_separate_picture_and_sound_become_the_published_files_as_they_lie_there(host: Origin, tmp_path: Path) -> None:
    apart(host)
    fetched = fetch_from(host, "/master.m3u8", tmp_path / "parts")

    runs = made_of(fetched, tmp_path / "out")

    assert runs == 0
    source = clips.film_apart()
    for file, parts in {
        "v.mp4": parts_of(source, "init-0.mp4", "s0-*.m4s"),
        "a-und.mp4": parts_of(source, "init-1.mp4", "s1-*.m4s"),
    }.items():
        joined = tmp_path / f"source-{file}"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        assert samples_of(tmp_path / "out" / file) == samples_of(joined)
    assert (tmp_path / "out" / "sprite-0.jpg").stat().st_size > 500


def test_times_are_those_that_ffmpeg_writes_for_the_same_source(host: Origin, tmp_path: Path) -> None:
    apart(host)
    fetched = fetch_from(host, "/master.m3u8", tmp_path / "parts")
    plain = replace(fetched, tracks=tuple(replace(track, gathered=()) for track in fetched.tracks))
    assert made_of(plain, tmp_path / "usual") == 2

    made_of(fetched, tmp_path / "out")

    for file in ("v.mp4", "a-und.mp4"):
        ours, usual = (read_track(tmp_path / name / file).index for name in ("out", "usual"))
        assert ours.start_s == pytest.approx(usual.start_s, abs=0.001)
        assert ours.end_s == pytest.approx(usual.end_s, abs=0.001)
        (_, mine), (_, theirs) = (read_samples(tmp_path / name / file) for name in ("out", "usual"))
        assert list(mine.offsets) == list(theirs.offsets)
        assert sum(mine.durations) / mine.timescale == pytest.approx(sum(theirs.durations) / theirs.timescale)
    late_s = (
        read_track(tmp_path / "out" / "a-und.mp4").index.start_s - read_track(tmp_path / "out" / "v.mp4").index.start_s
    )
    assert late_s == pytest.approx(clips.AUDIO_LATE_S - 1024 / 44_100, abs=0.001)


def test_each_byte_of_a_film_reaches_the_disk_once(host: Origin, tmp_path: Path) -> None:
    host.put(clips.heavy_apart())
    before = written_bytes()

    fetched = fetch_from(host, "/master.m3u8", tmp_path / "parts")
    package(fetched, tmp_path / "out")

    written = written_bytes() - before
    size = sum(path.stat().st_size for path in (tmp_path / "out").glob("*.mp4"))
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 3
    assert size < written < 1.05 * size


def locked(folder: Path) -> Path:
    """Return the film of `film_apart` with AES-128, the init sections too."""
    made = folder / "locked"
    shutil.copytree(clips.film_apart(), made)
    (made / "key.bin").write_bytes(media.KEY)
    for piece in (*made.glob("init*.mp4"), *made.glob("*.m4s")):
        padder, cipher = PKCS7(128).padder(), Cipher(algorithms.AES(media.KEY), modes.CBC(bytes(16))).encryptor()
        padded = padder.update(piece.read_bytes()) + padder.finalize()
        piece.write_bytes(cipher.update(padded) + cipher.finalize())
    for playlist in made.glob("l*.m3u8"):
        key = f'#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x{0:032x}\n#EXT-X-MAP'
        playlist.write_text(playlist.read_text().replace("#EXT-X-MAP", key))
    return made


def on_demand(folder: Path) -> Path:
    """Return the film of `film_ts` as DASH with one file for each track and an index in front of it."""
    parts = fetched_parts("ts", clips.film_ts())
    package(parts, folder / "dash")
    return folder / "dash"


def picture_alone(_folder: Path) -> Path:
    return clips.in_pieces(clips.film_ts(), "picture", "v:0")


def sound_alone(_folder: Path) -> Path:
    return clips.in_pieces(clips.film_ts(), "sound", "a:0")


def fetched_parts(container: Any, *parts: Path) -> Fetched:
    return Fetched(tracks=(a_track(container, *parts),), duration_s=None, total_bytes=0)


SHAPES: dict[str, tuple[Callable[[Path], Path], str, Delivery, int]] = {
    "locked": (locked, "/master.m3u8", "hls", 2),
    "dash_template": (lambda _folder: media.dash_template(), "/manifest.mpd", "dash", 2),
    "dash_on_demand": (on_demand, "/manifest.mpd", "dash", 2),
    "picture_alone": (picture_alone, "/l0.m3u8", "hls", 1),
    "sound_alone": (sound_alone, "/l0.m3u8", "hls", 1),
    "two_sounds": (lambda _folder: clips.heavy_apart(), "/master.m3u8", "hls", 3),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_such_sources_is_adopted(host: Origin, tmp_path: Path, shape: str) -> None:
    make, entry, delivery, tracks = SHAPES[shape]
    host.put(make(tmp_path))
    fetched = fetch_from(host, entry, tmp_path / "parts", delivery=delivery)
    plain = replace(fetched, tracks=tuple(replace(track, gathered=()) for track in fetched.tracks))
    made_of(plain, tmp_path / "usual")

    runs = made_of(fetched, tmp_path / "out")

    assert runs == 0
    files = sorted(path.name for path in (tmp_path / "out").glob("*.mp4"))
    assert len(files) == tracks
    for file in files:
        assert samples_of(tmp_path / "out" / file) == samples_of(tmp_path / "usual" / file)
        ours, usual = (read_track(tmp_path / name / file).index for name in ("out", "usual"))
        assert ours.start_s == pytest.approx(usual.start_s, abs=0.001)
        assert ours.end_s == pytest.approx(usual.end_s, abs=1024 / 44_100)  # ffmpeg makes the last frame a whole one
