"""The one runner of programs."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from kinodom_common.media_tools import MediaInput, TrackOutput, file_list, most_listed, package, probe
from kinodom_common.processes import (
    Command,
    Finished,
    Limits,
    NoSpace,
    ProgramFailed,
    ProgramMissing,
    ProgramStopped,
    ProgramTimeout,
    checked,
    run,
)
from tests.support import clips
from tests.support.origin import origin

ENDLESS = Command("ffmpeg", ("-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2", "-f", "null", "-"))


def _children() -> set[int]:
    """Return the processes that this one has started and that still run."""
    return {int(word) for word in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def test_parts_are_streamed_into_the_program_in_their_order() -> None:
    command = probe(MediaInput(path=None, demuxer="mpegts"))

    finished = checked(run(command, timeout_s=30, stdin_parts=clips.film_ts_parts()), "ffprobe")

    codecs = [stream["codec_name"] for stream in json.loads(finished.stdout)["streams"]]
    assert codecs == ["h264", "aac"]


def _said(finished: Finished) -> dict[str, Any]:
    return dict(json.loads(checked(finished, "ffprobe").stdout))


def test_the_files_of_a_list_are_read_as_one_whatever_their_names(tmp_path: Path) -> None:
    parts = []
    for number, one in enumerate(clips.film_ts_parts()):
        folder = tmp_path / f"O'Brien  \\ {number} 'x' #"
        folder.mkdir()
        parts.append(folder / "http:seg.ts ")
        parts[-1].symlink_to(one)
    listed = tmp_path / "it's a list"
    listed.write_text(file_list(parts))

    found = _said(run(probe(MediaInput(path=listed, demuxer="mpegts", listed=True)), timeout_s=30))

    assert found == _said(run(probe(MediaInput(path=clips.film_ts(), demuxer="mpegts")), timeout_s=30))


def test_a_list_names_as_many_files_as_a_child_may_open(tmp_path: Path) -> None:
    whole = clips.film_ts().read_bytes()
    count = min(most_listed(), len(whole) // 188)
    each = -(-len(whole) // 188 // count) * 188
    parts = [tmp_path / f"{number}.ts" for number in range(count)]
    for number, part in enumerate(parts):
        part.write_bytes(whole[number * each : (number + 1) * each])
    listed = tmp_path / "list"
    listed.write_text(file_list(parts))

    found = _said(run(probe(MediaInput(path=listed, demuxer="mpegts", listed=True)), timeout_s=30))

    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac"]
    assert float(found["format"]["duration"]) == pytest.approx(24.0, abs=0.2)


def test_a_list_reads_no_address(tmp_path: Path) -> None:
    with origin() as heard:
        heard.files["/film.ts"] = clips.film_ts().read_bytes()
        (tmp_path / "list").write_text(f"{heard.address}/film.ts\n")

        finished = run(probe(MediaInput(path=tmp_path / "list", demuxer="mpegts", listed=True)), timeout_s=30)

    assert finished.returncode != 0
    assert not heard.connections


def test_a_program_that_takes_too_long_is_killed() -> None:
    before = _children()

    with pytest.raises(ProgramTimeout):
        run(ENDLESS, timeout_s=0.5)

    assert not _children() - before


def test_a_program_ends_when_the_caller_says_stop() -> None:
    before = _children()

    with pytest.raises(ProgramStopped):
        run(ENDLESS, timeout_s=60, stopped=lambda: True)

    assert not _children() - before


def test_an_interrupted_caller_leaves_no_program_behind() -> None:
    before = _children()

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    talkative = Command("ffmpeg", ("-progress", "pipe:1", "-stats_period", "0.1", *ENDLESS.arguments))

    with pytest.raises(KeyboardInterrupt):
        run(talkative, timeout_s=60, on_line=interrupt)

    assert not _children() - before


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    parent = os.fork()
    if parent == 0:
        run(ENDLESS, timeout_s=60)
        os._exit(0)
    children = Path(f"/proc/{parent}/task/{parent}/children")
    deadline_s = time.monotonic() + 20
    while not (pids := [int(word) for word in children.read_text().split()]) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    while b"ffmpeg" not in Path(f"/proc/{pids[0]}/cmdline").read_bytes() and time.monotonic() < deadline_s:
        time.sleep(0.02)

    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)

    while _is_running(pids[0]) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not _is_running(pids[0])


def test_a_child_sees_a_small_environment_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    film = clips.film_ts()  # made by a program that does see our environment
    monkeypatch.setenv("FFREPORT", f"file={tmp_path}/report.log")

    run(probe(MediaInput(path=film, demuxer="mpegts")), timeout_s=30)

    assert not list(tmp_path.iterdir())


def test_a_missing_program_says_what_to_install() -> None:
    with pytest.raises(ProgramMissing, match="apt-get install ffmpeg"):
        run(Command("no-such-program", ()), timeout_s=5)  # type: ignore[arg-type]


def test_a_failed_program_is_quoted(tmp_path: Path) -> None:
    finished = run(probe(MediaInput(path=tmp_path / "nothing.mp4", demuxer="mov")), timeout_s=30)

    with pytest.raises(ProgramFailed, match="No such file"):
        checked(finished, "ffprobe")


def test_a_full_disk_has_its_own_name() -> None:
    finished = run(
        package(
            MediaInput(path=clips.film_ts(), demuxer="mpegts"),
            [TrackOutput(path=Path("/dev/full"), kind="video", stream=0)],
        ),
        timeout_s=30,
    )

    with pytest.raises(NoSpace):
        checked(finished, "ffmpeg")


def test_a_file_that_grows_past_its_limit_ends_the_program(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=8", "-c:v", "libx264", "-f", "mp4")
    command = Command("ffmpeg", ("-nostdin", "-v", "error", "-y", *picture, f"file:{tmp_path / 'film.mp4'}"))

    finished = run(command, timeout_s=60, limits=Limits(file_size_bytes=10_000))

    assert finished.returncode != 0


def test_a_playlist_in_place_of_a_film_reads_no_other_file(tmp_path: Path) -> None:
    trap = tmp_path / "film.ts"
    trap.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\n{clips.film_ts()}\n#EXT-X-ENDLIST\n")

    finished = run(probe(MediaInput(path=trap, demuxer="mpegts")), timeout_s=30)

    assert b"h264" not in finished.stdout


def test_a_name_that_looks_like_an_option_or_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path("-i http:x.ts")
    name.write_bytes(clips.film_ts().read_bytes())

    finished = checked(run(probe(MediaInput(path=name, demuxer="mpegts")), timeout_s=30), "ffprobe")

    assert b"h264" in finished.stdout
