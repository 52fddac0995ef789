"""Renditions made after publishing: real ffmpeg, a real store, folders that change in one step."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kinodom_common.contracts.videos import VideoIn
from kinodom_common.errors import UpstreamFailed
from kinodom_common.ids import folder_of
from kinodom_common.processes import Command, Finished
from kinodom_common.processes import run as run_program
from kinodom_common.store import open_store
from kinodom_downloader.adapters.errands import StoredErrands
from kinodom_downloader.adapters.exports import LibraryExports
from kinodom_downloader.adapters.heartbeat import ThreadHeartbeat
from kinodom_downloader.adapters.publish import Disk, find_published, verify_folder
from kinodom_downloader.adapters.remake_store import StoredRemakes
from kinodom_downloader.adapters.remaker import MediaRemaker
from kinodom_downloader.adapters.swap import OLD, mend, swap
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.adapters.trash import MediaTrash
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import remakes as rules
from kinodom_downloader.domain import remaking
from kinodom_downloader.domain import wishes as wish_rules
from kinodom_downloader.domain.hours import Hours
from kinodom_downloader.domain.ladder import Ladder
from kinodom_downloader.domain.remake_ports import Tools
from kinodom_downloader.domain.remake_survey import Survey
from kinodom_downloader.domain.removing import Errand
from kinodom_downloader.domain.room import KeepFree
from tests.support import clips, media
from tests.support.fetching import fetch_from
from tests.support.origin import origin
from tests.support.shelved import REQUEST, a_track, put_on_shelf

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
            heartbeat=lambda beat, look: ThreadHeartbeat(beat, look, look_s=0.1),
            hint=lambda video_id, _attempt: self.hints.append(video_id),
            keep_free=KeepFree(gb=0, percent=0),
        )
        return replace(made, **changes)

    def folder(self, video_id: str) -> Path:
        return self.root / "library" / folder_of(video_id)

    def film(self) -> str:
        """Publish a short film, and write down that it lacks a rendition."""
        video_id = put_on_shelf(self.root)
        Survey(self.tools())()
        return video_id

    def heights(self, video_id: str) -> list[int | None]:
        """Return the heights of a whole published folder."""
        video = verify_folder(self.folder(video_id), with_sums=True).video
        return [track.height_px for track in video.tracks if track.kind == "video"]

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
    video_id = bench.film()

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


def test_a_gathered_film_whose_pieces_hold_several_key_frames_is_cut_alike(bench: Bench, tmp_path: Path) -> None:
    pieces = clips.in_pieces(media.film_mp4(), "long-pieces", "v:0,agroup:a", "a:0,agroup:a", more=("-hls_time", "4"))
    with origin() as host:
        host.put(pieces)
        fetched = fetch_from(host, "/master.m3u8", tmp_path / "parts")
    video_id = put_on_shelf(bench.root, *fetched.tracks)
    Survey(bench.tools())()

    remaking.remake(token="t", tools=bench.tools())

    folder = bench.folder(video_id)
    film, made = (read_track(folder / name).index for name in ("v.mp4", "v-144.mp4"))
    assert len(film.references) == 3
    starts = [[part.at / index.timescale for part in index.references] for index in (film, made)]
    assert starts[1] == pytest.approx(starts[0], abs=0.001)
    assert made.references[-1].start + made.references[-1].size == (folder / "v-144.mp4").stat().st_size
    assert media.streams_of(folder / "v-144.mp4") == ["h264,300"]


def test_hevc_is_shown_as_it_is_and_gets_h264_in_a_set_of_its_own(bench: Bench) -> None:
    hevc = clips.coded("hevc.mkv", "-t", "2", "-c:v", "libx265", "-x265-params", "log-level=none", "-an")
    video_id = put_on_shelf(bench.root, a_track("webm", hevc))
    tools = bench.tools(ladder=Ladder.of("", everywhere=True))
    Survey(tools)()

    remaking.remake(token="t", tools=tools)

    manifest = (bench.folder(video_id) / "manifest.mpd").read_text()
    kinds = re.findall(r'<AdaptationSet id="(\d)" contentType="video".*?codecs="(....)', manifest, re.DOTALL)
    assert kinds == [("0", "hvc1"), ("1", "avc1")]
    with LibraryExports(bench.root).open(video_id).stream as stream:
        assert b"avc1" in stream.read(20_000)


KINDS = {
    "HEVC with open groups": ("libx265", "-x265-params", "log-level=none:keyint=25:open-gop=1:bframes=4"),
    "H.264 with open groups": ("libx264", "-x264-params", "keyint=25:open-gop=1:bframes=3"),
    "a frame rate that varies": ("libx264", "-vf", r"select=not(eq(mod(n\,7)\,3))", "-fps_mode", "vfr", "-g", "25"),
    "H.264 of 10 bits": ("libx264", "-pix_fmt", "yuv420p10le", "-g", "25"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_any_kind_gets_renditions_that_are_cut_alike(kind: str, bench: Bench) -> None:
    film = clips.coded(f"kind-{list(KINDS).index(kind)}.mkv", "-s", "320x180", "-an", "-c:v", *KINDS[kind])
    video_id = put_on_shelf(bench.root, a_track("webm", film))
    tools = bench.tools(ladder=Ladder.of("144"))
    Survey(tools)()

    remaking.remake(token="t", tools=tools)

    indexes = [read_track(bench.folder(video_id) / name).index for name in ("v.mp4", "v-144.mp4")]
    starts = [[part.at / index.timescale for part in index.references] for index in indexes]
    assert len(starts[0]) > 4
    assert starts[1] == pytest.approx(starts[0], abs=0.001)


class Halfway:
    """Runs ffmpeg, and does something once when it has begun to write."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act, self.pid = act, 0

    def __call__(self, command: Command, **options: Any) -> Finished:
        slow = replace(command, arguments=("-re", *command.arguments)) if command.program == "ffmpeg" else command
        stopped, began = options.pop("stopped", lambda: False), threading.Event()

        def ask() -> bool:
            if not began.is_set():
                began.set()
                self.act()
            return bool(stopped())

        return run_program(slow, stopped=ask, **options)


