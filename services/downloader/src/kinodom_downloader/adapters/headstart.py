"""The usual film is written while ffprobe still looks at it: one picture and one sound that are only copied.

Both programs take their time to start. What was begun counts only when just that is asked for afterwards.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.media_tools import TrackOutput, package
from kinodom_common.processes import Finished, ProgramTimeout
from kinodom_downloader.adapters.sources import opened
from kinodom_downloader.domain.codecs import audio_handling, video_handling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_common.feeding import StdinPart
    from kinodom_common.processes import Command
    from kinodom_downloader.adapters.sources import Runner
    from kinodom_downloader.domain.fetched import Fetched, FetchedTrack

_LOCAL = "file:"
_NAMES = (_LOCAL, "concatf:" + _LOCAL)
_TRACK = ".mp4"
_LONGEST_S = 6 * 3600.0


@contextmanager
def with_head_start(fetched: Fetched, scratch: Path, *, run: Runner, stopped: Callable[[], bool]) -> Iterator[Runner]:
    """Yield a runner under which a usual film is already being written.

    Args:
        fetched: one plain film in MPEG-TS; others get the runner as it is.
        scratch: takes the tracks until they are asked for.
        run: is called from another thread too, and `stopped` with it.
    """
    media = [one for one in fetched.tracks if one.role != "subtitles"]
    if [one.container == "ts" and one.role == "muxed" and not one.breaks and not one.holes for one in media] != [True]:
        yield run
        return
    folder = scratch / "early"
    folder.mkdir()
    with ThreadPoolExecutor(1, "head-start") as pool:
        early = _Early(media[0], folder, run, stopped, pool)
        try:
            yield early
        finally:
            early.left.set()


class _Early:
    """A runner that has one command under way, and gives what came of it to whoever asks for the same."""

    def __init__(
        self, film: FetchedTrack, folder: Path, run: Runner, stopped: Callable[[], bool], pool: ThreadPoolExecutor
    ) -> None:
        self._run = run
        self._on_line: Callable[[str], None] | None = None
        self.left = threading.Event()  # nobody wants it any more
        picture, sound = video_handling("h264", "yuv420p"), audio_handling("aac", "ts")
        source, stdin_parts = opened(film, None, folder)
        self._command = package(
            source,
            [
                TrackOutput(path=folder / f"v{_TRACK}", kind="video", stream=0, tag=picture.tag),
                TrackOutput(path=folder / f"a{_TRACK}", kind="audio", stream=1, bitstream=sound.bitstream),
            ],
        )
        self._ended = pool.submit(
            run,
            self._command,
            timeout_s=_LONGEST_S,
            stdin_parts=stdin_parts,
            on_line=self._heard,
            stopped=lambda: self.left.is_set() or stopped(),
        )

    def __call__(
        self,
        command: Command,
        *,
        timeout_s: float,
        stdin_parts: Sequence[StdinPart] | None = None,
        on_line: Callable[[str], None] | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Finished:
        """Run a command; the one that is under way is waited for, and its files go where they are asked for."""
        if command.program != "ffmpeg" or (places := _places(self._command, command)) is None:
            return self._run(command, timeout_s=timeout_s, stdin_parts=stdin_parts, on_line=on_line, stopped=stopped)
        self._on_line = on_line
        try:
            finished = self._ended.result(timeout_s)
        except TimeoutError as exc:
            raise ProgramTimeout("ffmpeg took too long and was stopped.", program="ffmpeg") from exc
        if finished.returncode == 0:
            for made, wanted in places:
                made.rename(wanted)
        return finished

    def _heard(self, line: str) -> None:
        if self._on_line is not None:
            self._on_line(line)


def _places(begun: Command, asked: Command) -> list[tuple[Path, Path]] | None:
    """Return where the files of a command lie and where another one wants them; None: it is not the same but for that.

    Both read the same film, under whatever name, so what they read may be called otherwise.
    """
    if len(begun.arguments) != len(asked.arguments):
        return None
    differ = [pair for pair in zip(begun.arguments, asked.arguments, strict=True) if pair[0] != pair[1]]
    if not all(word.startswith(_NAMES) for pair in differ for word in pair):
        return None
    tracks = [pair for pair in differ if pair[0].endswith(_TRACK)]
    return [(Path(made.removeprefix(_LOCAL)), Path(wanted.removeprefix(_LOCAL))) for made, wanted in tracks]
