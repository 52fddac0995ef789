"""What browsers do not play is converted, by the encoder that the operator names where it works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kinodom_common.media_tools import MediaInput, Rendition, TrackOutput, encoder_probe
from kinodom_common.media_tools import package as package_command
from kinodom_common.processes import Command, Finished
from kinodom_common.processes import run as run_program
from kinodom_downloader.adapters.encoders import working_encoder
from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.domain.codecs import Coding, video_handling
from kinodom_downloader.domain.fetched import Fetched, FetchedTrack
from tests.support import clips
from tests.support.shelved import a_track

pytestmark = pytest.mark.slow
SHORT = ("-t", "2")


def packed(out: Path, *tracks: FetchedTrack, **options: Any) -> Packaged:
    return package(Fetched(tracks=tracks, duration_s=None, total_bytes=0), out, **options)


PICTURES = {
    "H.264 of 8 bits is copied": (("libx264", "-pix_fmt", "yuv420p"), "avc1."),
    "H.264 of 10 bits is copied": (("libx264", "-pix_fmt", "yuv420p10le"), "avc1.6e"),
    "H.264 4:4:4 becomes H.264": (("libx264", "-pix_fmt", "yuv444p"), "avc1.64"),
    "HEVC is copied as hvc1": (("libx265", "-x265-params", "log-level=none"), "hvc1."),
    "HEVC 4:2:2 becomes H.264": (("libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv422p10le"), "avc1."),
    "VP9 is copied": (("libvpx-vp9", "-cpu-used", "8"), "vp09.00"),
    "VP9 of 10 bits is copied": (("libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuv420p10le"), "vp09.02"),
    "VP9 4:4:4 becomes H.264": (("libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuv444p"), "avc1."),
    "AV1 is copied": (("libaom-av1", "-cpu-used", "8"), "av01.0"),
    "AV1 4:4:4 becomes H.264": (("libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv444p"), "avc1."),
    "VP8 becomes H.264": (("libvpx",), "avc1."),
    "MPEG-2 becomes H.264": (("mpeg2video",), "avc1."),
    "MPEG-4 ASP becomes H.264": (("mpeg4",), "avc1."),
    "Theora becomes H.264": (("libtheora",), "avc1."),
    "ProRes becomes H.264": (("prores",), "avc1."),
}


@pytest.mark.parametrize("row", PICTURES)
def test_pictures(row: str, tmp_path: Path) -> None:
    (coder, *words), codec = PICTURES[row]
    film = clips.coded(f"{coder}{len(words)}{words[-1] if words else ''}.mkv", *SHORT, "-c:v", coder, *words, "-an")

    made = packed(tmp_path / "out", a_track("webm", film))

    assert (made.tracks[0].codec or "").startswith(codec)
    assert made.duration_s == pytest.approx(2.0, abs=0.1)


SOUNDS = {
    "AAC is copied": (("aac",), "mp4a.40.2"),
    "AAC Main becomes AAC-LC": (("aac", "-profile:a", "aac_main"), "mp4a.40.2"),
    "AAC LTP becomes AAC-LC": (("aac", "-profile:a", "aac_ltp", "-strict", "-2"), "mp4a.40.2"),
    "Opus is copied": (("libopus",), "opus"),
    "FLAC is copied": (("flac",), "flac"),
    "AC-3 becomes AAC": (("ac3",), "mp4a.40.2"),
    "E-AC-3 becomes AAC": (("eac3",), "mp4a.40.2"),
    "DTS becomes AAC": (("dca", "-strict", "-2"), "mp4a.40.2"),
    "Vorbis becomes AAC": (("libvorbis",), "mp4a.40.2"),
    "PCM becomes AAC": (("pcm_s16le",), "mp4a.40.2"),
    "MP3 becomes AAC": (("libmp3lame",), "mp4a.40.2"),
    "MP2 becomes AAC": (("mp2",), "mp4a.40.2"),
    "TrueHD becomes AAC": (("truehd", "-strict", "-2"), "mp4a.40.2"),
}


@pytest.mark.parametrize("row", SOUNDS)
def test_sounds(row: str, tmp_path: Path) -> None:
    (coder, *words), codec = SOUNDS[row]
    sound = clips.coded(
        f"sound-{'-'.join([coder, *words[1:2]])}.mkv", *SHORT, "-vn", "-ar", "48000", "-c:a", coder, *words
    )

    made = packed(tmp_path / "out", a_track("webm", sound))

    assert [track.codec for track in made.tracks] == [codec]
    assert made.duration_s == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(("codec", "pixels"), [("h264", "yuv420p10le"), ("hevc", "yuv420p")])
def test_what_some_screens_refuse_is_copied_and_said(codec: str, pixels: str) -> None:
    handling = video_handling(codec, pixels)

    assert (handling.treatment, handling.warning) == ("copy", True)


COMMANDS = {
    "libx264": "-c:v libx264 -preset veryfast -crf 21 -profile:v high -pix_fmt yuv420p",
    "h264_vaapi": "-vf format=nv12,hwupload -c:v h264_vaapi -rc_mode CQP -qp 23",
    "h264_qsv": "-vf format=nv12,hwupload=extra_hw_frames=64 -c:v h264_qsv -global_quality 23 -look_ahead 0",
    "h264_nvenc": "-c:v h264_nvenc -preset p4 -rc vbr -cq 23 -pix_fmt yuv420p",
}


@pytest.mark.parametrize("encoder", COMMANDS)
def test_the_command_is_built_for_the_named_encoder(encoder: Any) -> None:
    output = TrackOutput(path=Path("/out/v.mp4"), kind="video", stream=0, treatment="h264", encoder=encoder)

    words = " ".join(package_command(MediaInput(path=Path("/in.mkv"), demuxer="matroska"), [output]).arguments)

    assert f"{COMMANDS[encoder]} -force_key_frames expr:gte(t,n_forced*2)" in words
    device = {"h264_vaapi": "-vaapi_device /dev/dri/renderD128", "h264_qsv": "-init_hw_device qsv=hw"}.get(encoder)
    assert device is None or words.index(device) < words.index("-i file:")
    assert COMMANDS[encoder] in " ".join(encoder_probe(encoder).arguments)


@pytest.mark.parametrize("encoder", COMMANDS)
def test_a_rendition_is_scaled_and_cut_as_its_source_by_each_encoder(encoder: Any) -> None:
    rendition = Rendition(height_px=480, most_bit_s=1_600_000, timescale=90_000)
    output = TrackOutput(
        path=Path("/out/v-480.mp4"), kind="video", stream=0, treatment="h264", encoder=encoder, rendition=rendition
    )

    words = " ".join(package_command(MediaInput(path=Path("/in.mp4"), demuxer="mov"), [output]).arguments)

    assert words.count("-vf scale=-2:480") == words.count("-vf") == 1
    assert f"-c:v {encoder}" in words
    assert "-force_key_frames source -g 1000000" in words
    assert "-fps_mode passthrough -enc_time_base 1/90000 -video_track_timescale 90000" in words
    assert ("-maxrate 1600000" in words) == (encoder in ("libx264", "h264_nvenc"))


def test_copied_pictures_get_no_device() -> None:
    output = TrackOutput(path=Path("/out/v.mp4"), kind="video", stream=0, encoder="h264_vaapi")

    words = package_command(MediaInput(path=Path("/in.mkv"), demuxer="matroska"), [output]).arguments

    assert "-vaapi_device" not in words


def test_an_encoder_that_works_is_taken() -> None:
    def run(command: Command, **options: Any) -> Finished:
        return Finished(returncode=0, stderr="", stdout=b"")

    assert working_encoder("h264_nvenc", run=run) == "h264_nvenc"


def test_an_encoder_that_does_not_work_here_is_replaced_and_the_film_comes_all_the_same(tmp_path: Path) -> None:
    def run(command: Command, **options: Any) -> Finished:
        if "h264_nvenc" in command.arguments:
            return Finished(returncode=1, stderr="Cannot load libcuda.so.1", stdout=b"")
        return run_program(command, **options)

    film = clips.coded("for-the-chip.mkv", *SHORT, "-c:v", "mpeg4", "-an")

    made = packed(tmp_path / "out", a_track("webm", film), coding=Coding(encoder="h264_nvenc"), run=run)

    assert (made.tracks[0].codec or "").startswith("avc1.")