def test_a_wish_that_comes_in_the_middle_makes_it_step_aside_and_keep_nothing(bench: Bench) -> None:
    video_id = bench.film()
    other = REQUEST.model_copy(update={"episode": 9})
    wish = wish_rules.new_wish(other, now_s=bench.now_s, request_id="r")
    run = Halfway(lambda: bench.wishes.add(wish) and None)

    left = remaking.remake(token="t", tools=bench.tools(run))

    assert left is not None
    assert (left.state, left.deaths, left.token) == ("wanted", 0, None)
    assert bench.heights(video_id) == [180]
    assert bench.leftovers() == []
    assert remaking.remake(token="t", tools=bench.tools()) is None
    assert bench.heights(video_id) == [180]  # a wish still waits
    bench.wishes.forget(bench.wishes.get(wish.wish_id))
    remaking.remake(token="t", tools=bench.tools())
    assert bench.heights(video_id) == [180, 144]


def test_only_one_is_made_at_a_time_whoever_asks(bench: Bench) -> None:
    bench.film()
    put_on_shelf(bench.root, request=REQUEST.model_copy(update={"episode": 3}))
    Survey(bench.tools())()

    taken = [remaking.take(token=name, tools=bench.tools()) for name in "abc"]

    assert [one is not None for one in taken] == [True, False, False]


def test_a_film_that_is_deleted_in_the_middle_stays_deleted(bench: Bench) -> None:
    video_id = bench.film()
    trash = MediaTrash(bench.root)
    run = Halfway(lambda: trash.discard(video_id, now_s=bench.now_s, for_good=False))

    remaking.remake(token="t", tools=bench.tools(run))

    assert not bench.folder(video_id).exists()
    assert bench.remakes.every() == []
    trash.bring_back(video_id)
    assert bench.heights(video_id) == [180]


def test_a_film_that_is_deleted_while_the_catalogue_is_told_is_forgotten_by_it(bench: Bench) -> None:
    video_id = bench.film()
    errand = Errand(video_id=video_id, kind="remove", at_s=bench.now_s)
    StoredErrands(bench.store).put(errand)

    remaking.remake(token="t", tools=bench.tools(leaving=StoredErrands(bench.store).leaving))

    assert bench.shelf.rows == {}


