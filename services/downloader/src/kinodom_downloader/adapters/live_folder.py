"""What players read of a film that is still coming: `work/<wish>/live/`, beside the pieces.

`live.json` and `have.json` say what there is; a folder named by the generation of the plan holds the playlists, and for
a single file an empty file in `have/` for each slice that is there, by which Nginx tells what it may serve.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

from kinodom_common.logs import get_log
from kinodom_downloader.adapters.disk import told_when_full
from kinodom_downloader.domain import live
from kinodom_downloader.domain.holes import stretches
from kinodom_downloader.domain.live import Spot
from kinodom_downloader.domain.subtitles import NoCues, web_vtt

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.plan import Plan

log = get_log(__name__)

LIVE = "live"


class LiveFolder:
    """The files of one film."""

    def __init__(self, folder: WorkFolder) -> None:
        self._folder = folder
        self._root = folder.path.parent / LIVE
        self._home = self._root / live.generation(folder.plan)
        self._shown: list[list[float]] | None = None
        self._missing: set[Spot] = set()
        self.starts = live.starts_s(folder.plan)

    @property
    def plan(self) -> Plan:
        """Return the plan of the film."""
        return self._folder.plan

    def open(self, there: Collection[Spot]) -> None:
        """Write everything a player needs to begin; files of another generation are deleted.

        What the source says is missing, and is not there, is a gap from the first.

        Raises:
            NoSpace: the disk is full.
        """
        with told_when_full():
            for old in self._root.iterdir() if self._root.is_dir() else ():
                if old.is_dir() and old != self._home:
                    shutil.rmtree(old, ignore_errors=True)
            self._home.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._home / "gone", ignore_errors=True)
            (self._home / "gone").mkdir()
            self._missing = {
                Spot(number, index)
                for number, track in enumerate(self.plan.tracks)
                for index, segment in enumerate(track.segments)
                if segment.gap and Spot(number, index) not in there
            }
            if live.shape_of(self.plan) == "file":
                self._open_file()
            for spot in there:
                self.arrived(spot)
            self.show(there)
            self._write_lists()

    def gone(self, spot: Spot) -> None:
        """Let players pass over a piece that does not come.

        Raises:
            NoSpace: the disk is full.
        """
        with told_when_full():
            self._missing.add(spot)
            self._write_lists()

    def _write_lists(self) -> None:
        """Write what names the pieces, the facts last; whoever waits for one that does not come hears of it."""
        if live.shape_of(self.plan) == "hls":
            for name, text in live.playlists(self.plan, self._missing).items():
                _write(self._home / name, text)
        _write(self._root / live.FACTS, live.facts(self.plan, stretches(self.plan, self._missing)))
        for spot in self._missing:
            (self._home / live.gone_file(spot)).touch()

    def arrived(self, spot: Spot) -> None:
        """Let a piece be served that has just come."""
        track = self.plan.tracks[spot.track]
        if track.role == "subtitles":
            self._write_text(spot.track)
        elif track.shape == "file":
            segment = track.segments[spot.index]
            start = segment.offset or 0
            end = start + (segment.length or track.file_bytes or 0)
            for offset in range(start, end, live.SLICE_BYTES):
                (self._home / "have" / str(offset)).touch()

    def show(self, there: Collection[Spot]) -> None:
        """Write which stretches are on the disk, when that has changed."""
        have = live.have(self.plan, self.starts, there)
        if have != self._shown:
            with told_when_full():
                _write(self._root / live.HAVE, json.dumps(have))
            self._shown = have

    def _open_file(self) -> None:
        """Give the file its whole length, so that ranges of it can be served; what is missing takes no room."""
        number, track = next((n, one) for n, one in enumerate(self.plan.tracks) if one.role != "subtitles")
        (self._home / "have").mkdir(exist_ok=True)
        film = self._folder.file(number)
        handle = os.open(film, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            if os.fstat(handle).st_size < (track.file_bytes or 0):
                os.truncate(handle, track.file_bytes or 0)
        finally:
            os.close(handle)
        link = self._home / live.FILM
        if not link.exists():
            os.link(film, link)

    def _write_text(self, number: int) -> None:
        track = self.plan.tracks[number]
        parts = [self._folder.piece(number, index) for index in range(len(track.segments))]
        if not all(part.exists() for part in parts):
            return
        try:
            text = web_vtt((part.read_bytes() for part in parts), shifts_s=track.shifts_s())
        except NoCues as exc:
            log.warning("subtitles_left_out", track=number, error=exc.detail)
            return
        _write(self._home / live.text_file(number), text)


def _write(path: Path, text: str) -> None:
    """Write a small file whole: whoever reads it sees all of the old one or all of the new one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8")
    part.rename(path)
