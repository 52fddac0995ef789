"""Copy, convert or refuse; and what the gate lets through."""

from __future__ import annotations

import pytest

from kinodom_downloader.domain.boxes import Box, Fragment, Index, Reference
from kinodom_downloader.domain.checks import (
    DurationWrong,
    IndexWrong,
    NoKeyFrame,
    OffsetLost,
    Plan,
    check_duration,
    check_fragment,
    check_index,
    check_offset,
    plan_of,
)
from kinodom_downloader.domain.codecs import NotPlayable, audio_handling, is_text_subtitle, video_handling

INDEX = Index(Box("sidx", 0, 50, 8), 1000, (Reference(50, 100, 0, 10_000),))


@pytest.mark.parametrize(
    ("codec", "profile", "pixels", "treatment", "warning"),
    [
        ("h264", "Constrained Baseline", "yuv420p", "copy", False),
        ("h264", "High", "yuvj420p", "copy", False),
        ("h264", "High 10", "yuv420p10le", "copy", True),
        ("h264", "Extended", "yuv420p", "h264", False),
        ("h264", "High 4:2:2", "yuv422p", "h264", False),
        ("h264", "High 4:4:4 Predictive", "yuv444p", "h264", False),
        ("h264", None, None, "copy", False),
        ("hevc", "Main", "yuv420p", "copy", True),
        ("hevc", "Main 10", "yuv420p10le", "copy", True),
        ("hevc", "Rext", "yuv422p10le", "h264", False),
        ("hevc", "Rext", "yuv420p12le", "h264", False),
        ("vp9", "Profile 0", "yuv420p", "copy", False),
        ("vp9", "Profile 1", "yuv444p", "h264", False),
        ("vp9", "Profile 1", "yuv422p", "h264", False),
        ("vp9", "Profile 2", "yuv420p10le", "copy", True),
        ("vp9", "Profile 2", "yuv420p12le", "h264", False),
        ("vp9", "Profile 3", "yuv444p10le", "h264", False),
        ("av1", "Main", "yuv420p", "copy", False),
        ("av1", "Main", "yuv420p10le", "copy", False),
        ("av1", "High", "yuv444p", "h264", False),
        ("av1", "Professional", "yuv422p", "h264", False),
        ("av1", "Professional", "yuv420p12le", "h264", False),
        ("mpeg2video", "Main", "yuv420p", "h264", False),
        ("mpeg4", "Advanced Simple Profile", "yuv420p", "h264", False),
        ("vc1", "Advanced", "yuv420p", "h264", False),
    ],
)
def test_pictures_browsers_play_are_copied(
    codec: str, profile: str | None, pixels: str | None, treatment: str, warning: bool
) -> None:
    handling = video_handling(codec, pixels, profile)

    assert (handling.treatment, handling.warning) == (treatment, warning)
    assert handling.tag == ({"h264": "avc1", "hevc": "hvc1"}.get(codec) if treatment == "copy" else None)


@pytest.mark.parametrize(
    ("profile", "treatment"),
    [
        ("LC", "copy"), ("HE-AAC", "copy"), ("HE-AACv2", "copy"), (None, "copy"),
        ("Main", "aac"), ("LTP", "aac"), ("SSR", "aac"), ("LD", "aac"), ("ELD", "aac"),
    ],
)  # fmt: skip
def test_aac_of_a_kind_that_browsers_lack_becomes_plain_aac(profile: str | None, treatment: str) -> None:
    assert audio_handling("aac", "ts", profile).treatment == treatment


@pytest.mark.parametrize("codec", ["ac3", "eac3", "dts", "vorbis", "mp3", "pcm_s16le", "truehd"])
def test_sounds_browsers_refuse_become_aac(codec: str) -> None:
    assert audio_handling(codec, "mp4").treatment == "aac"


@pytest.mark.parametrize(
    ("container", "filter_name"), [("ts", "aac_adtstoasc"), ("aac", "aac_adtstoasc"), ("mp4", None), ("fmp4", None)]
)
def test_aac_is_copied_and_unwrapped_where_it_is_wrapped(container: str, filter_name: str | None) -> None:
    handling = audio_handling("aac", container)  # type: ignore[arg-type]

    assert (handling.treatment, handling.bitstream) == ("copy", filter_name)


def test_what_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(NotPlayable, match="magicyuv"):
        video_handling("magicyuv", "gbrp")
    with pytest.raises(NotPlayable, match="cook"):
        audio_handling("cook", "mp4")
    with pytest.raises(NotPlayable, match="aac 41"):
        audio_handling("aac", "mp4", "41")


def test_only_text_becomes_webvtt() -> None:
    assert is_text_subtitle("subrip")
    assert not is_text_subtitle("hdmv_pgs_subtitle")


def test_whole_second_playlists_may_be_further_off() -> None:
    rounded, exact = plan_of([6.0] * 100, 0), plan_of([6.006] * 100, 2)

    assert rounded is not None
    assert exact is not None
    assert rounded.tolerance_s == 51.0
    assert exact.tolerance_s == pytest.approx(3.2)
    assert plan_of((), 0) is None


def test_a_file_longer_or_shorter_than_its_index_is_refused() -> None:
    check_index("v.mp4", INDEX, 150)

    for size in (149, 388):
        with pytest.raises(IndexWrong):
            check_index("v.mp4", INDEX, size)


def test_a_track_of_another_length_is_refused() -> None:
    check_duration("v.mp4", INDEX, Plan(duration_s=10.5, tolerance_s=1.0))

    with pytest.raises(DurationWrong):
        check_duration("v.mp4", INDEX, Plan(duration_s=12.0, tolerance_s=1.0))


def test_a_millisecond_of_offset_is_let_through_and_two_are_not() -> None:
    check_offset("a.mp4", 0.4775, 0.4768)

    with pytest.raises(OffsetLost):
        check_offset("a.mp4", 0.4788, 0.4768)


def test_a_picture_fragment_without_a_key_frame_is_refused() -> None:
    fragment = Fragment(1, 0, 0, 8, 0, 10, starts_with_key=False)

    check_fragment("a.mp4", 0, fragment, is_video=False)
    with pytest.raises(NoKeyFrame):
        check_fragment("v.mp4", 0, fragment, is_video=True)
