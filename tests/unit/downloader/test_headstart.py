"""The usual film is begun before it is known to be usual."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kinodom_common.processes import Command, Finished, ProgramFailed, ProgramStopped, run
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack
from tests.support import clips
from tests.support.shelved import a_track

pytestmark = pytest.mark.slow

SOUND_FIRST = ("-map", "1:a", "-map", "0:v", "-c:v", "libx264", "-c:a", "aac")


def fetched(*tracks: FetchedTrack) -> Fetched:
    return Fetched(tracks=tracks, duration_s=None, total_bytes=0)


class Muxings:
    """A runner that counts how often tracks are written from a source, and holds ffprobe until one has ended."""

    def __init__(self, *, probe_waits: bool = False) -> None:
        self.count = 0
        self.ended = threading.Event()
        self._probe_waits = probe_waits

    def __call__(self, command: Command, **options: Any) -> Finished:
        is_one = "+dash+cmaf+global_sidx+frag_discont+delay_moov+skip_trailer" in command.arguments
        self.count += is_one
        if command.program == "ffprobe" and self._probe_waits:
            assert self.ended.wait(60)
        try:
            return run(command, **options)
        finally:
            if is_one:
                self.ended.set()


def lengths_s(folder: Path) -> dict[str, float]:
    return {path.name: read_track(path).index.end_s for path in folder.glob("*.mp4")}


@pytest.mark.parametrize("parts", [clips.film_ts_parts, lambda: (clips.film_ts(),)], ids=["segments", "one file"])
def test_a_usual_film_is_written_once_and_before_the_look_at_it_has_ended(parts: Any, tmp_path: Path) -> None:
    muxings = Muxings(probe_waits=True)

    package(fetched(a_track("ts", *parts())), tmp_path / "out", run=muxings)

    assert muxings.count == 1
    assert lengths_s(tmp_path / "out") == pytest.approx({"v.mp4": 24.0, "a-und.mp4": 24.0}, abs=0.1)


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("early-ac3.ts", ("-c:v", "libx264", "-c:a", "ac3")),
        ("early-mpeg2.ts", ("-c:v", "mpeg2video", "-c:a", "aac")),
        ("early-order.ts", SOUND_FIRST),
    ],
    ids=["another sound", "another picture", "the sound first"],
)
def test_what_was_begun_in_vain_is_left_and_the_film_is_written_as_it_has_to_be(
    name: str, coding: tuple[str, ...], tmp_path: Path
) -> None:
    muxings = Muxings()

    made = package(fetched(a_track("ts", clips.coded(name, *coding))), tmp_path / "out", run=muxings)

    assert muxings.count == 2
    assert [track.codec.partition(".")[0] for track in made.tracks] == ["avc1", "mp4a"]
    assert lengths_s(tmp_path / "out") == pytest.approx({"v.mp4": 6.0, "a-und.mp4": 6.0}, abs=0.15)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_films_wait_for_the_look_at_them(tmp_path: Path) -> None:
    muxings = Muxings()

    package(fetched(a_track("ts", clips.film_ts(), role="video")), tmp_path / "out", run=muxings)

    assert muxings.count == 1


def test_a_film_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    def failing(command: Command, **options: Any) -> Finished:
        if command.program == "ffmpeg":
            return Finished(returncode=1, stderr="it is broken in the middle", stdout=b"")
        return run(command, **options)

    with pytest.raises(ProgramFailed, match="broken in the middle"):
        package(fetched(a_track("ts", clips.film_ts())), tmp_path / "out", run=failing)


def test_a_stop_ends_what_was_begun_too(tmp_path: Path) -> None:
    muxings = Muxings()

    with pytest.raises(ProgramStopped):
        package(fetched(a_track("ts", clips.film_ts())), tmp_path / "out", run=muxings, stopped=lambda: True)

    assert muxings.ended.is_set()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