def test_a_film_that_was_fetched_anew_meanwhile_is_not_replaced(bench: Bench) -> None:
    video_id = bench.film()

    def anew() -> None:
        MediaTrash(bench.root).discard(video_id, now_s=bench.now_s, for_good=True)
        put_on_shelf(bench.root, a_track("ts", clips.short_ts()))

    class Patient(ThreadHeartbeat):
        """Looks too rarely to see that the film was away."""

        def __init__(self, beat: Callable[[], None], look: Callable[[], None]) -> None:
            super().__init__(beat, look, every_s=60, look_s=60)

    left = remaking.remake(token="t", tools=bench.tools(Halfway(anew), heartbeat=Patient))

    assert left is not None
    assert left.state == "wanted"
    assert bench.heights(video_id) == [180]
    assert verify_folder(bench.folder(video_id)).video.duration_s < 10


def test_a_worker_that_lost_its_lease_shows_nothing(bench: Bench) -> None:
    video_id = bench.film()
    stolen = Halfway(lambda: bench.remakes.change(video_id, lambda found: replace(found, token="other")) and None)

    left = remaking.remake(token="t", tools=bench.tools(stolen))

    assert left is None
    assert bench.remakes.get(video_id).token == "other"
    assert bench.heights(video_id) == [180]


def test_the_third_death_in_a_row_refuses_it_and_try_again_lets_it_begin_anew(bench: Bench) -> None:
    video_id = bench.film()
    for number in range(3):
        assert remaking.take(token=f"dead-{number}", tools=bench.tools()) is not None
        remaking.let_go(f"dead-{number}", remakes=bench.remakes)

    gone = remaking.take(token="t", tools=bench.tools())

    refused = bench.remakes.get(video_id)
    assert gone is None
    assert (refused.state, refused.reason_code) == ("refused", "crashes_the_worker")
    remaking.try_again(video_id, remakes=bench.remakes, now_s=bench.now_s)
    remaking.remake(token="t", tools=bench.tools())
    assert bench.heights(video_id) == [180, 144]


def test_what_ffmpeg_cannot_do_is_refused_with_its_reason_and_the_film_stays(bench: Bench) -> None:
    video_id = bench.film()

    def broken(command: Command, **_options: Any) -> Finished:
        return Finished(returncode=1, stderr="No such filter", stdout=b"")

    left = remaking.remake(token="t", tools=bench.tools(broken))

    assert left is not None
    assert (left.state, left.reason_code) == ("refused", "program_failed")
    assert bench.heights(video_id) == [180]
    assert bench.leftovers() == []


def test_a_catalogue_that_is_away_is_told_later_and_nothing_is_made_twice(bench: Bench) -> None:
    video_id = bench.film()
    bench.shelf.away = True
    left = remaking.remake(token="t", tools=bench.tools())
    assert left is not None
    assert left.state == "waiting"
    bench.shelf.away, bench.now_s = False, left.next_try_at_s

    def never(command: Command, **_options: Any) -> Finished:
        raise AssertionError("nothing is left to be made")

    again = remaking.remake(token="t", tools=bench.tools(never))

    assert again is None
    assert bench.shelf.rows[video_id].tracks[1].height_px == 144


def test_it_waits_for_its_hours_and_for_room_on_the_disk(bench: Bench) -> None:
    bench.film()
    night = Hours.of("01:00-02:00")
    late = remaking.remake(token="t", tools=bench.tools(hours=night, time_of_day_s=lambda _now_s: 3 * 3600.0))
    assert late is not None
    assert (late.state, late.reason_code) == ("waiting", "outside_hours")
    bench.now_s = late.next_try_at_s

    full = remaking.remake(token="t", tools=bench.tools(keep_free=KeepFree(gb=1_000_000)))

    assert full is not None
    assert (full.state, full.reason_code) == ("waiting", "no_space")


def test_without_the_settings_nothing_is_made(bench: Bench) -> None:
    put_on_shelf(bench.root)

    Survey(bench.tools(ladder=Ladder()))()

    assert bench.remakes.every() == []
    assert bench.hints == []


class NoExchange(Disk):
    """A file system that cannot exchange names; it may lose its power between two renames."""

    def __init__(self, dies_at: int = 99) -> None:
        self.renames, self.dies_at = 0, dies_at

    def exchange(self, one: Path, other: Path) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    def rename(self, old: Path, new: Path) -> None:
        self.renames += 1
        if self.renames == self.dies_at:
            raise KeyboardInterrupt
        super().rename(old, new)


