from __future__ import annotations

import pytest

from kinodom_downloader.domain.faults import DrmProtected, LivePlaylist, PlaylistBad, PlaylistRefused, SegmentGap
from kinodom_downloader.domain.hls_text import attributes_of
from kinodom_downloader.domain.plan import Segment
from kinodom_downloader.domain.playlists import Media, parse_playlist
from kinodom_downloader.domain.variants import (
    Master,
    Variant,
    chosen_renditions,
    chosen_variant,
    height_choice,
)

BASE = "https://cdn.example/films/1/list.m3u8?token=t"


def media(*lines: str, end: str = "#EXT-X-ENDLIST") -> tuple[Segment, ...]:
    listed = parse_playlist("\n".join(["#EXTM3U", *lines, end]), BASE)
    assert isinstance(listed, Media)
    return listed.segments


def master(*lines: str) -> Master:
    listed = parse_playlist("\n".join(["#EXTM3U", *lines]), BASE)
    assert isinstance(listed, Master)
    return listed


def test_a_byte_order_mark_carriage_returns_and_blanks_are_no_matter() -> None:
    text = "\ufeff \r\n#EXTM3U  \r\n\r\n# a word\r\n#EXTINF:4.5,A title, with a comma\r\n"
    text += "\r\n  a.ts?x=1,2  \r\n#EXT-X-ENDLIST \r\n"

    listed = parse_playlist(text, BASE)

    assert isinstance(listed, Media)
    assert listed.segments == (Segment(url="https://cdn.example/films/1/a.ts?x=1,2", duration_s=4.5),)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("a.ts", "https://cdn.example/films/1/a.ts"),
        ("/a.ts", "https://cdn.example/a.ts"),
        ("//other.example/a.ts", "https://other.example/a.ts"),
        ("?part=2", "https://cdn.example/films/1/list.m3u8?part=2"),
        ("../../../../a.ts", "https://cdn.example/a.ts"),
        ("http://other.example/a.ts", "http://other.example/a.ts"),
        ("HTTPS://other.example/a.ts", "https://other.example/a.ts"),
        ("dir:1/a.ts".replace(":", "%3A"), "https://cdn.example/films/1/dir%3A1/a.ts"),
    ],
)
def test_addresses_are_joined_to_where_the_playlist_came_from(reference: str, expected: str) -> None:
    (segment,) = media("#EXTINF:1,", reference)

    assert segment.url == expected


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "data:video/mp2t;base64,x", "concat:a|b", "gopher://x/", "ftp://x/a", "x:y"]
)
@pytest.mark.parametrize("pattern", ["#EXTINF:1,\n{}", '#EXT-X-MAP:URI="{}"', '#EXT-X-KEY:METHOD=AES-128,URI="{}"'])
def test_other_schemes_are_refused_wherever_they_stand(reference: str, pattern: str) -> None:
    with pytest.raises(PlaylistRefused):
        media(pattern.format(reference), "#EXTINF:1,", "a.ts")


