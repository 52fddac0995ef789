"""TTML and subtitles in MP4 become the same clean WebVTT as all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.domain.gate import NotThatMedia, check_subtitles
from kinodom_downloader.domain.subtitles import NoCues, web_vtt
from tests.support import media, origin
from tests.support.boxed_texts import document, init_section, segment, shown
from tests.support.fetching import fetch_from
from tests.support.origin import Origin
from tests.support.periods import manifest, put_period, take

WVTT, STPP = init_section(b"wvtt"), init_section(b"stpp")


def rows(text: str) -> list[str]:
    """Return the cues of a WebVTT file, each on one line."""
    return [block.replace("\n", " | ") for block in text.removeprefix("WEBVTT\n\n").strip().split("\n\n")]


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("00:00:01.500", "00:00:02", "00:00:01.500 --> 00:00:02.000"),
        ("00:00:01:12", "00:00:02:00", "00:00:01.480 --> 00:00:02.000"),
        ("1.5s", "2000ms", "00:00:01.500 --> 00:00:02.000"),
        ("25f", "1m", "00:00:01.000 --> 00:01:00.000"),
        ("100t", "0.001h", "00:00:00.010 --> 00:00:03.600"),
    ],
)
def test_every_way_to_write_a_time_is_read(begin: str, end: str, told: str) -> None:
    text = document((begin, end, "So"), extra='ttp:frameRate="25" ttp:tickRate="10000"')

    assert rows(web_vtt([text])) == [f"{told} | So"]


def test_rows_slanted_words_and_signs_come_through() -> None:
    inside = 'One<br/>\n   <span tts:fontStyle="italic">two</span> &lt;b&gt; &amp; <span style="slanted">3</span>'

    assert rows(web_vtt([document(("0s", "1s", inside))])) == [
        "00:00:00.000 --> 00:00:01.000 | One | <i>two</i> &lt;b&gt; &amp; <i>3</i>"
    ]


def test_times_count_from_what_they_are_in() -> None:
    text = document(("0s", "1s", '<span begin="0.2s" end="0.5s">a</span><span begin="0.5s">b</span>'))
    moved = text.replace(b"<div>", b'<div begin="10s">')

    assert rows(web_vtt([moved])) == [
        "00:00:10.200 --> 00:00:10.500 | a", "00:00:10.500 --> 00:00:11.000 | b",
    ]  # fmt: skip


def test_webvtt_in_boxes_is_read_and_a_cue_that_goes_on_is_one() -> None:
    parts = [
        WVTT,
        segment(
            0,
            (1000, shown()),
            (1000, shown("Hello\nthere <c.red>you</c>")),
            (500, shown("Hello\nthere <c.red>you</c>")),
        ),
        segment(4000, (1000, shown("a", "b"))),
    ]

    assert rows(web_vtt(parts)) == [
        "00:00:01.000 --> 00:00:02.500 | Hello | there you",
        "00:00:04.000 --> 00:00:05.000 | a",
        "00:00:04.000 --> 00:00:05.000 | b",
    ]


def test_ttml_in_boxes_is_read_and_repeated_cues_are_one() -> None:
    both = ("1s", "5s", "Over the border")
    parts = [STPP, segment(0, (4000, document(both))), segment(4000, (4000, document(both, ("6s", "7s", "Then"))))]

    assert rows(web_vtt(parts)) == [
        "00:00:01.000 --> 00:00:05.000 | Over the border", "00:00:06.000 --> 00:00:07.000 | Then",
    ]  # fmt: skip


def test_ttml_that_counts_from_its_sample_is_put_in_its_place() -> None:
    assert rows(web_vtt([STPP, segment(60_000, (4000, document(("1s", "2s", "So"))))])) == [
        "00:01:01.000 --> 00:01:02.000 | So"
    ]


def test_ttml_without_times_is_shown_as_long_as_its_sample() -> None:
    text = document(("", "", "So")).replace(b' begin="" end=""', b"")

    assert rows(web_vtt([STPP, segment(4000, (2000, text))])) == ["00:00:04.000 --> 00:00:06.000 | So"]


@pytest.mark.parametrize(
    "parts",
    [
        [document()],
        [document(("0s", "1s", "")).replace(b"<p ", b'<div smpte:backgroundImage="#a" xmlns:smpte="x"/><p ')],
        [b"<tt xmlns='http://www.w3.org/ns/ttml'>"],
        [b"<!DOCTYPE tt><tt/>"],
        [segment(0, (1000, shown("no init section")))],
        [STPP, segment(0, (1000, b"\x89PNG picture"))],
        [init_section(b"tx3g"), segment(0, (1000, b"\0\x02so"))],
    ],
)
def test_what_holds_no_text_says_so(parts: list[bytes]) -> None:
    with pytest.raises(NoCues):
        web_vtt(parts)


@given(st.data())
def test_a_damaged_piece_is_text_or_no_cues(data: st.DataObject) -> None:
    whole = bytearray(segment(0, (1000, shown("Hello")), (1000, document(("0s", "1s", "x")))))
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with suppress(NoCues):
        assert web_vtt([data.draw(st.sampled_from([WVTT, STPP])), bytes(whole)]).startswith("WEBVTT")


@pytest.mark.parametrize(
    ("body", "kind"),
    [(document(("0s", "1s", "x")), "ttml"), (b"\xef\xbb\xbf" + document(), "ttml"), (WVTT, "fmp4"),
     (segment(0, (1, shown("x"))), "fmp4")],
)  # fmt: skip
def test_the_gate_knows_them(body: bytes, kind: str) -> None:
    assert check_subtitles(body).kind == kind


def test_a_page_about_ttml_is_no_ttml() -> None:
    with pytest.raises(NotThatMedia, match="web page"):
        check_subtitles(b"<html><body>Log in to read http://www.w3.org/ns/ttml</body></html>")


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def set_of(name: str, codecs: str) -> str:
    return (
        f'<AdaptationSet contentType="text" mimeType="application/mp4" codecs="{codecs}" lang="ru"><SegmentTemplate '
        f'initialization="{name}-i" media="{name}-$Number$" timescale="1000" duration="2000"/>'
        '<Representation id="s" bandwidth="1"/></AdaptationSet></Period>'
    )


@pytest.mark.slow
@pytest.mark.parametrize("codecs", ["wvtt", "stpp.ttml.im1t"])
def test_subtitles_of_dash_go_on_through_all_periods(host: Origin, tmp_path: Path, codecs: str) -> None:
    def sample(text: str) -> bytes:
        return shown(text) if codecs == "wvtt" else document(("2.5s", "3.5s", text)) if text else b""

    periods = [put_period(host, f"p{at}", take()).replace("</Period>", set_of("s", codecs)) for at in (0, 1)]
    host.files["/film.mpd"] = manifest(*periods)
    for at in (0, 1):
        host.files[f"/p{at}/s-i"] = WVTT if codecs == "wvtt" else STPP
        host.files[f"/p{at}/s-1"] = segment(0, (2000, sample("")))
        host.files[f"/p{at}/s-2"] = segment(2000, (500, sample("")), (1000, sample(f"Part {at}")), (500, sample("")))

    made = package(fetch_from(host, "/film.mpd", tmp_path / "work", delivery="dash"), tmp_path / "out")

    (text,) = [track for track in made.tracks if track.kind == "subtitles"]
    assert text.language == "ru"
    assert rows((tmp_path / "out" / text.file).read_text()) == [
        "00:00:02.500 --> 00:00:03.500 | Part 0", "00:00:06.500 --> 00:00:07.500 | Part 1",
    ]  # fmt: skip


@pytest.mark.slow
def test_subtitles_in_mp4_of_a_playlist_keep_to_its_clock(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_fmp4())
    host.files["/master.m3u8"] = (
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Text",LANGUAGE="en",URI="s.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"\nindex.m3u8\n'
    )
    host.files["/s.m3u8"] = b'#EXTM3U\n#EXT-X-MAP:URI="s-i"\n#EXTINF:12,\ns-1\n#EXT-X-ENDLIST\n'
    host.files |= {"/s-i": STPP, "/s-1": segment(0, (12_000, document(("3s", "4s", "Now"))))}

    made = package(fetch_from(host, "/master.m3u8", tmp_path / "work"), tmp_path / "out")

    (text,) = [track for track in made.tracks if track.kind == "subtitles"]
    assert rows((tmp_path / "out" / text.file).read_text()) == ["00:00:03.000 --> 00:00:04.000 | Now"]
