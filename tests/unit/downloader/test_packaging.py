"""Packaging with the real ffmpeg: what comes out is what came in, exactly where it was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kinodom_common.errors import NoSpace
from kinodom_common.media_tools import MediaInput, probe
from kinodom_common.processes import Command, Finished, ProgramFailed, ProgramStopped, checked, run
from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.adapters.track_files import finish_track
from kinodom_downloader.domain.boxes import Box, BrokenBoxes, Index, load, read_index, top_boxes
from kinodom_downloader.domain.checks import DurationWrong, IndexWrong, NothingToPlay, PackagingFailed
from kinodom_downloader.domain.fetched import Container, Fetched, FetchedTrack, Role
from tests.support import clips

pytestmark = pytest.mark.slow

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
AAC_FRAME_S = 1024 / 44_100


def _fetched(*tracks: FetchedTrack) -> Fetched:
    return Fetched(tracks=tracks, duration_s=None, total_bytes=0)


def _track(
    role: Role,
    container: Container,
    *parts: Path,
    durations_s: tuple[float, ...] = (),
    breaks: tuple[int, ...] = (),
    language: str | None = None,
    name: str | None = None,
) -> FetchedTrack:
    return FetchedTrack(
        role=role,
        container=container,
        parts=parts,
        durations_s=durations_s,
        breaks=breaks,
        language=language,
        name=name,
    )


def _index(path: Path) -> Index:
    with path.open("rb") as file:
        box = next(box for box in top_boxes(file, path.stat().st_size) if box.kind == "sidx")
        index = read_index(load(file, box), Box("sidx", 0, box.size, box.header))
        return Index(box, index.timescale, index.references)


def _starts_s(path: Path) -> list[float]:
    index = _index(path)
    return [part.at / index.timescale for part in index.references]


FILMS = {
    "ts": _track("muxed", "ts", *clips.film_ts_parts(), durations_s=(5.0, 5.0, 5.0, 5.0, 4.0)),
    "fmp4": _track("muxed", "fmp4", *clips.film_fmp4()),
}


@pytest.mark.parametrize("shape", FILMS)
def test_listed_times_are_those_of_the_key_frames(shape: str, tmp_path: Path) -> None:
    package(_fetched(FILMS[shape]), tmp_path / "out")

    starts_s = _starts_s(tmp_path / "out" / "v.mp4")
    assert starts_s == pytest.approx(clips.KEY_FRAMES_S, abs=1e-6)
    seen_s = clips.video_key_frames_s(tmp_path / "out" / "v.mp4")
    # ffprobe reads negative composition offsets late by a constant; the distances are what counts.
    assert [at - seen_s[0] for at in seen_s] == pytest.approx(starts_s, abs=clips.FRAME_S / 2)


@pytest.mark.parametrize("shape", FILMS)
def test_late_sound_stays_late_by_the_same_time(shape: str, tmp_path: Path) -> None:
    package(_fetched(FILMS[shape]), tmp_path / "out")

    offset_s = _starts_s(tmp_path / "out" / "a-und.mp4")[0] - _starts_s(tmp_path / "out" / "v.mp4")[0]
    assert offset_s == pytest.approx(clips.AUDIO_LATE_S - AAC_FRAME_S, abs=0.001)


def test_sound_and_picture_from_two_files_keep_their_distance(tmp_path: Path) -> None:
    video, audio = clips.separate_fmp4()

    package(_fetched(_track("video", "fmp4", video), _track("audio", "fmp4", audio)), tmp_path / "out")

    offset_s = _starts_s(tmp_path / "out" / "a-und.mp4")[0] - _starts_s(tmp_path / "out" / "v.mp4")[0]
    assert offset_s == pytest.approx(clips.AUDIO_LATE_S - AAC_FRAME_S, abs=0.001)


def test_an_audio_frame_before_zero_becomes_the_start(tmp_path: Path) -> None:
    package(_fetched(_track("muxed", "mp4", clips.film_mp4())), tmp_path / "out")

    assert _starts_s(tmp_path / "out" / "a-und.mp4")[0] == 0.0
    assert _starts_s(tmp_path / "out" / "v.mp4")[0] == pytest.approx(AAC_FRAME_S, abs=0.0001)
    boxes = _index(tmp_path / "out" / "a-und.mp4")
    assert boxes.end_s == pytest.approx(clips.LENGTH_S + AAC_FRAME_S, abs=0.03)


def test_every_entry_of_the_index_is_a_place_to_start(tmp_path: Path) -> None:
    package(_fetched(FILMS["ts"]), tmp_path / "out")

    content = (tmp_path / "out" / "v.mp4").read_bytes()
    box = _index(tmp_path / "out" / "v.mp4").box
    words = [content[at : at + 4].hex() for at in range(box.start + 40 + 8, box.end, 12)]
    assert words == ["90000000"] * len(clips.KEY_FRAMES_S)


def test_restarted_clocks_are_put_behind_each_other(tmp_path: Path) -> None:
    parts = (clips.short_ts(), clips.film_ts(), clips.short_ts())
    track = _track("muxed", "ts", *parts, durations_s=(8.0, 24.0, 8.0), breaks=(1, 2))

    packaged = package(_fetched(track), tmp_path / "out")

    assert packaged.duration_s == pytest.approx(40.0, abs=0.1)


def test_a_second_init_section_is_obeyed(tmp_path: Path) -> None:
    parts = clips.film_fmp4()
    durations = (0.0, *(24.0 / (len(parts) - 1),) * (len(parts) - 1))
    track = _track("muxed", "fmp4", *parts, *parts, durations_s=durations * 2, breaks=(len(parts),))

    packaged = package(_fetched(track), tmp_path / "out")

    assert packaged.duration_s == pytest.approx(48.0, abs=0.2)


def test_several_sounds_get_files_names_and_languages_of_their_own(tmp_path: Path) -> None:
    video, audio = clips.separate_fmp4()
    sounds = (
        _track("audio", "fmp4", audio, language="rus", name='Dub "A" <b>'),
        _track("audio", "fmp4", audio, language="ru", name="Second"),
        _track("audio", "fmp4", audio, language="en"),
    )

    packaged = package(_fetched(_track("video", "fmp4", video), *sounds), tmp_path / "out")

    assert [track.file for track in packaged.tracks] == ["v.mp4", "a-ru.mp4", "a-ru-2.mp4", "a-en.mp4"]
    labels = [label.text for label in ElementTree.parse(tmp_path / "out" / "manifest.mpd").iter(f"{MPD}Label")]
    assert labels == ['Dub "A" <b>', "Second", "English"]
    master = (tmp_path / "out" / "master.m3u8").read_text(encoding="utf-8")
    assert 'NAME="Dub \'A\' <b>",LANGUAGE="ru"' in master


def test_the_decoder_configuration_of_the_sound_is_in_the_header(tmp_path: Path) -> None:
    packaged = package(_fetched(FILMS["ts"]), tmp_path / "out", language="ru", translation_name="Studio")

    assert [(track.file, track.codec) for track in packaged.tracks] == [
        ("v.mp4", "avc1.64000c"),
        ("a-ru.mp4", "mp4a.40.2"),
    ]
    assert packaged.height_px == 180


@pytest.mark.parametrize(
    ("name", "codec", "container", "codecs"),
    [
        ("ac3.ts", ("-c:v", "libx264", "-c:a", "ac3"), "ts", ["avc1.64000b", "mp4a.40.2"]),
        ("mp3.mp4", ("-c:v", "libx264", "-c:a", "libmp3lame"), "mp4", ["avc1.64000b", "mp4a.40.2"]),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"), "webm", ["vp09.00.10.08", "opus"]),
        ("flac.mp4", ("-c:v", "libx264", "-c:a", "flac", "-strict", "-2"), "mp4", ["avc1.64000b", "flac"]),
        ("hevc.mp4", ("-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "aac"), "mp4", None),
        ("mpeg2.ts", ("-c:v", "mpeg2video", "-c:a", "mp2"), "ts", ["avc1.64000b", "mp4a.40.2"]),
    ],
)
def test_what_browsers_play_is_copied_and_the_rest_converted(
    name: str, codec: tuple[str, ...], container: Container, codecs: list[str] | None, tmp_path: Path
) -> None:
    source = clips.coded(name, *codec)

    packaged = package(_fetched(_track("muxed", container, source)), tmp_path / "out")

    seen = [track.codec for track in packaged.tracks]
    assert seen == codecs or (codecs is None and str(seen[0]).startswith("hvc1.1."))
    assert packaged.duration_s == pytest.approx(6.0, abs=0.15)


def test_a_converted_sound_stays_in_step(tmp_path: Path) -> None:
    source = clips.coded("ac3.ts", "-c:v", "libx264", "-c:a", "ac3")
    command = probe(MediaInput(path=source, demuxer="mpegts"))
    streams = json.loads(checked(run(command, timeout_s=30), "ffprobe").stdout)["streams"]
    before_s = float(streams[1]["start_time"]) - float(streams[0]["start_time"])

    package(_fetched(_track("muxed", "ts", source)), tmp_path / "out")

    after_s = _starts_s(tmp_path / "out" / "a-und.mp4")[0] - _starts_s(tmp_path / "out" / "v.mp4")[0]
    assert after_s == pytest.approx(before_s - 1024 / 44_100, abs=0.001)


def test_a_playlist_of_byte_ranges_covers_the_file_to_its_last_byte(tmp_path: Path) -> None:
    package(_fetched(FILMS["ts"]), tmp_path / "out")

    text = (tmp_path / "out" / "v.m3u8").read_text()
    ranges = [(int(size), int(at)) for size, at in re.findall(r"BYTERANGE:(\d+)@(\d+)", text)]
    (head,) = re.findall(r'MAP:URI="v.mp4",BYTERANGE="(\d+)@0"', text)
    ends = [at + size for size, at in ranges]
    assert [at for _size, at in ranges][1:] == ends[:-1]
    assert ends[-1] == (tmp_path / "out" / "v.mp4").stat().st_size
    assert int(head) == _index(tmp_path / "out" / "v.mp4").box.start


def test_a_poster_is_a_picture_of_the_film(tmp_path: Path) -> None:
    package(_fetched(FILMS["ts"]), tmp_path / "out")

    content = (tmp_path / "out" / "poster.jpg").read_bytes()
    assert content.startswith(b"\xff\xd8\xff")


def test_subtitles_from_beside_and_from_inside_become_webvtt(tmp_path: Path) -> None:
    srt = tmp_path / "film.srt"
    srt.write_text("1\n00:00:01,000 --> 00:00:02,500\nПривет <script>alert(1)</script>\n", encoding="utf-8")
    inside = tmp_path / "inside.mp4"
    clips.ffmpeg(
        "-i", clips.film_mp4(), "-i", srt, "-c", "copy", "-c:s", "mov_text", "-metadata:s:s:0", "language=eng", inside
    )
    beside = _track("subtitles", "srt", srt, language="ru")

    packaged = package(_fetched(_track("muxed", "mp4", inside), beside), tmp_path / "out")

    assert [track.file for track in packaged.tracks if track.kind == "subtitles"] == ["s-ru.vtt", "s-en.vtt"]
    text = (tmp_path / "out" / "s-ru.vtt").read_text(encoding="utf-8")
    assert text == "WEBVTT\n\n00:00:01.023 --> 00:00:02.523\nПривет alert(1)\n"
    assert "00:00:01.023 -->" in (tmp_path / "out" / "s-en.vtt").read_text(encoding="utf-8")
    assert 'SUBTITLES="text"' in (tmp_path / "out" / "master.m3u8").read_text()


def test_a_film_shorter_than_its_playlist_is_not_packaged(tmp_path: Path) -> None:
    track = _track("muxed", "ts", *clips.film_ts_parts()[:4], durations_s=(6.0, 6.0, 6.0, 6.0))

    with pytest.raises(DurationWrong, match=r"18\.|19\."):
        package(_fetched(track), tmp_path / "out")


def test_a_cut_mp4_is_refused(tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clips.film_mp4().read_bytes()[:200_000])

    with pytest.raises((BrokenBoxes, PackagingFailed)):
        package(_fetched(_track("muxed", "mp4", cut)), tmp_path / "out")


def test_a_page_in_place_of_a_film_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.ts"
    page.write_text("<html>please log in</html>" * 100)

    with pytest.raises((ProgramFailed, NothingToPlay)):
        package(_fetched(_track("muxed", "ts", page)), tmp_path / "out")


def test_bytes_behind_the_index_are_refused(tmp_path: Path) -> None:
    package(_fetched(FILMS["ts"]), tmp_path / "out")
    with (tmp_path / "out" / "v.mp4").open("ab") as file:
        file.write(b"\0\0\0\x08free")

    with pytest.raises(IndexWrong):
        finish_track(tmp_path / "out" / "v.mp4", start_s=0.0)


def test_progress_is_told_and_ends_at_one(tmp_path: Path) -> None:
    told: list[float] = []

    package(_fetched(FILMS["ts"]), tmp_path / "out", progress=told.append)

    assert told[-1] == 1.0
    assert told == sorted(told)


def test_stopping_ends_the_work(tmp_path: Path) -> None:
    with pytest.raises(ProgramStopped):
        package(_fetched(FILMS["ts"]), tmp_path / "out", stopped=lambda: True)


def test_nothing_but_the_finished_files_is_left(tmp_path: Path) -> None:
    packaged: Packaged = package(_fetched(FILMS["ts"]), tmp_path / "out")

    names = {path.name for path in (tmp_path / "out").iterdir()}
    made = {"v.mp4", "a-und.mp4", "v.m3u8", "a-und.m3u8", "manifest.mpd", "master.m3u8"}
    assert names == made | {"poster.jpg", "sprite-0.jpg", "sprites.vtt"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert packaged.size_bytes == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize(("full_bytes", "told"), [(1, PackagingFailed), (2**60, NoSpace)])
def test_a_file_that_is_cut_on_a_full_disk_is_want_of_room(
    full_bytes: int, told: type[Exception], tmp_path: Path
) -> None:
    def cut_run(command: Command, **options: Any) -> Finished:
        finished = run(command, **options)
        for video in [Path(word.removeprefix("file:")) for word in command.arguments if word.endswith("/v.mp4")]:
            video.write_bytes(video.read_bytes()[:-100])  # ffmpeg ends well on a full disk
        return finished

    with pytest.raises((PackagingFailed, BrokenBoxes, NoSpace)) as caught:
        package(_fetched(FILMS["ts"]), tmp_path / "out", run=cut_run, full_bytes=full_bytes)

    assert (caught.type is NoSpace) == (told is NoSpace)