def test_an_implied_offset_goes_on_where_the_last_range_of_that_file_ended() -> None:
    segments = media(
        "#EXT-X-BYTERANGE:100@50", "a.ts", "#EXT-X-BYTERANGE:10", "a.ts", "#EXT-X-BYTERANGE:5", "b.ts",
        "#EXT-X-BYTERANGE:7", "a.ts", "c.ts",
    )  # fmt: skip

    assert [(segment.offset, segment.length) for segment in segments] == [
        (50, 100), (150, 10), (0, 5), (160, 7), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("span", ["0@0", "x", "-5", "5@-1", "5@", "99999999999999999999@0", ""])
def test_a_range_that_is_none_is_bad(span: str) -> None:
    with pytest.raises(PlaylistBad):
        media(f"#EXT-X-BYTERANGE:{span}", "a.ts")


def test_init_sections_stand_before_the_segments_that_need_them() -> None:
    segments = media(
        '#EXT-X-MAP:URI="i1.mp4",BYTERANGE="720@0"', "#EXTINF:2,", "a.m4s",
        '#EXT-X-MAP:URI="i1.mp4",BYTERANGE="720@0"', "#EXTINF:2,", "b.m4s",
        "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="i2.mp4"', "#EXTINF:2,", "c.m4s",
    )  # fmt: skip

    assert [(item.url.rpartition("/")[2], item.is_init, item.breaks) for item in segments] == [
        ("i1.mp4", True, False), ("a.m4s", False, False), ("b.m4s", False, False),
        ("i2.mp4", True, True), ("c.m4s", False, False),
    ]  # fmt: skip
    assert (segments[0].offset, segments[0].length) == (0, 720)


def test_discontinuities_mark_the_next_segment() -> None:
    segments = media("#EXT-X-DISCONTINUITY", "a.ts", "b.ts", "#EXT-X-DISCONTINUITY", "c.ts", "d.ts")

    assert [segment.breaks for segment in segments] == [False, False, True, False]


def test_keys_rotate_and_end() -> None:
    segments = media(
        "a.ts", '#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0xABC', "b.ts", '#EXT-X-KEY:METHOD=AES-128,URI="k2"', "c.ts",
        "d.ts", "#EXT-X-KEY:METHOD=NONE", "e.ts",
    )  # fmt: skip

    assert [(item.key_url and item.key_url.rpartition("/")[2], item.iv_hex) for item in segments] == [
        (None, ""), ("k1", f"{0xABC:032x}"), ("k2", f"{2:032x}"), ("k2", f"{3:032x}"), (None, ""),
    ]  # fmt: skip


def test_an_implied_vector_counts_from_the_media_sequence() -> None:
    segments = media(f"#EXT-X-MEDIA-SEQUENCE:{2**40}", '#EXT-X-KEY:METHOD=AES-128,URI="k"', "a.ts", "b.ts")

    assert [int(segment.iv_hex, 16) for segment in segments] == [2**40, 2**40 + 1]


def test_an_init_section_is_locked_by_the_key_before_it() -> None:
    segments = media(
        '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1', '#EXT-X-MAP:URI="i"', "#EXT-X-KEY:METHOD=NONE", "a.m4s"
    )

    assert [segment.key_url is not None for segment in segments] == [True, False]


@pytest.mark.parametrize("iv", ["0x" + "1" * 33, "1234", "0xZZ", "0x"])
def test_a_vector_that_is_not_16_bytes_is_bad(iv: str) -> None:
    with pytest.raises(PlaylistBad):
        media(f'#EXT-X-KEY:METHOD=AES-128,URI="k",IV={iv}', "a.ts")


@pytest.mark.parametrize(
    "key",
    [
        'METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"',
        'METHOD=SAMPLE-AES-CTR,URI="data:x",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"',
        'METHOD=AES-128,URI="x",KEYFORMAT="com.microsoft.playready"',
    ],
)
def test_drm_is_refused(key: str) -> None:
    with pytest.raises(DrmProtected, match="locked by a DRM"):
        media(f"#EXT-X-KEY:{key}", "a.ts")


def test_an_unknown_lock_is_refused() -> None:
    with pytest.raises(PlaylistRefused, match="ROT13"):
        media('#EXT-X-KEY:METHOD=ROT13,URI="k"', "a.ts")


def test_a_gap_is_a_segment_without_an_address() -> None:
    found = media('#EXT-X-MAP:URI="i"', "a.m4s", "#EXT-X-GAP", "#EXTINF:6,", "data:,", "c.m4s")

    assert [(one.gap, one.url.rpartition("/")[2]) for one in found] == [
        (False, "i"), (False, "a.m4s"), (True, ""), (False, "c.m4s")]  # fmt: skip
    assert found[2].duration_s == 6.0


def test_a_list_of_nothing_but_gaps_is_refused() -> None:
    with pytest.raises(SegmentGap, match="all of the film"):
        media("#EXT-X-GAP", "a.ts", "#EXT-X-GAP", "b.ts")


def test_a_list_without_an_end_is_live() -> None:
    with pytest.raises(LivePlaylist):
        media("#EXTINF:2,", "a.ts", end="")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4.004", 4.004), ("6", 6.0), ("0", 0.0), ("-3", 0.0), ("nan", 0.0), ("inf", 0.0), ("1e9", 0.0), ("x", 0.0),
     ("", 0.0), ("2.5 , t", 2.5)],
)  # fmt: skip
def test_odd_durations_are_bounded(text: str, expected: float) -> None:
    (segment,) = media(f"#EXTINF:{text},", "a.ts")

    assert segment.duration_s == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "nothing"), ("<html>", "web page"), ("hello", "something else"), ("<?xml?>", "web page"),
     ("#EXTM3U\n#EXT-X-ENDLIST", "no segment"), ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1", "no quality")],
)  # fmt: skip
def test_what_is_no_playlist_says_what_it_is(text: str, words: str) -> None:
    with pytest.raises(PlaylistBad, match=words):
        parse_playlist(text, BASE)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n" + "#\n" * 4_000_001,
        "#EXTM3U\n" + "a.ts\n" * 100_001 + "#EXT-X-ENDLIST",
        "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * 1001,
    ],
    ids=["8 MB", "100001 segments", "1001 qualities"],
)
def test_lists_without_measure_are_refused(text: str) -> None:
    with pytest.raises(PlaylistRefused):
        parse_playlist(text, BASE)


