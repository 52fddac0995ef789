"""Renditions made after publishing: real ffmpeg, a real store, folders that change in one step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kinodom_common.contracts.videos import VideoIn
from kinodom_common.errors import UpstreamFailed
from kinodom_common.ids import folder_of
from kinodom_common.processes import Finished
from kinodom_common.processes import run as run_program
from kinodom_common.store import open_store
from kinodom_downloader.adapters.heartbeat import ThreadHeartbeat
from kinodom_downloader.adapters.publish import verify_folder
from kinodom_downloader.adapters.remake_store import StoredRemakes
from kinodom_downloader.adapters.remaker import MediaRemaker
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import remaking
from kinodom_downloader.domain.ladder import Ladder
from kinodom_downloader.domain.remake_ports import Tools
from kinodom_downloader.domain.remake_survey import Survey
from kinodom_downloader.domain.room import KeepFree
from tests.support import clips
from tests.support.shelved import put_on_shelf

pytestmark = pytest.mark.slow

LADDER = Ladder.of("144")


@dataclass
class Shelf:
    """A catalogue that may be away."""

    away: bool = False
    rows: dict[str, VideoIn] = field(default_factory=dict)

    def register_video(self, video_id: str, video: VideoIn) -> object:
        if self.away:
            raise UpstreamFailed("The catalogue does not answer.")
        self.rows[video_id] = video
        return None

    def delete_video(self, video_id: str) -> None:
        self.rows.pop(video_id, None)


class Bench:
    """A media folder, a store and a clock."""

    def __init__(self, root: Path) -> None:
        self.root, self.now_s, self.shelf = root, 1_000_000.0, Shelf()
        self.store = open_store(f"sqlite:///{root}/downloader.sqlite")
        self.wishes, self.remakes = StoredWishes(self.store), StoredRemakes(self.store)
        self.hints: list[str] = []

    def tools(self, run: Callable[..., Finished] = run_program, **changes: Any) -> Tools:
        made = Tools(
            remakes=self.remakes,
            wishes=self.wishes,
            maker=MediaRemaker(self.root, run=run),
            shelf=self.shelf,
            ladder=LADDER,
            clock=lambda: self.now_s,
            heartbeat=lambda beat, look: ThreadHeartbeat(beat, look, every_s=0.1),
            hint=lambda video_id, _attempt: self.hints.append(video_id),
            keep_free=KeepFree(gb=0, percent=0),
        )
        return replace(made, **changes)

    def folder(self, video_id: str) -> Path:
        return self.root / "library" / folder_of(video_id)

    def leftovers(self) -> list[Path]:
        return list((self.root / "remakes").glob("*/*"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_film_gets_its_lower_rendition_after_it_was_shown(bench: Bench) -> None:
    video_id = put_on_shelf(bench.root)
    before = {path.name: path.stat().st_ino for path in bench.folder(video_id).iterdir()}
    Survey(bench.tools())()

    left = remaking.remake(token="t", tools=bench.tools())

    video = verify_folder(bench.folder(video_id), with_sums=True).video
    assert left is None
    assert bench.hints == [video_id]
    assert bench.remakes.every() == []
    assert [(one.file, one.height_px) for one in video.tracks if one.kind == "video"] == [
        ("v.mp4", 180),
        ("v-144.mp4", 144),
    ]
    assert bench.shelf.rows[video_id] == video
    after = {path.name: path.stat().st_ino for path in bench.folder(video_id).iterdir()}
    assert all(after[name] == before[name] for name in before if name.endswith((".mp4", ".jpg", ".vtt")))
    assert bench.leftovers() == []


def test_both_pictures_are_cut_at_the_same_moments_and_stand_in_one_set(bench: Bench) -> None:
    video_id = put_on_shelf(bench.root)
    Survey(bench.tools())()

    remaking.remake(token="t", tools=bench.tools())

    folder = bench.folder(video_id)
    starts = [
        [round(part.at / index.timescale, 4) for part in index.references]
        for index in (read_track(folder / name).index for name in ("v.mp4", "v-144.mp4"))
    ]
    assert starts[0] == starts[1]
    assert len(starts[0]) == len(clips.KEY_FRAMES_S)
    manifest = (folder / "manifest.mpd").read_text()
    sets = re.findall(r"<AdaptationSet .*?</AdaptationSet>", manifest, re.DOTALL)
    assert [re.findall(r"<BaseURL>(.*?)</BaseURL>", one) for one in sets][:2] == [["v.mp4", "v-144.mp4"], ["a-ru.mp4"]]
    master = (folder / "master.m3u8").read_text()
    assert re.findall(r"^v.*m3u8$", master, re.MULTILINE) == ["v.m3u8", "v-144.m3u8"]
    assert "RESOLUTION=256x144" in master
