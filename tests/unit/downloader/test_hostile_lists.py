"""Whatever a source sends as a list, the outcome is a plan within bounds or one of our errors."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from kinodom_common.errors import KinodomError
from kinodom_downloader.domain import gate
from kinodom_downloader.domain.mpd import parse_mpd
from kinodom_downloader.domain.playlists import parse_playlist

TAGS = [
    "#EXTINF:", "#EXT-X-BYTERANGE:", "#EXT-X-KEY:METHOD=AES-128,URI=", "#EXT-X-KEY:METHOD=", "#EXT-X-MAP:URI=",
    "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "a.ts",
    "//", "?", "http://[", "#EXT-X-ENDLIST", "#EXT-X-MAP:URI=\"a\",BYTERANGE=", "#EXT-X-SESSION-KEY:",
]  # fmt: skip
LINES = st.lists(st.tuples(st.sampled_from(TAGS), st.text(max_size=20)).map("".join), max_size=30)
ELEMENTS = st.recursive(
    st.sampled_from(["<BaseURL>x</BaseURL>", "<S d='1' r='3'/>", "<S d='2' r='-1'/>", "<S t='9' d='1'/>", ""]),
    lambda inner: st.tuples(
        st.sampled_from(["Period", "AdaptationSet", "Representation", "SegmentTemplate", "SegmentTimeline",
                         "SegmentList", "Initialization", "SegmentURL", "ContentProtection", "Label"]),
        st.sampled_from(["", "mimeType='video/mp4'", "media='$Time$'", "duration='1'", "timescale='0'", "range='5-'",
                         "start='PT5S'", "media='http://['", "startNumber='x'", "height='99'", "lang='en'"]),
        st.lists(inner, max_size=3).map("".join),
    ).map(lambda parts: f"<{parts[0]} {parts[1]}>{parts[2]}</{parts[0]}>"),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(LINES)
def test_any_lines_are_a_playlist_or_one_of_our_errors(lines: list[str]) -> None:
    with contextlib.suppress(KinodomError):
        parse_playlist("\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST"]), "https://a.example/b/c.m3u8")


@settings(max_examples=400, deadline=None)
@given(ELEMENTS)
def test_any_elements_are_a_manifest_or_one_of_our_errors(inner: str) -> None:
    text = f"<MPD mediaPresentationDuration='PT10S'><Period>{inner}</Period></MPD>"

    with contextlib.suppress(KinodomError):
        parse_mpd(text, "https://a.example/b/c.mpd", None)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600), st.sampled_from([b"", b"\x47", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftyp", b"ID3", b"BM"]))
def test_any_bytes_pass_the_gate_or_are_told(body: bytes, head: bytes) -> None:
    with contextlib.suppress(KinodomError, gate.NotThatMedia):
        gate.check_piece(head + body)
