"""Publishing and swapping killed at every system call: `make bench-publish`.

For each kind of call that touches a file, and each n, a film is published by a child that strace kills at its n-th.
Whatever is visible then must be whole, and the next run must make it whole. The same with a published film that gives
its place to one with more renditions: there must always be one of the two, or, where a file system cannot exchange
names, for a moment none that the sweep brings back. Exit code 1 when anything is half-shown or does not go on.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.publish import Disk, find_published, publish, reap, verify_folder
from kinodom_downloader.adapters.remaker import MediaRemaker
from kinodom_downloader.adapters.swap import swap

if TYPE_CHECKING:
    from collections.abc import Callable

VIDEO_ID = "ab" * 32
FILES = {
    "v.mp4": b"picture" * 99_999,
    "a-ru.mp4": b"sound" * 9_999,
    "manifest.mpd": b"<MPD/>",
    "poster.jpg": b"\xff\xd8",
}
MOST_CALLS = 400
CALLS = (
    *("openat", "close", "read", "write", "lseek", "newfstatat", "fstat", "getdents64", "fsync", "flock"),
    *(
        "chmod",
        "fchmodat",
        "mkdir",
        "mkdirat",
        "unlink",
        "unlinkat",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "rmdir",
    ),
)


def stage(root: Path) -> Path:
    """Write the files of a film that is to be published."""
    staging = root / "work" / f"stage-{len(list((root / 'work').glob('*'))) if (root / 'work').is_dir() else 0}"
    staging.mkdir(parents=True)
    for name, content in FILES.items():
        (staging / name).write_bytes(content)
    return staging


def show(root: Path, staging: Path) -> None:
    """Publish."""
    video = VideoIn(
        title=TitleCard(external_id="demo:x", name="x"),
        external_id="demo:x",
        duration_s=24.0,
        size_bytes=9,
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    folders = {"library": root / "library", "trash": root / "trash"}
    publish(staging, folders["library"], VIDEO_ID, video, source="x", fence=lambda: None, trash=folders["trash"])


def killed_at(name: str, call: int, work: Callable[[], None]) -> bool:
    """Run it in a child that dies as it makes its n-th call of this name; return whether it came that far."""
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    os.waitpid(child, os.WUNTRACED)
    inject = ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={call}")
    command = ["strace", "-qq", "-p", str(child), *inject, "-o", "/dev/null"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
        while "TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_text():
            if tracer.poll() is not None:
                raise SystemExit("strace could not attach: is it installed, and may it trace?")
        os.kill(child, signal.SIGCONT)
        _pid, status = os.waitpid(child, 0)
        tracer.wait()
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("The child failed by itself.")
    return os.WIFSIGNALED(status)


def publishing(root: Path, name: str, call: int) -> tuple[bool, bool] | None:
    """Publish and be killed; return whether something half was visible, and whether it did not go on; None: no kill."""
    staging = stage(root)
    if not killed_at(name, call, partial(show, root, staging)):
        return None
    target = root / "library" / folder_of(VIDEO_ID)
    half = target.exists() and find_published(root / "library", VIDEO_ID) is None
    show(root, staging if staging.exists() else stage(root))
    reap(root / "work", lambda _name: False)
    return half, not verify_folder(target, with_sums=True) or bool(list((root / "work").iterdir()))


class TwoRenames(Disk):
    """A file system that cannot exchange names."""

    def exchange(self, one: Path, other: Path) -> None:  # noqa: ARG002  # as the port has it
        """Fail."""
        raise OSError(errno.EINVAL, "Invalid argument")


def stage_more(root: Path) -> Path:
    """Lay out a published film with one more file: links to all it has."""
    folder = root / "library" / folder_of(VIDEO_ID)
    staging = root / "remakes" / VIDEO_ID / f"stage-{time.monotonic_ns()}"
    staging.mkdir(parents=True)
    for name in FILES:
        os.link(folder / name, staging / name)
    (staging / "v-480.mp4").write_bytes(b"smaller" * 9_999)
    return staging


def exchange(root: Path, staging: Path, disk: Disk) -> None:
    """Put the film with one more file in the place of the one that is published."""
    folder = root / "library" / folder_of(VIDEO_ID)
    before, seen = verify_folder(folder), (folder / "metadata.json").read_bytes()
    swap(staging, root / "library", before, before.video, seen=seen, fence=lambda: None, disk=disk)


def swapping(root: Path, name: str, call: int, *, disk: Disk) -> tuple[bool, bool] | None:
    """Swap and be killed; return whether something half was visible, and whether it did not go on; None: no kill."""
    show(root, stage(root))
    remaker, library, target = MediaRemaker(root), root / "library", root / "library" / folder_of(VIDEO_ID)
    if not killed_at(name, call, partial(exchange, root, stage_more(root), disk)):
        return None
    whole = find_published(library, VIDEO_ID) is not None
    half = not whole if type(disk) is Disk else target.exists() and not whole
    remaker.clear(lambda _video_id: False)
    remaker.clear(lambda _video_id: False)
    if find_published(library, VIDEO_ID) is None:
        return half, True
    exchange(root, stage_more(root), disk)
    files = verify_folder(target, with_sums=True).files
    remaker.clear(lambda _video_id: False)
    return half, "v-480.mp4" not in files or bool(list((root / "remakes").iterdir()))


def kills(folder: Path, work: Callable[[Path, str, int], tuple[bool, bool] | None]) -> tuple[int, int, int]:
    """Return at how many points it was killed, how often something half was visible, how often it did not go on."""
    points = broken = stuck = 0
    for name in CALLS:
        for call in range(1, MOST_CALLS):
            seen = work(folder / f"{name}-{call}", name, call)
            if seen is None:
                break
            points += 1
            broken += seen[0]
            stuck += seen[1]
    return points, broken, stuck


def main() -> int:
    """Print what was found; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as folder:
        works = {
            "published": publishing,
            "swapped by an exchange": partial(swapping, disk=Disk()),
            "swapped by two renames": partial(swapping, disk=TwoRenames()),
        }
        points, broken, stuck = 1, 0, 0
        for number, (name, work) in enumerate(works.items()):
            found = kills(Path(folder) / str(number), work)
            print(
                f"{name}, killed at {found[0]} system calls: {found[1]} half-shown, {found[2]} did not go on; goal 0, 0"
            )
            points, broken, stuck = min(points, found[0]), broken + found[1], stuck + found[2]
    return 1 if broken or stuck or not points else 0


if __name__ == "__main__":
    sys.exit(main())