def a_swap(bench: Bench, video_id: str, disk: Disk) -> None:
    folder = bench.folder(video_id)
    before = verify_folder(folder)
    staging = bench.root / "remakes" / video_id / "stage-1"
    shutil.copytree(folder, staging)
    video = before.video.model_copy(update={"size_bytes": 1})
    swap(
        staging,
        bench.root / "library",
        before,
        video,
        seen=(folder / "metadata.json").read_bytes(),
        fence=lambda: None,
        disk=disk,
    )


def test_where_names_cannot_be_exchanged_two_renames_do(bench: Bench) -> None:
    video_id = put_on_shelf(bench.root)

    a_swap(bench, video_id, NoExchange())

    assert verify_folder(bench.folder(video_id), with_sums=True).video.size_bytes == 1
    assert bench.leftovers() == []


def test_a_swap_that_died_between_its_two_renames_is_mended_by_the_sweep(bench: Bench) -> None:
    video_id = put_on_shelf(bench.root)
    with pytest.raises(KeyboardInterrupt):
        a_swap(bench, video_id, NoExchange(dies_at=2))
    assert find_published(bench.root / "library", video_id) is None
    assert (bench.root / "remakes" / video_id / OLD).is_dir()

    Survey(bench.tools(ladder=Ladder()))()

    assert bench.heights(video_id) == [180]
    assert bench.leftovers() == []
    assert not mend(bench.root / "remakes" / video_id, bench.root / "library", video_id)


def test_a_film_that_is_deleted_after_such_a_death_does_not_come_back(bench: Bench) -> None:
    video_id = put_on_shelf(bench.root)
    with pytest.raises(KeyboardInterrupt):
        a_swap(bench, video_id, NoExchange(dies_at=2))

    MediaTrash(bench.root).discard(video_id, now_s=bench.now_s, for_good=False)
    Survey(bench.tools(ladder=Ladder()))()

    assert not bench.folder(video_id).exists()
    assert len(list((bench.root / "trash").iterdir())) == 1


def test_readers_see_the_old_folder_or_the_new_one_and_open_files_stay_whole(bench: Bench) -> None:
    video_id = bench.film()
    folder, stop, wrong = bench.folder(video_id), threading.Event(), list[str]()
    reads = [0]

    def read() -> None:
        while not stop.is_set():
            manifest = (folder / "manifest.mpd").read_text()
            reads[0] += 1
            files = re.findall(r"<BaseURL>(.*?)</BaseURL>", manifest)
            wrong.extend(name for name in files if not (folder / name).is_file())

    with (folder / "v.mp4").open("rb") as playing:
        reader = threading.Thread(target=read)
        reader.start()
        remaking.remake(token="t", tools=bench.tools())
        stop.set()
        reader.join()
        playing_bytes = playing.read()

    assert wrong == []
    assert reads[0] > 10
    assert playing_bytes == (folder / "v.mp4").read_bytes()


CHILD = """
import sys
from pathlib import Path
from tests.unit.downloader.test_renditions import Bench, Halfway
from kinodom_downloader.domain import remaking
bench = Bench(Path(sys.argv[1]))
run = Halfway(lambda: print("begun", flush=True))
remaking.remake(token="child", tools=bench.tools(run))
"""


def test_killed_in_the_middle_it_is_made_by_the_next_worker_and_nothing_is_left(bench: Bench) -> None:
    video_id = bench.film()
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(bench.root)], stdout=subprocess.PIPE, env=environ, text=True
    ) as child:
        assert child.stdout is not None
        assert any(line == "begun\n" for line in child.stdout)
        child.send_signal(signal.SIGKILL)
    assert bench.heights(video_id) == [180]
    assert remaking.remake(token="t", tools=bench.tools()) is None  # its lease still runs
    assert bench.heights(video_id) == [180]
    bench.now_s += wish_rules.LEASE_S + 1

    remaking.remake(token="t", tools=bench.tools())

    assert bench.heights(video_id) == [180, 144]
    Survey(bench.tools())()
    assert bench.leftovers() == []


def test_a_remake_comes_back_from_the_store_as_it_was(bench: Bench) -> None:
    made = rules.new_remake("ab" * 32, "Salt", (720, 480), now_s=5.0)

    assert bench.remakes.add(made)
    assert not bench.remakes.add(made)

    assert replace(bench.remakes.get(made.video_id), version=0) == made
    assert bench.remakes.in_line() == bench.remakes.every()
