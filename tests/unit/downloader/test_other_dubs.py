"""Dubs of one picture become sounds of one presentation, without taking room and without touching the older film."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.ids import folder_of
from kinodom_downloader.adapters.exports import LibraryExports
from kinodom_downloader.adapters.other_dubs import borrow
from kinodom_downloader.adapters.publish import verify_folder
from kinodom_downloader.adapters.sample_tables import picture_hash
from kinodom_downloader.adapters.trash import MediaTrash
from kinodom_downloader.domain.fetched import FetchedTrack
from tests.support import clips
from tests.support.shelved import REQUEST, a_track, put_on_shelf

pytestmark = pytest.mark.slow


def dub(name: str, language: str = "ru") -> WishRequest:
    changes = {"translation_id": name.lower(), "translation_name": name, "language": language}
    return REQUEST.model_copy(update=changes)


def take(hertz: int) -> tuple[FetchedTrack, FetchedTrack]:
    """Return the picture of the film with another sound."""
    video, _audio = clips.separate_fmp4()
    sound = clips.coded(f"take-{hertz}.m4a", "-vn", "-af", f"asetrate={hertz},aresample=44100", "-t", "5")
    return a_track("fmp4", video, role="video"), a_track("mp4", sound, role="audio")


def shelved(root: Path, request: WishRequest, *tracks: FetchedTrack, others: tuple[str, ...] = ()) -> str:
    return put_on_shelf(
        root,
        *tracks,
        request=request,
        other_dubs=lambda made, out: borrow(made, out, root / "library", others),
    )


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of two dubs of one picture; the second was published when the first was there."""
    first = shelved(tmp_path, dub("Prichal"), *take(44_100))
    second = shelved(tmp_path, dub("Kotelnaya"), *take(30_000), others=(first,))
    return tmp_path / "library" / folder_of(first), tmp_path / "library" / folder_of(second)


def test_the_newer_film_has_the_sounds_of_both(two: tuple[Path, Path]) -> None:
    metadata = verify_folder(two[1], with_sums=True)

    sounds = [(track.file, track.dub) for track in metadata.video.tracks if track.kind == "audio"]
    assert sounds == [("a-ru.mp4", None), ("a-ru-2.mp4", "Prichal")]
    manifest = (two[1] / "manifest.mpd").read_text()
    assert manifest.count('contentType="audio"') == 2
    assert "<Label>Prichal</Label>" in manifest
    assert 'NAME="Prichal"' in (two[1] / "master.m3u8").read_text()


def test_the_lent_sound_takes_no_room(two: tuple[Path, Path]) -> None:
    own = sum(path.stat().st_size for path in two[1].iterdir() if path.stat().st_nlink == 1)

    assert (two[0] / "a-ru.mp4").samefile(two[1] / "a-ru-2.mp4")
    said = json.loads((two[1] / "metadata.json").read_text())["video"]["size_bytes"]
    assert said == pytest.approx(own, abs=20_000)  # the metadata themselves are not counted


def test_the_older_film_stays_as_it_was(two: tuple[Path, Path]) -> None:
    metadata = verify_folder(two[0], with_sums=True)

    assert [track.dub for track in metadata.video.tracks if track.kind == "audio"] == [None]
    assert (two[0] / "manifest.mpd").read_text().count('contentType="audio"') == 1


def test_the_newer_film_stays_whole_when_the_older_one_is_deleted(two: tuple[Path, Path], tmp_path: Path) -> None:
    MediaTrash(tmp_path).discard(two[0].name, now_s=0.0, for_good=True)

    verify_folder(two[1], with_sums=True)
    export = LibraryExports(tmp_path).open(two[1].name)
    export.stream.close()


def test_a_third_dub_gets_each_of_the_others_once(two: tuple[Path, Path], tmp_path: Path) -> None:
    third = shelved(tmp_path, dub("Chor"), *take(50_000), others=(two[0].name, two[1].name))

    metadata = verify_folder(tmp_path / "library" / folder_of(third))
    assert [t.dub for t in metadata.video.tracks if t.kind == "audio"] == [None, "Prichal", "Kotelnaya"]


def test_another_coding_of_the_same_film_lends_nothing(tmp_path: Path) -> None:
    first = shelved(tmp_path, dub("Prichal"), *take(44_100))
    other = a_track("mp4", clips.film_mp4())

    second = shelved(tmp_path, dub("Kotelnaya"), other, others=(first,))

    metadata = verify_folder(tmp_path / "library" / folder_of(second))
    assert [track.dub for track in metadata.video.tracks if track.kind == "audio"] == [None]


@pytest.mark.parametrize("others", [("cd" * 32,), ("not an id",)])
def test_films_that_are_not_there_cost_nothing(others: tuple[str, ...], tmp_path: Path) -> None:
    video_id = shelved(tmp_path, dub("Prichal"), *take(44_100), others=others)

    verify_folder(tmp_path / "library" / folder_of(video_id))


def test_a_picture_is_known_by_its_frames(two: tuple[Path, Path]) -> None:
    assert picture_hash(two[0] / "v.mp4") == picture_hash(two[1] / "v.mp4")
    assert picture_hash(two[0] / "a-ru.mp4") != picture_hash(two[1] / "a-ru.mp4")
