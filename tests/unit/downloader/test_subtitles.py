"""Subtitles in, clean WebVTT out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_downloader.domain.subtitles import NoCues, web_vtt

SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\nthere\r\n\r\n2\r\n1:02:03,4 --> 1:02:05,000\r\nBye\r\n"


def test_srt_becomes_webvtt() -> None:
    text = web_vtt([SRT.encode()])

    assert text == ("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHello\nthere\n\n01:02:03.400 --> 01:02:05.000\nBye\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    text = web_vtt(["1\n00:00:01,000 --> 00:00:02,000\nПривет, мир\n".encode(encoding)])

    assert "Привет, мир" in text


@pytest.mark.parametrize(
    ("row", "clean"),
    [
        ("<i>so</i>", "<i>so</i>"),
        ('<font color="red">so</font>', "so"),
        ("{\\an8}so", "so"),
        ("a < b & c --> d", "a &lt; b &amp; c --&gt; d"),
        ("&lt;b&gt; &amp;", "&lt;b&gt; &amp;"),
        ("<v Anna>so", "so"),
        ("<script>x</script>", "x"),
    ],
)
def test_rows_keep_their_text_and_nothing_else(row: str, clean: str) -> None:
    text = web_vtt([f"1\n00:00:01,000 --> 00:00:02,000\n{row}\n".encode()])

    assert text.splitlines()[3] == clean


def test_a_cue_told_in_two_segments_is_shown_once() -> None:
    part = b"WEBVTT\n\n00:05.000 --> 00:07.000 align:start\nHello\n"

    assert web_vtt([part, part]).count("Hello") == 1


def test_the_media_clock_of_a_segment_is_obeyed() -> None:
    part = b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:05.000 --> 00:07.000\nHello\n"

    assert "00:00:05.000 -->" in web_vtt([part], clock_start_s=10.0)
    assert "00:00:05.000 -->" in web_vtt([part], clock_start_s=None)
    assert "00:00:13.600 -->" in web_vtt([part], clock_start_s=1.4)


def test_times_are_moved_and_what_ends_before_the_start_is_dropped() -> None:
    text = web_vtt([SRT.encode()], shift_s=-3.0)

    assert "Hello" not in text
    assert "01:02:00.400 -->" in text


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"WEBVTT\n\n", b"\0\1\2" * 999])
def test_a_file_without_cues_says_so(content: bytes) -> None:
    with pytest.raises(NoCues):
        web_vtt([content])


@given(st.text(max_size=400))
def test_any_text_stays_text(body: str) -> None:
    try:
        text = web_vtt([f"1\n00:00:01,000 --> 00:00:02,000\nx{body}\n".encode(errors="replace")])
    except NoCues:
        return

    for line in text.splitlines():
        assert "-->" not in line or re.fullmatch(r"\d\d+:\d\d:\d\d\.\d{3} --> \d\d+:\d\d:\d\d\.\d{3}", line)
        assert set(re.findall(r"<[^>]*>?", line)) <= {"<i>", "</i>", "<b>", "</b>", "<u>", "</u>"}