def test_attributes_keep_commas_and_equal_signs_in_quotes() -> None:
    found = attributes_of('BANDWIDTH=1, CODECS="avc1.4d,mp4a=x" ,NAME="A, b",X-Y=1x2,EMPTY="",BANDWIDTH=9')

    assert found == {"BANDWIDTH": "1", "CODECS": "avc1.4d,mp4a=x", "NAME": "A, b", "X-Y": "1x2", "EMPTY": ""}


@pytest.mark.parametrize("text", ["", ",", "=", "A", 'A="', "A=1,,B=2", "\x00=1", "A" * 10_000])
def test_broken_attribute_lists_break_nothing(text: str) -> None:
    attributes_of(text)


@pytest.mark.parametrize(
    ("heights", "wanted", "expected"),
    [
        ([360, 720, 1080], None, 1080), ([360, 720, 1080], 720, 720), ([360, 720, 1080], 719, 360),
        ([360, 720, 1080], 100, 360), ([360, 720, 1080], 4000, 1080), ([None, 480], None, 480), ([None], 720, None),
        ([None, None], None, None),
    ],
)  # fmt: skip
def test_the_height_is_the_wanted_one_or_the_nearest_below(
    heights: list[int | None], wanted: int | None, expected: int | None
) -> None:
    assert height_choice(heights, wanted) == expected


def test_at_one_height_h264_and_then_the_bandwidth_decide() -> None:
    listed = master(
        '#EXT-X-STREAM-INF:BANDWIDTH=9000,RESOLUTION=1280x720,CODECS="hvc1.1,mp4a.40.2"', "hevc",
        '#EXT-X-STREAM-INF:BANDWIDTH=3000,RESOLUTION=1280x720,CODECS="avc1.4d,mp4a.40.2"', "small",
        '#EXT-X-STREAM-INF:BANDWIDTH=5000,RESOLUTION=1280x720,CODECS="avc1.4d,mp4a.40.2"', "large",
        '#EXT-X-STREAM-INF:BANDWIDTH=64,CODECS="mp4a.40.2"', "sound",
    )  # fmt: skip

    assert chosen_variant(listed, None).url.endswith("/large")


def test_without_heights_the_bandwidth_decides() -> None:
    listed = master("#EXT-X-STREAM-INF:BANDWIDTH=1", "a", "#EXT-X-STREAM-INF:BANDWIDTH=2", "b")

    assert chosen_variant(listed, 720).url.endswith("/b")


def test_renditions_of_the_variants_own_group_come_default_first() -> None:
    listed = master(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="x",NAME="Other",URI="o"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Same",LANGUAGE="en",URI="1"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Same",LANGUAGE="ru",DEFAULT=YES',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', "v",
    )  # fmt: skip

    found = chosen_renditions(listed, listed.variants[0], "AUDIO")

    assert [(item.language, item.url) for item in found] == [("ru", None), ("en", "https://cdn.example/films/1/1")]
    assert chosen_renditions(listed, Variant(url="x", bandwidth=1), "AUDIO") == ()
