"""A film of several parts is published as one: one picture and whole sounds, from its first second to its last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.domain.checks import DurationWrong
from kinodom_downloader.domain.faults import PlaylistRefused
from tests.support import media, origin
from tests.support.fetching import fetch_from
from tests.support.origin import Origin
from tests.support.periods import (
    HEVC,
    TAKE_S,
    errors_of,
    frames_of,
    level_db,
    manifest,
    put_parts,
    put_period,
    take,
)

pytestmark = pytest.mark.slow

LOUD_DB, SILENT_DB = -40.0, -80.0


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def published(host: Origin, folder: Path, entry: str = "/film.mpd") -> Packaged:
    fetched = fetch_from(host, entry, folder / "work", delivery="dash" if entry.endswith("mpd") else "hls")
    made = package(fetched, folder / "out")
    assert errors_of(*(folder / "out" / track.file for track in made.tracks if track.kind != "subtitles")) == []
    return made


def put_takes(host: Origin, *films: Path) -> None:
    host.files["/film.mpd"] = manifest(*(put_period(host, f"p{at}", film) for at, film in enumerate(films)))


@pytest.mark.parametrize(
    ("later", "size"),
    [
        pytest.param(take(size="640x360", tone_hz=660), (320, 180), id="another size"),
        pytest.param(take(coder=HEVC, tone_hz=660), (320, 180), id="another codec"),
        pytest.param(take(rate_hz=44_100, tone_hz=660), (320, 180), id="another sound"),
    ],
)
@pytest.mark.parametrize("shape", ["dash", "fmp4", "mpegts"])
def test_parts_of_another_configuration_become_one_track(
    host: Origin, tmp_path: Path, later: Path, size: tuple[int, int], shape: str
) -> None:
    if shape == "dash":
        put_takes(host, take(), later)
    else:
        put_parts(host, take(), later, kind=shape)

    made = published(host, tmp_path, "/film.mpd" if shape == "dash" else "/index.m3u8")

    picture, sound = made.tracks
    assert (picture.width_px, picture.height_px) == size
    assert (str(picture.codec)[:5], sound.codec) == ("avc1.", "mp4a.40.2")
    assert made.duration_s == pytest.approx(2 * TAKE_S, abs=0.1)
    assert frames_of(tmp_path / "out" / picture.file) == pytest.approx(2 * TAKE_S * 25, abs=1)
    assert level_db(tmp_path / "out" / sound.file, TAKE_S + 0.5, 2 * TAKE_S - 0.5) > LOUD_DB


def test_the_longest_part_says_how_large_the_picture_is(host: Origin, tmp_path: Path) -> None:
    put_parts(host, take(), take(size="640x360"), take(size="640x360"))

    made = published(host, tmp_path, "/index.m3u8")

    assert made.height_px == 360
    assert made.duration_s == pytest.approx(3 * TAKE_S, abs=0.1)


@pytest.mark.parametrize("silent", [0, 1])
def test_a_period_without_sound_is_silent(host: Origin, tmp_path: Path, silent: int) -> None:
    films = [take(), take()]
    films[silent] = take(tone_hz=None)
    put_takes(host, *films)

    made = published(host, tmp_path)

    assert [track.kind for track in made.tracks] == ["video", "audio"]
    assert made.duration_s == pytest.approx(2 * TAKE_S, abs=0.1)
    sound = tmp_path / "out" / made.tracks[1].file
    levels = [level_db(sound, at * TAKE_S + 0.2, (at + 1) * TAKE_S - 0.2) for at in (0, 1)]
    assert levels[silent] < SILENT_DB
    assert levels[1 - silent] > LOUD_DB


@pytest.mark.parametrize("silent", [0, 1])
@pytest.mark.parametrize("kind", ["fmp4", "mpegts"])
def test_a_part_without_the_sound_that_others_have_inside_is_silent(
    host: Origin, tmp_path: Path, silent: int, kind: str
) -> None:
    films = [take(), take()]
    films[silent] = take(tone_hz=None)
    put_parts(host, *films, kind=kind)

    made = published(host, tmp_path, "/index.m3u8")

    assert made.duration_s == pytest.approx(2 * TAKE_S, abs=0.1)
    sound = tmp_path / "out" / made.tracks[1].file
    levels = [level_db(sound, at * TAKE_S + 0.2, (at + 1) * TAKE_S - 0.2) for at in (0, 1)]
    assert levels[silent] < SILENT_DB
    assert levels[1 - silent] > LOUD_DB


@pytest.mark.parametrize("languages", [("eng", "en"), ("rus", "eng"), (None, "eng")])
def test_a_sound_goes_on_whatever_its_language_is_called(
    host: Origin, tmp_path: Path, languages: tuple[str | None, str | None]
) -> None:
    put_takes(host, *(take(language=one) for one in languages))

    made = published(host, tmp_path)

    assert [track.kind for track in made.tracks] == ["video", "audio"]
    assert level_db(tmp_path / "out" / made.tracks[1].file, TAKE_S + 0.2, 2 * TAKE_S - 0.2) > LOUD_DB
    assert made.duration_s == pytest.approx(2 * TAKE_S, abs=0.1)


def test_single_files_in_a_row_are_cut_by_their_indices_and_joined(host: Origin, tmp_path: Path) -> None:
    host.files |= {"/a.mp4": media.indexed_mp4().read_bytes(), "/b.mp4": media.indexed_mp4().read_bytes()}
    period = (
        f'<Period duration="PT{media.DURATION_S}S"><AdaptationSet mimeType="video/mp4"><Representation id="1">'
        '<BaseURL>{}.mp4</BaseURL><SegmentBase indexRange="0-1"/></Representation></AdaptationSet></Period>'
    )
    host.files["/film.mpd"] = manifest(period.format("a"), period.format("b"))

    made = published(host, tmp_path)

    assert made.duration_s == pytest.approx(2 * media.DURATION_S, abs=0.1)


def test_single_files_in_a_row_without_an_index_are_refused(host: Origin, tmp_path: Path) -> None:
    host.files |= {"/a.mp4": media.film_mp4().read_bytes(), "/b.mp4": media.film_mp4().read_bytes()}
    period = (
        '<Period duration="PT12S"><AdaptationSet mimeType="video/mp4"><Representation id="1">'
        "<BaseURL>{}.mp4</BaseURL></Representation></AdaptationSet></Period>"
    )
    host.files["/film.mpd"] = manifest(period.format("a"), period.format("b"))

    with pytest.raises(PlaylistRefused, match="single files in a row"):
        fetch_from(host, "/film.mpd", tmp_path / "work", delivery="dash")


def test_half_a_film_is_not_published(host: Origin, tmp_path: Path) -> None:
    put_takes(host, take(), take())
    fetched = fetch_from(host, "/film.mpd", tmp_path / "work", delivery="dash")
    halves = tuple(
        replace(track, parts=track.parts[:3], durations_s=track.durations_s[:3], breaks=()) for track in fetched.tracks
    )

    with pytest.raises(DurationWrong, match=r"its list said 8\.0 s"):
        package(replace(fetched, tracks=halves), tmp_path / "out")
