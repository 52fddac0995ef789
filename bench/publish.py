"""Publishing that is killed at every system call: `make bench-publish`.

For each kind of call that touches a file, and each n, a film is published by a child that strace kills at its n-th.
Whatever is visible then must be whole, and the next run must make it whole. Exit code 1 when anything is half-shown or
does not go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.publish import find_published, publish, reap, verify_folder

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
    *("chmod", "fchmodat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "rmdir"),
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


def kills(folder: Path) -> tuple[int, int, int]:
    """Return at how many points it was killed, how often something half was visible, how often it did not go on."""
    points = broken = stuck = 0
    for name in CALLS:
        for call in range(1, MOST_CALLS):
            root = folder / f"{name}-{call}"
            staging = stage(root)
            if not killed_at(name, call, partial(show, root, staging)):
                break
            points += 1
            target = root / "library" / folder_of(VIDEO_ID)
            broken += target.exists() and find_published(root / "library", VIDEO_ID) is None
            show(root, staging if staging.exists() else stage(root))
            reap(root / "work", lambda _name: False)
            stuck += not verify_folder(target, with_sums=True) or bool(list((root / "work").iterdir()))
    return points, broken, stuck


def main() -> int:
    """Print what was found; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as folder:
        points, broken, stuck = kills(Path(folder))
        print(f"killed at {points} system calls: {broken} half-shown, {stuck} did not go on; goal 0 and 0")
    return 1 if broken or stuck or not points else 0


if __name__ == "__main__":
    sys.exit(main())
