from __future__ import annotations

import os
from pathlib import Path

import pytest

from kinodom_common.processes import Command, ProgramFailed
from kinodom_demo.films import film_of
from kinodom_demo.making import Shelf
from tests.support.child_processes import python

ASK_FOR_A_FILM = """
import sys
from pathlib import Path
from kinodom_demo.films import film_of
from kinodom_demo.making import Shelf

root = Path(sys.argv[1])

def encoder(command, folder):
    with (root / "made").open("a") as log:
        log.write("once\\n")
    print("begun", flush=True)

    if sys.argv[2] == "first":
        (root / "gate").open().read()  # blocks until the test opens the other end of the pipe
    (folder / "master.m3u8").write_text("#EXTM3U\\n#EXT-X-STREAM-INF:BANDWIDTH=1\\n360.m3u8\\n")

film = film_of("the-tin-lighthouse")
print("asking", flush=True)
print(Shelf(root, seconds=8, encoder=encoder).part(film, film.versions[0], 1), flush=True)
"""


class Failing:
    """An encoder that leaves half a film and fails, until it is repaired."""

    def __init__(self) -> None:
        self.broken = True
        self.calls = 0

    def __call__(self, command: Command, folder: Path) -> None:
        self.calls += 1
        assert not list(folder.glob("half*"))
        if self.broken:
            (folder / "half.ts").write_bytes(b"x")
            raise ProgramFailed("ffmpeg ended with 1")
        (folder / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n360.m3u8\n")


def test_two_processes_that_ask_at_once_make_it_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    first = python(ASK_FOR_A_FILM, str(tmp_path), "first")
    assert first.stdout is not None
    assert [first.stdout.readline() for _ in range(2)] == ["asking\n", "begun\n"]
    second = python(ASK_FOR_A_FILM, str(tmp_path), "second")
    assert second.stdout is not None
    assert second.stdout.readline() == "asking\n"

    (tmp_path / "gate").write_text("go")
    answers = [process.communicate(timeout=60) for process in (first, second)]

    folder = tmp_path / "8s-1" / "the-tin-lighthouse-prichal-1"
    assert [out.splitlines()[-1] for out, _ in answers] == [str(folder), str(folder)], answers
    assert (tmp_path / "made").read_text() == "once\n"


def test_a_film_that_failed_is_not_shown_and_made_anew_the_next_time(tmp_path: Path) -> None:
    film = film_of("the-tin-lighthouse")
    assert film is not None
    encoder = Failing()
    shelf = Shelf(tmp_path, seconds=8, encoder=encoder)
    with pytest.raises(ProgramFailed):
        shelf.part(film, film.versions[0], 1)
    assert not shelf.folder(film, film.versions[0], 1).exists()
    encoder.broken = False

    folder = shelf.part(film, film.versions[0], 1)

    assert sorted(path.name for path in folder.iterdir()) == ["en.m3u8", "en.vtt", "master.m3u8", "ru.m3u8", "ru.vtt"]
    assert encoder.calls == 2


def test_another_length_lies_in_another_folder(tmp_path: Path) -> None:
    film = film_of("paper-fleet")
    assert film is not None

    folders = {Shelf(tmp_path, seconds=seconds).folder(film, film.versions[0], 1) for seconds in (8, 40)}

    assert len(folders) == 2
