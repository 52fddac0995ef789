"""Publishing in the situations that it meets, killed in any of them, and what must hold then and after a second run."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.domain.videos import register_video
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.ids import folder_of
from kinodom_common.store import open_store
from kinodom_downloader.adapters.publish import FolderBroken, find_published, publish, reap, verify_folder
from tests.support.catalogue_parts import NOW, Clock, FakeHints
from tests.support.kill_points import Kills, calls_of, killed_at

VIDEO_ID, OTHER_ID = "ab" * 32, "cd" * 32
FILES = {
    "v.mp4": b"picture" * 99_999,
    "a-ru.mp4": b"sound" * 9_999,
    "manifest.mpd": b"<MPD/>",
    "poster.jpg": b"\xff\xd8",
}
BROKEN = {"v.mp4": b"half", "stray.mp4": b"of an older attempt"}
LENT = "a-en.mp4"


@dataclass(frozen=True, slots=True)
class Scene:
    """A media folder before a film is published."""

    root: Path
    is_there: bool = False  # somebody else has published it
    is_broken: bool = False  # a broken folder stands in its place
    borrows: bool = False  # a sound of another film is linked into it
    has_row: bool = False  # the catalogue is told too

    def prepare(self) -> None:
        """Make it."""
        target = self.root / "library" / folder_of(VIDEO_ID)
        if self.is_there:
            self._show(self._staged("earlier"), VIDEO_ID)
        if self.is_broken:
            target.mkdir(parents=True)
            for name, content in BROKEN.items():
                (target / name).write_bytes(content)
        if self.borrows:
            staging = self._staged("other")
            (staging / LENT).write_bytes(b"another sound" * 9_999)
            self._show(staging, OTHER_ID)
        if self.has_row:
            self._shelf().migrate()
        self._staged("first")

    def work(self) -> None:
        """Publish what is staged, and tell the catalogue."""
        staging = next(iter(sorted((self.root / "work").iterdir())), None)
        if staging is not None:
            self._show(staging, VIDEO_ID)
        if self.has_row:
            register_video(VIDEO_ID, _video(), shelf=self._shelf(), hints=FakeHints(), now=NOW)

    def again(self) -> None:
        """Do what the next worker does: show what is not shown yet, tell the catalogue, and sweep up."""
        reap(self.root / "work", lambda name: name == "first")
        if find_published(self.root / "library", VIDEO_ID) is None:
            if not (self.root / "work" / "first").exists():
                self._staged("first")
        else:
            shutil.rmtree(self.root / "work" / "first", ignore_errors=True)
        self.work()
        reap(self.root / "work", lambda _name: False)

    def half_shown(self) -> list[str]:
        """Return what can be seen and is not whole."""
        target = self.root / "library" / folder_of(VIDEO_ID)
        found = []
        if target.exists() and not (self.is_broken and _content(target) == BROKEN):
            found += _faults(target)
        if self.borrows:
            found += _faults(self.root / "library" / folder_of(OTHER_ID))
        return found

    def unfinished(self) -> list[str]:
        """Return what is not as it should be in the end."""
        target = self.root / "library" / folder_of(VIDEO_ID)
        found = _faults(target) if target.exists() else ["it is not there"]
        found += [f"left at work: {path.name}" for path in (self.root / "work").iterdir()]
        thrown = [_content(path) for path in self.root.glob("trash/*")]
        if thrown != ([BROKEN] if self.is_broken else []):
            found.append(f"the trash holds {[sorted(one) for one in thrown]}")
        if self.borrows:
            found += _faults(self.root / "library" / folder_of(OTHER_ID))
        if self.has_row:
            rows = [video.video_id for video in self._shelf().newest_videos(9, None)]
            found += [] if rows == [VIDEO_ID] else [f"rows: {rows}"]
        return found

    def _staged(self, name: str) -> Path:
        staging = self.root / "work" / name
        staging.mkdir(parents=True)
        for file, content in FILES.items():
            (staging / file).write_bytes(content)
        other = self.root / "library" / folder_of(OTHER_ID) / LENT
        if self.borrows and other.exists():
            os.link(other, staging / LENT)
        return staging

    def _show(self, staging: Path, video_id: str) -> None:
        library, trash = self.root / "library", self.root / "trash"
        publish(staging, library, video_id, _video(), source="x", fence=lambda: None, trash=trash)

    def _shelf(self) -> StoreShelf:
        return StoreShelf(open_store(f"sqlite:///{self.root}/catalogue.sqlite"), Clock())


SCENES: dict[str, dict[str, bool]] = {
    "nothing there": {},
    "there already": {"is_there": True},
    "a broken one there": {"is_broken": True},
    "with a sound of another film": {"borrows": True},
    "with its row in the catalogue": {"has_row": True},
}


def _video() -> VideoIn:
    return VideoIn(
        title=TitleCard(external_id="demo:x", name="x"),
        external_id="demo:x",
        duration_s=24.0,
        size_bytes=9,
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _faults(folder: Path) -> list[str]:
    try:
        verify_folder(folder, with_sums=True)
    except FolderBroken as exc:
        return [exc.detail]
    return [f"{path.name} has mode {path.stat().st_mode:o}" for path in folder.iterdir() if not path.stat().st_mode & 4]


def killed_everywhere(folder: Path, name: str, *, every: int = 1) -> Kills:
    """Return what came of killing the work of a scene at its system calls.

    Args:
        folder: for the media folders; made.
        name: of the scene.
        every: only each so-manieth call.
    """
    folder.mkdir()
    told = Scene(folder / "told", **SCENES[name])
    told.prepare()
    kills = Kills(calls_of(told.work, folder / "calls.txt"))
    for call, number in kills.places(every):
        scene = Scene(folder / f"{call}-{number}", **SCENES[name])
        scene.prepare()
        kills.points += killed_at(scene.work, call, number)
        faults = [f"half-shown: {one}" for one in scene.half_shown()]
        scene.again()
        kills.faults += [f"{call} {number}: {one}" for one in (*faults, *scene.unfinished())]
        shutil.rmtree(scene.root)
    return kills
