"""Publishing: a folder is visible whole or not at all, whoever is killed when, and the first one wins."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import TrackInfo, VideoIn
from kinodom_common.errors import Conflict
from kinodom_common.ids import folder_of
from kinodom_common.processes import NoSpace
from kinodom_downloader.adapters.publish import (
    BadVideoId,
    Disk,
    Published,
    find_published,
    publish,
    reap,
    verify_folder,
)
from kinodom_downloader.adapters.swap import swap
from kinodom_downloader.domain.publishing import FolderBroken

VIDEO_ID = "ab" * 32
FILES = {"v.mp4": b"picture" * 999, "a-ru.mp4": b"sound" * 99, "manifest.mpd": b"<MPD/>", "poster.jpg": b"\xff\xd8"}


class LeaseLost(Conflict):
    """The wish has gone to another worker."""

    code = "lease_lost"


class DyingDisk(Disk):
    """Loses its power right before the given step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def _tick(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def write(self, path: Path, content: bytes) -> None:
        self._tick()
        path.write_bytes(content[: len(content) // 2])
        self._tick()
        super().write(path, content)

    def set_mode(self, path: Path, mode: int) -> None:
        self._tick()
        super().set_mode(path, mode)

    def sync(self, path: Path) -> None:
        self._tick()
        super().sync(path)

    def make_folder(self, path: Path) -> None:
        self._tick()
        super().make_folder(path)

    def rename(self, old: Path, new: Path) -> None:
        self._tick()
        super().rename(old, new)

    def exchange(self, one: Path, other: Path) -> None:
        self._tick()
        super().exchange(one, other)


class FullDisk(Disk):
    """Has no room for one more file."""

    def write(self, path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")


class FillingDisk(DyingDisk):
    """Is full from the given step on, until somebody frees it."""

    def _tick(self) -> None:
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= 1


def _video(imdb_id: str | None = "tt0062759") -> VideoIn:
    return VideoIn(
        title=TitleCard(external_id="demo:film", name="Фильм\nwith a break", imdb_id=imdb_id),
        external_id="demo:film",
        season=1,
        episode=0,
        duration_s=24.0,
        size_bytes=9000,
        tracks=(TrackInfo(kind="video", file="v.mp4", size_bytes=len(FILES["v.mp4"])),),
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def _stage(root: Path, token: str = "token") -> Path:
    staging = root / "work" / token
    staging.mkdir(parents=True, mode=0o700)
    for name, content in FILES.items():
        (staging / name).write_bytes(content)
        (staging / name).chmod(0o600)
    return staging


def _publish(
    root: Path, staging: Path, *, disk: Disk | None = None, fence: Callable[[], None] = lambda: None
) -> Published:
    return publish(
        staging, root / "library", VIDEO_ID, _video(), source="demo", fence=fence, trash=root / "trash", disk=disk
    )


def _in_child(work: Callable[[], object]) -> int:
    """Run it in a child process and return the exit status as `waitpid` gives it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def test_a_published_folder_is_whole_and_readable_by_all(tmp_path: Path) -> None:
    done = _publish(tmp_path, _stage(tmp_path))

    assert done.folder == tmp_path / "library" / folder_of(VIDEO_ID)
    assert verify_folder(done.folder, with_sums=True).video == _video()
    assert not done.was_there
    assert {stat.S_IMODE(path.stat().st_mode) for path in done.folder.iterdir()} == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (done.folder, done.folder.parent)} == {0o755}


def test_the_first_line_of_the_text_is_the_imdb_id(tmp_path: Path) -> None:
    done = _publish(tmp_path, _stage(tmp_path))

    lines = (done.folder / "metadata.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "tt0062759"
    assert "title: Фильм with a break" in lines
    assert {"season: 1", "episode: 0"} <= set(lines)


def test_killed_at_any_step_there_is_no_folder_or_a_whole_one_and_a_rerun_makes_it_whole(tmp_path: Path) -> None:
    killed = 0
    for step in range(200):
        root = tmp_path / str(step)
        staging = _stage(root)
        status = _in_child(lambda root=root, staging=staging, step=step: _publish(root, staging, disk=DyingDisk(step)))  # type: ignore[misc]

        target = root / "library" / folder_of(VIDEO_ID)
        if target.exists():
            verify_folder(target, with_sums=True)
        again = _publish(root, staging if staging.exists() else _stage(root, "again"))
        reap(root / "work", lambda _token: False)
        assert verify_folder(again.folder, with_sums=True)
        assert not list((root / "work").iterdir())
        if not os.WIFSIGNALED(status):
            break
        killed += 1

    assert killed > len(FILES) * 2


def _swapped(root: Path, disk: Disk) -> None:
    folder = root / "library" / folder_of(VIDEO_ID)
    before, seen = verify_folder(folder), (folder / "metadata.json").read_bytes()
    staging = root / "remakes" / VIDEO_ID / "stage-1"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for name in FILES:
        os.link(folder / name, staging / name)
    (staging / "v-480.mp4").write_bytes(b"smaller" * 99)
    swap(staging, root / "library", before, before.video, seen=seen, fence=lambda: None, disk=disk)


def test_a_swap_killed_at_any_step_leaves_the_old_folder_or_the_new_one_and_a_rerun_makes_it_new(
    tmp_path: Path,
) -> None:
    killed = 0
    for step in range(200):
        root = tmp_path / str(step)
        target = _publish(root, _stage(root)).folder

        status = _in_child(lambda root=root, step=step: _swapped(root, DyingDisk(step)))  # type: ignore[misc]

        verify_folder(target, with_sums=True)
        _swapped(root, Disk())
        assert "v-480.mp4" in verify_folder(target, with_sums=True).files
        if not os.WIFSIGNALED(status):
            break
        killed += 1

    assert killed > len(FILES) * 2


def test_eight_publishers_of_one_video_leave_one_folder(tmp_path: Path) -> None:
    stages = [_stage(tmp_path, f"token-{number}") for number in range(8)]
    gate_out, gate_in = os.pipe()
    children = []
    for staging in stages:
        child = os.fork()
        if child == 0:
            os.close(gate_in)
            os.read(gate_out, 1)  # returns when the parent closes the gate
            try:
                os._exit(0 if verify_folder(_publish(tmp_path, staging).folder) else 1)
            finally:
                os._exit(1)
        children.append(child)
    os.close(gate_in)

    ends = [os.waitpid(child, 0)[1] for child in children]

    os.close(gate_out)
    assert ends == [0] * 8
    assert verify_folder(tmp_path / "library" / folder_of(VIDEO_ID), with_sums=True)
    assert not list((tmp_path / "work").iterdir())
    assert not (tmp_path / "trash").exists()


def test_a_video_that_is_there_stays_and_ours_is_dropped(tmp_path: Path) -> None:
    first = _publish(tmp_path, _stage(tmp_path))
    before = (first.folder / "v.mp4").stat().st_ino

    second = _publish(tmp_path, _stage(tmp_path, "other"))

    assert second.was_there
    assert (second.folder / "v.mp4").stat().st_ino == before
    assert not (tmp_path / "work" / "other").exists()


def test_a_broken_folder_is_moved_aside_and_never_mixed_with_ours(tmp_path: Path) -> None:
    broken = tmp_path / "library" / folder_of(VIDEO_ID)
    broken.mkdir(parents=True)
    (broken / "v.mp4").write_bytes(b"half")
    (broken / "stray.mp4").write_bytes(b"old")

    done = _publish(tmp_path, _stage(tmp_path))

    assert verify_folder(done.folder, with_sums=True)
    assert not (done.folder / "stray.mp4").exists()
    (aside,) = (tmp_path / "trash").iterdir()
    assert (aside / "stray.mp4").read_bytes() == b"old"


def test_who_lost_the_lease_publishes_nothing(tmp_path: Path) -> None:
    def fence() -> None:
        raise LeaseLost("Another worker has this wish.")

    with pytest.raises(LeaseLost):
        _publish(tmp_path, _stage(tmp_path), fence=fence)

    assert find_published(tmp_path / "library", VIDEO_ID) is None


def test_the_fence_is_asked_when_everything_is_written(tmp_path: Path) -> None:
    staging = _stage(tmp_path)
    seen: list[bool] = []

    _publish(tmp_path, staging, fence=lambda: seen.append((staging / "metadata.json").exists()))

    assert seen == [True]


def test_a_full_disk_keeps_what_is_staged(tmp_path: Path) -> None:
    staging = _stage(tmp_path)

    with pytest.raises(NoSpace):
        _publish(tmp_path, staging, disk=FullDisk())

    assert (staging / "v.mp4").read_bytes() == FILES["v.mp4"]


def test_a_disk_that_fills_at_any_step_shows_nothing_half_and_goes_on_when_freed(tmp_path: Path) -> None:
    filled = 0
    for step in range(200):
        root = tmp_path / str(step)
        staging = _stage(root)
        try:
            _publish(root, staging, disk=FillingDisk(step))
        except NoSpace:
            filled += 1
        else:
            break
        shown = find_published(root / "library", VIDEO_ID)
        target = root / "library" / folder_of(VIDEO_ID)
        assert (shown is not None) == target.exists()

        again = _publish(root, staging if staging.exists() else _stage(root, "again"))
        assert verify_folder(again.folder, with_sums=True)

    assert filled > len(FILES) * 2


def test_a_changed_byte_is_found_when_asked(tmp_path: Path) -> None:
    folder = _publish(tmp_path, _stage(tmp_path)).folder
    content = bytearray((folder / "v.mp4").read_bytes())
    content[500] ^= 1
    (folder / "v.mp4").write_bytes(content)

    assert verify_folder(folder)
    with pytest.raises(FolderBroken, match=r"v\.mp4 has changed"):
        verify_folder(folder, with_sums=True)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"schema": 9}', b"[" * 50_000, b"\xff", json.dumps({"schema": 1}).encode()]
)
def test_rubbish_metadata_are_a_broken_folder(content: bytes, tmp_path: Path) -> None:
    folder = _publish(tmp_path, _stage(tmp_path)).folder
    (folder / "metadata.json").write_bytes(content)

    with pytest.raises(FolderBroken):
        verify_folder(folder)


def test_only_a_video_id_can_name_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadVideoId):
        publish(
            _stage(tmp_path),
            tmp_path / "library",
            "../../etc",
            _video(),
            source="demo",
            fence=lambda: None,
            trash=tmp_path / "trash",
        )


def test_the_reaper_spares_live_work_and_fresh_folders(tmp_path: Path) -> None:
    for token in ("live", "dead", "fresh"):
        _stage(tmp_path, token)
    (tmp_path / "work" / ".gone-x").mkdir()
    os.utime(tmp_path / "work" / "dead", (1000, 1000))
    os.utime(tmp_path / "work" / "fresh", (1990, 1990))

    reaped = reap(tmp_path / "work", lambda token: token == "live", idle_s=30, now_s=2000)

    assert reaped == ["dead"]
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["fresh", "live"]
