"""A film as one plain MP4: the same frames at the same times, with tags, by range, and not for everybody at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pydantic import HttpUrl, SecretStr

from kinodom_common.contracts.offers import Skip
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.exports import LibraryExports
from kinodom_downloader.app import create_app
from kinodom_downloader.domain.exporting import ExportBusy, NoSuchFilm, file_name
from kinodom_downloader.settings import WebSettings
from kinodom_downloader.wiring import web
from tests.support import clips
from tests.support.fetching import fetch_from
from tests.support.origin import origin
from tests.support.served import served
from tests.support.shelved import a_track, put_on_shelf

pytestmark = pytest.mark.slow
KEY = "an invented key"


def seen(path: Path, *entries: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", *entries, "-of", "json", path]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def frames(path: Path, kind: str) -> list[str]:
    """Return time and hash of every decoded frame of a stream, on the film's own timeline."""
    command = ["ffmpeg", "-v", "error", "-copyts", "-i", path, "-map", f"0:{kind}:0", "-f", "framemd5", "-"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if not line.startswith("#")]


def saved(exports: LibraryExports, video_id: str, to: Path) -> Path:
    export = exports.open(video_id)
    with export.stream, to.open("wb") as file:
        while block := export.stream.read(50_000):
            file.write(block)
    assert to.stat().st_size == export.size_bytes
    return to


@pytest.fixture(scope="module", params=["packaged", "gathered"])
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("shelf")
    if request.param == "packaged":
        return root, put_on_shelf(root)
    with origin() as host:
        host.put(clips.film_apart())
        fetched = fetch_from(host, "/master.m3u8", root / "parts")
    return root, put_on_shelf(root, *fetched.tracks)


@pytest.fixture
def film(shelf: tuple[Path, str], tmp_path: Path) -> Path:
    root, video_id = shelf
    return saved(LibraryExports(root), video_id, tmp_path / "film.mp4")


def hashes(path: Path, kind: str) -> list[str]:
    return [line.rpartition(",")[2].strip() for line in frames(path, kind)]


def test_every_frame_is_the_same_at_the_same_time(shelf: tuple[Path, str], film: Path) -> None:
    folder = shelf[0] / "library" / folder_of(shelf[1])

    assert hashes(film, "v") == hashes(folder / "v.mp4", "v")
    assert hashes(film, "a") == hashes(folder / "a-ru.mp4", "a")
    assert clips.video_key_frames_s(film) == pytest.approx(clips.KEY_FRAMES_S, abs=0.001)


def test_late_sound_stays_late(film: Path) -> None:
    starts = {s["codec_type"]: float(s["start_time"]) for s in seen(film, "-show_streams")["streams"]}

    assert starts["audio"] - starts["video"] == pytest.approx(clips.AUDIO_LATE_S - 1024 / 44_100, abs=0.001)


def test_its_header_comes_first_and_it_is_not_fragmented(film: Path) -> None:
    content = film.read_bytes()

    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content
    assert b"mvex" not in content


def test_it_says_what_it_is(film: Path) -> None:
    shown = seen(film, "-show_format", "-show_streams")

    tags = shown["format"]["tags"]
    assert (tags["title"], tags["show"], tags["date"]) == ("Соль и луна", "The Tin Lighthouse", "2026")
    assert (tags["season_number"], tags["episode_sort"], tags["comment"]) == ("1", "2", "Prichal")
    assert [s["tags"]["language"] for s in shown["streams"] if s["codec_type"] == "audio"] == ["rus"]


def test_its_chapters_are_where_the_film_may_be_passed_over(tmp_path: Path) -> None:
    video_id = put_on_shelf(tmp_path, skips=(Skip(kind="opening", start_s=2.0, end_s=4.5),))

    film = saved(LibraryExports(tmp_path), video_id, tmp_path / "film.mp4")

    chapters = seen(film, "-show_chapters")["chapters"]
    told = [(float(one["start_time"]), one["tags"]["title"]) for one in chapters]
    assert told == [(0.0, "Film"), (2.0, "Opening"), (4.5, "Film")]


