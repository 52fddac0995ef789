"""What is made beside the tracks: small pictures for the seek bar, chapters, loudness. None of it can fail a film."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_common.contracts.offers import Skip
from kinodom_common.processes import Command, Finished, ProgramStopped, ProgramTimeout
from kinodom_common.processes import run as run_program
from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.domain.chapters import chapters_of, chapters_vtt, fitting
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack
from kinodom_downloader.domain.thumbnails import COLUMNS, ROWS, grid_of, sprites_vtt
from tests.support import clips
from tests.support.shelved import a_track

pytestmark = pytest.mark.slow
CUE = re.compile(r"(\d+):(\d+):([\d.]+) --> (\d+):(\d+):([\d.]+)\n(sprite-\d+\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)")


def packed(out: Path, *tracks: FetchedTrack, **options: Any) -> Packaged:
    return package(Fetched(tracks=tracks, duration_s=None, total_bytes=0), out, **options)


def grey(picture: Path, box: str) -> int:
    """Return the mean grey of a part of a picture, 0 to 255."""
    command = ["ffmpeg", "-v", "error", "-i", picture, "-vf", f"crop={box},scale=1:1:flags=area,format=gray"]
    shown = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return shown[0]


def steps(name: str, *keys: str) -> Path:
    """Return 40 s of a picture that gets a little lighter each second."""
    colour = "color=black:s=320x180:r=5:d=40,geq=lum='16+floor(T)*5':cb=128:cr=128"
    path = clips.coded("x.mp4", "-an").parent / name
    if not path.exists():
        clips.ffmpeg("-f", "lavfi", "-i", colour, "-c:v", "libx264", "-preset", "ultrafast", *keys, path)
    return path


SHAPES = {"a key frame each second": ("dense.mp4", "-g", "5"), "one key frame in all": ("sparse.mp4", "-g", "9999")}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_seek_bar_shows_the_picture_of_the_moment(shape: str, tmp_path: Path) -> None:
    name, *keys = SHAPES[shape]

    made = packed(tmp_path / "out", a_track("mp4", steps(name, *keys, "-keyint_min", "1", "-sc_threshold", "0")))

    assert made.sprites
    cells = CUE.findall((tmp_path / "out/sprites.vtt").read_text())
    assert len(cells) >= 18
    for cell in cells:
        start_s = int(cell[1]) * 60 + float(cell[2])
        end_s = min(int(cell[4]) * 60 + float(cell[5]), start_s + 2.0)
        x, y, w, h = cell[7:]
        shown_s = grey(tmp_path / "out" / cell[6], f"{w}:{h}:{x}:{y}") * 219 / 255 / 5
        assert start_s - 1.2 <= shown_s <= end_s + 1.2, cell


def test_a_picture_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    def run(command: Command, **options: Any) -> Finished:
        if any("tile=" in word for word in command.arguments):
            (tmp_path / "out/sprite-0.jpg").write_bytes(b"half")
            raise ProgramTimeout("too slow")
        if any("ebur128" in word for word in command.arguments):
            return Finished(returncode=1, stderr="no meter", stdout=b"")
        return run_program(command, **options)

    made = packed(tmp_path / "out", a_track("mp4", clips.film_mp4()), run=run)

    assert not made.sprites
    assert list((tmp_path / "out").glob("sprite*")) == []
    assert [track.loudness_lufs for track in made.tracks if track.kind == "audio"] == [None]


def test_a_worker_that_has_to_stop_stops_there_too(tmp_path: Path) -> None:
    def run(command: Command, *, stopped: Callable[[], bool] = lambda: False, **options: Any) -> Finished:
        if any("tile=" in word for word in command.arguments):
            assert stopped()
            raise ProgramStopped("stopped")
        return run_program(command, **options)

    with pytest.raises(ProgramStopped):
        packed(tmp_path / "out", a_track("mp4", clips.film_mp4()), run=run, stopped=lambda: True)


def test_a_percent_sign_in_the_folder_is_a_percent_sign(tmp_path: Path) -> None:
    folder = tmp_path / "50% %d"
    folder.mkdir()

    assert packed(folder / "out", a_track("mp4", clips.film_mp4())).sprites
    assert (folder / "out/sprite-0.jpg").is_file()


def test_sound_alone_has_no_pictures(tmp_path: Path) -> None:
    assert not packed(tmp_path / "out", a_track("mp4", clips.coded("alone.m4a", "-vn"))).sprites


@pytest.mark.parametrize(("volume_db", "expected"), [(0, -21.7), (-12, -33.7)])
def test_loudness_is_measured(volume_db: int, expected: float, tmp_path: Path) -> None:
    sound = clips.coded(f"loud{volume_db}.mp4", "-af", f"volume={volume_db}dB")

    made = packed(tmp_path / "out", a_track("mp4", sound))

    found = next(track.loudness_lufs for track in made.tracks if track.kind == "audio")
    assert found == pytest.approx(expected, abs=1.5)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    made = packed(tmp_path / "out", a_track("mp4", clips.coded("quiet.mp4", "-af", "volume=0")))

    assert [track.loudness_lufs for track in made.tracks if track.kind == "audio"] == [None]


def test_parts_to_pass_over_become_chapters(tmp_path: Path) -> None:
    skips = (Skip(kind="opening", start_s=2.0, end_s=5.5), Skip(kind="ending", start_s=20.0, end_s=999.0))

    made = packed(tmp_path / "out", a_track("mp4", clips.film_mp4()), skips=skips)

    text = (tmp_path / "out/chapters.vtt").read_text()
    assert "00:00:02.000 --> 00:00:05.500\nOpening" in text
    assert re.findall(r"^[A-Z][a-z]+$", text, re.M) == ["Film", "Opening", "Film", "Ending"]
    assert made.skips[1].end_s == pytest.approx(24.0, abs=0.1)


def test_a_film_without_such_parts_has_no_chapters(tmp_path: Path) -> None:
    packed(tmp_path / "out", a_track("mp4", clips.film_mp4()))

    assert not (tmp_path / "out/chapters.vtt").exists()


SKIPS = st.lists(
    st.builds(
        Skip,
        kind=st.sampled_from(["opening", "ending", "advert"]),
        start_s=st.floats(0, 4000),
        end_s=st.floats(0.001, 4000),
    ),
    max_size=8,
)


@given(skips=SKIPS, duration_s=st.floats(1, 3000))
def test_chapters_lie_behind_each_other_inside_the_film(skips: Sequence[Skip], duration_s: float) -> None:
    kept, chapters = fitting(skips, duration_s), chapters_of(skips, duration_s)

    borders = [border for one in chapters for border in (one.start_s, one.end_s)]
    assert borders == sorted(borders)
    assert all(0 <= one.start_s < one.end_s <= duration_s for one in (*kept, *chapters))
    assert all(one.end_s == other.start_s for one, other in pairwise(chapters))
    assert chapters_vtt(chapters).count("-->") == len(chapters)


@given(
    duration_s=st.floats(0.1, 40_000),
    gap_s=st.floats(0.2, 400),
    size=st.tuples(st.integers(0, 8000), st.integers(0, 8000)),
)
def test_pictures_cover_the_film_on_sheets_that_exist(duration_s: float, gap_s: float, size: tuple[int, int]) -> None:
    keys_s = [number * gap_s for number in range(min(5000, int(duration_s / gap_s) + 1))]

    grid = grid_of(keys_s, duration_s, *size)

    if grid is None:
        assert duration_s < 4 or min(size) <= 0
        return
    cells = CUE.findall(sprites_vtt(grid, duration_s))
    assert 1 <= len(cells) <= 722
    assert {cell[6] for cell in cells} <= {f"sprite-{number}.jpg" for number in range(grid.sheets)}
    assert all(int(cell[7]) < COLUMNS * 240 and int(cell[8]) < ROWS * grid.height_px for cell in cells)
