"""Manifests say exactly what the index says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_downloader.domain.boxes import Box, Index, Reference
from kinodom_downloader.domain.languages import distinct_name, language_tag
from kinodom_downloader.domain.manifests import (
    MediaTrack,
    TextTrack,
    TrackSet,
    average_bit_s,
    dash_manifest,
    hls_master,
    hls_playlist,
    hls_text_playlist,
    peak_bit_s,
    pieces,
)
from kinodom_downloader.domain.timeline import places_s

NS = {"d": "urn:mpeg:dash:schema:mpd:2011"}


def _index(*lengths_s: float, size: int = 1000) -> Index:
    at, start, references = 0, 200, []
    for length_s in lengths_s:
        references.append(Reference(start, size, at, round(length_s * 1000)))
        at, start = at + round(length_s * 1000), start + size
    return Index(Box("sidx", 100, 100, 8), 1000, tuple(references))


def _media(file: str, index: Index, **more: str) -> MediaTrack:
    return MediaTrack(file=file, index=index, codec="avc1.64001f", size_bytes=1, width_px=640, height_px=360, **more)


def test_the_manifest_names_the_bytes_of_header_and_index() -> None:
    tracks = TrackSet(video=_media("v.mp4", _index(2, 2)), audio=(_media("a-ru.mp4", _index(4.5), language="ru"),))

    root = ElementTree.fromstring(dash_manifest(tracks))

    assert root.attrib["mediaPresentationDuration"] == "PT4.500000S"
    (base, _sound) = root.findall(".//d:SegmentBase", NS)
    assert base.attrib == {"indexRange": "100-199", "timescale": "1000"}
    assert base.find("d:Initialization", NS) is not None
    assert [one.get("lang") for one in root.findall(".//d:AdaptationSet", NS)] == [None, "ru"]


@given(st.text(max_size=150))
def test_a_label_cannot_break_out_of_a_manifest(label: str) -> None:
    tracks = TrackSet(
        video=_media("v.mp4", _index(2)),
        audio=(_media("a-und.mp4", _index(2), label=label),),
        text=(TextTrack(file="s-ru.vtt", language="ru", label=label, size_bytes=9),),
    )

    root = ElementTree.fromstring(dash_manifest(tracks).encode())
    master = hls_master(tracks)

    assert len(root.findall(".//d:AdaptationSet", NS)) == 3
    assert len(master.splitlines()) == 7
    assert all(line.count('"') % 2 == 0 for line in master.splitlines())


def test_short_groups_of_pictures_are_joined_and_long_ones_stay_alone() -> None:
    cut = pieces(_index(2, 2, 2, 2, 10, 1, 1))

    assert [sum(part.duration for part in piece) for piece in cut] == [6000, 2000, 10_000, 2000]


@given(st.lists(st.floats(min_value=0.1, max_value=70), min_size=1, max_size=60))
def test_no_piece_is_lost_and_none_exceeds_the_target(lengths_s: list[float]) -> None:
    index = _index(*lengths_s)

    lines = hls_playlist(_media("v.mp4", index)).splitlines()

    target = next(int(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-TARGETDURATION"))
    stated = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    assert sum(stated) == pytest.approx(index.end_s, abs=0.001)
    assert all(int(length_s + 0.5) <= target for length_s in stated)
    sizes = [int(line.partition(":")[2].partition("@")[0]) for line in lines if line.startswith("#EXT-X-BYTERANGE")]
    assert sum(sizes) == 1000 * len(lengths_s)


def test_the_peak_rate_is_that_of_the_heaviest_piece() -> None:
    track = _media("v.mp4", _index(6, 6, 1))

    assert average_bit_s(track) == round(3000 * 8 / 13)
    assert peak_bit_s(track) == 8000


def test_sound_alone_has_a_manifest_too() -> None:
    tracks = TrackSet(video=None, audio=(_media("a-und.mp4", _index(3)),))

    assert ElementTree.fromstring(dash_manifest(tracks)).findall(".//d:Representation", NS)[0].get("id") == "a-und"
    assert hls_master(tracks).splitlines()[-1] == "a-und.m3u8"


def test_subtitles_are_one_segment_as_long_as_the_video() -> None:
    text = hls_text_playlist(TextTrack(file="s-ru.vtt", language="ru", label="", size_bytes=1), 5400.4)

    assert "#EXTINF:5400.400000,\ns-ru.vtt\n#EXT-X-ENDLIST" in text


@pytest.mark.parametrize(
    ("starts_s", "places"),
    [
        ((1.4, 1.9), (0.0, 0.5)),
        ((0.0, -0.021), (0.021, 0.0)),
        ((2**33 / 90_000 - 0.1, 0.2), (0.0, 0.3)),  # the clock went round between the two
        ((0.0, 5000.0), (0.0, 0.0)),  # no common clock
        ((), ()),
    ],
)
def test_tracks_keep_their_distance_from_the_earliest(starts_s: tuple[float, ...], places: tuple[float, ...]) -> None:
    assert places_s(starts_s) == pytest.approx(places, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "tag"),
    [("rus", "ru"), ("RU", "ru"), ("pt_BR", "pt-br"), ("", "und"), (None, "und"), ("../etc", "und"), ("a" * 40, "und")],
)
def test_a_language_is_a_tag_or_unknown(text: str | None, tag: str) -> None:
    assert language_tag(text) == tag


def test_names_of_one_language_are_counted() -> None:
    taken: set[str] = set()

    assert [distinct_name("a", "ru", taken) for _ in range(3)] == ["a-ru", "a-ru-2", "a-ru-3"]