SHAPES = {
    "no sound": ("silent.mp4", ("-an",), {"v"}),
    "sound alone": ("sound.m4a", ("-vn",), {"a"}),
    "variable frame rate": ("vfr.mp4", ("-vf", "select='not(mod(n,7))+not(mod(n,3))'", "-fps_mode", "vfr"), {"v", "a"}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_films_leave_whole(shape: str, tmp_path: Path) -> None:
    name, words, expected = SHAPES[shape]
    video_id = put_on_shelf(tmp_path, a_track("mp4", clips.coded(name, *words)))
    folder = tmp_path / "library" / folder_of(video_id)

    film = saved(LibraryExports(tmp_path), video_id, tmp_path / "film.mp4")

    kinds = {track["codec_type"][0] for track in seen(film, "-show_streams")["streams"]}
    assert kinds == expected
    for kind in kinds:
        track = folder / ("v.mp4" if kind == "v" else "a-ru.mp4")
        assert hashes(film, kind) == hashes(track, kind)
    ends = [float(one["duration"]) for one in seen(film, "-show_streams")["streams"]]
    assert max(ends) == pytest.approx(6.0, abs=0.15)


def test_only_so_many_leave_at_once_and_the_next_one_when_one_has_left(shelf: tuple[Path, str]) -> None:
    exports = LibraryExports(shelf[0], at_once=1)
    first = exports.open(shelf[1])

    with pytest.raises(ExportBusy):
        exports.open(shelf[1])
    first.stream.close()
    exports.open(shelf[1]).stream.close()


def test_what_is_not_there_takes_no_place(shelf: tuple[Path, str]) -> None:
    exports = LibraryExports(shelf[0], at_once=1)

    for _ in range(3):
        with pytest.raises(NoSuchFilm):
            exports.open("cd" * 32)

    exports.open(shelf[1]).stream.close()


@pytest.fixture
def address(shelf: tuple[Path, str], tmp_path: Path) -> Iterator[str]:
    settings = WebSettings(
        inner_key=SecretStr(KEY),
        store=f"sqlite:///{tmp_path / 'store.sqlite'}",
        redis_url=SecretStr("redis://nowhere/0"),
        media_root=shelf[0],
        catalogue_url=HttpUrl("http://127.0.0.1:9"),
    )
    deps = replace(web(settings), exports=LibraryExports(shelf[0], at_once=1))
    with served(create_app(settings, deps=deps)) as url:
        yield url


def test_a_film_goes_out_whole_and_by_range(address: str, shelf: tuple[Path, str], film: Path) -> None:
    door, key = f"{address}/videos/{shelf[1]}/file", {"Authorization": f"Bearer {KEY}"}

    whole = requests.get(door, headers=key, timeout=10)
    some = {"Range": "bytes=1000-200000", "If-Range": whole.headers["ETag"]}
    part = requests.get(door, headers={**key, **some}, timeout=10)
    beyond = requests.get(door, headers={**key, "Range": "bytes=999999999-"}, timeout=10)
    again = requests.get(door, headers=key, timeout=10)

    assert whole.content == again.content == film.read_bytes()
    assert (part.status_code, part.content) == (206, whole.content[1000:200001])
    assert beyond.status_code == 416
    assert (
        "filename*=UTF-8''The%20Tin%20Lighthouse%20%282026%29%2C%20S01E02%2C%20Prichal.mp4"
        in (whole.headers["Content-Disposition"])
    )


def _video(name: str, dub: str, episode: int | None) -> VideoIn:
    return VideoIn(
        title=TitleCard(external_id="demo:x", name=name or "x", year=2026),
        external_id="demo:x",
        episode=episode,
        translation_name=dub,
        duration_s=1.0,
        size_bytes=1,
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@given(name=st.text(max_size=300), dub=st.text(max_size=200), episode=st.one_of(st.none(), st.integers(0, 99_999)))
def test_a_file_name_fits_everywhere(name: str, dub: str, episode: int | None) -> None:
    made = file_name(_video(name, dub, episode))

    assert len(made) <= 128
    assert len(made.encode()) <= 255
    assert made.endswith(".mp4")
    assert not set(made) & set('<>:"/\\|?*')
    assert made.isprintable()
    assert made[0] not in " ."


@pytest.mark.parametrize(
    ("name", "made"), [("CON", "_CON.mp4"), ("...", "film.mp4"), ("../../etc/passwd", "etc passwd.mp4")]
)
def test_names_that_mean_something_elsewhere_are_changed(name: str, made: str) -> None:
    video = _video(name, "Original", None)

    assert file_name(video.model_copy(update={"title": video.title.model_copy(update={"year": None})})) == made
