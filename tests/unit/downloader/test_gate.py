from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from kinodom_downloader.domain import clocks, gate
from kinodom_downloader.domain.continuity import clock_of
from kinodom_downloader.domain.faults import DrmProtected
from kinodom_downloader.domain.gate import NotThatMedia
from tests.support import media
from tests.support.origin import zipped  # always the same: workers of one run must collect the same tests

PACKETS = (b"\x47\x00\x00\x10" + b"\x11" * 184) * 7
MOOF = (24).to_bytes(4) + b"moof" + b"\0" * 16
MDAT = (20).to_bytes(4) + b"mdat" + b"\0" * 12


def box(name: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4) + name + body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PACKETS, "ts"),
        (MOOF + MDAT, "fmp4"),
        (box(b"styp", b"x") + MOOF + MDAT, "fmp4"),
        (MOOF + (1).to_bytes(4) + b"mdat" + (20).to_bytes(8) + b"1234", "fmp4"),
        (MOOF + b"\0\0\0\0mdat" + b"to the end", "fmp4"),
        (b"\xff\xf1\x50\x80" + b"\0" * 20, "aac"),
        (b"ID3\x04\0\0\0\0\0\x02xx\xff\xf1\x50\x80", "aac"),
        (b"\x1a\x45\xdf\xa3\x80", "webm"),
        (b"\xef\xbb\xbfWEBVTT\n\n", "vtt"),
    ],
)
def test_media_is_known_by_its_bytes(body: bytes, kind: str) -> None:
    assert gate.check_piece(body) == gate.Checked(body, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "nothing"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"  <HTML>", "web page"),
        (b"#EXTM3U\n", "a playlist"),
        (b'{"error":"x"}', "JSON"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (PACKETS[:-1], "cut off or damaged"),
        (PACKETS + b"\x47", "cut off or damaged"),
        (PACKETS[:188] + b"\x48" + PACKETS[189:], "cut off or damaged"),
        (MOOF, "cut off"),
        (MOOF + MDAT[:-1], "cut off"),
        (MOOF + MDAT + b"xx", "cut off"),
        (MOOF + (7).to_bytes(4) + b"mdat", "cut off"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "a picture"),
        (b"BM" + b"\0" * 500, "a picture"),
        (b"\0" * 1880, "1880 bytes that are no media"),
        (zipped(PACKETS)[:-5], "cut off"),
        (b"\x1f\x8b\x08" + b"x" * 50, "gzip"),
        (zipped(b"<html>"), "web page"),
    ],
)
def test_what_is_no_media_is_told_in_words(body: bytes, words: str) -> None:
    with pytest.raises(NotThatMedia, match=words):
        gate.check_piece(body)


@pytest.mark.parametrize(
    "body",
    [PACKETS, MOOF + MDAT, b"GIF89a" + b"\0" * 99 + PACKETS, zipped(PACKETS), b"<html>", PACKETS[:-1],
     b"GIF89a" + b"\0" * 99, b"ID3\x04\0\0\0\0\0\x02xx\xff\xf1\x50\x80", b"\xef\xbb\xbfWEBVTT\n", b"\x1f\x8b\x08xx"],
)  # fmt: skip
def test_a_file_is_judged_as_the_same_bytes_in_memory(body: bytes, tmp_path: Path) -> None:
    def judged(payload: gate.Payload) -> object:
        try:
            checked = gate.check_piece(payload)
        except NotThatMedia as exc:
            return str(exc)
        return checked.kind, checked.payload[:], clock_of(checked.payload, checked.kind)

    (tmp_path / "piece").write_bytes(body)

    with (tmp_path / "piece").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert judged(view) == judged(body)


@pytest.mark.parametrize(
    "header",
    [
        b"\x89PNG\r\n\x1a\n" + b"\x47" * 200 + b"IEND",
        b"\xff\xd8\xff\xe0" + b"\0" * 1000 + b"\xff\xd9",
        b"GIF89a\x01\0",
        b"BM\0\0\0\0",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 212,
    ],
)
@pytest.mark.parametrize("body", [PACKETS, MOOF + MDAT, box(b"styp") + MOOF + MDAT])
def test_media_behind_a_fake_picture_is_found(header: bytes, body: bytes) -> None:
    assert gate.check_piece(header + body).payload == body


def test_gzip_that_nobody_asked_for_is_unpacked() -> None:
    assert gate.check_piece(zipped(PACKETS)).payload == PACKETS


def test_a_gzip_bomb_is_refused() -> None:
    with pytest.raises(NotThatMedia, match="without end"):
        gate.unpacked(zipped(b"\0" * 10_000_000), 1_000_000)


def test_an_init_section_needs_its_header() -> None:
    with pytest.raises(NotThatMedia, match="moov"):
        gate.check_piece(box(b"ftyp", b"isom"), is_init=True)


@pytest.mark.parametrize("mark", [b"encv", b"enca", b"pssh"])
def test_an_init_section_of_locked_media_is_refused(mark: bytes) -> None:
    with pytest.raises(DrmProtected):
        gate.check_piece(box(b"ftyp") + box(b"moov", mark), is_init=True)


@pytest.mark.parametrize("plain", [b"", b"a" * 16, b"a" * 15 + b"\0", b"a" * 15 + b"\x11", b"a" * 14 + b"\x03\x02"])
def test_wrong_padding_is_not_cut_blindly(plain: bytes) -> None:
    with pytest.raises(NotThatMedia, match="padding"):
        gate.unpadded(plain)


@pytest.mark.parametrize(("plain", "expected"), [(b"\x10" * 16, b""), (b"a" * 15 + b"\x01", b"a" * 15)])
def test_padding_is_taken_off(plain: bytes, expected: bytes) -> None:
    assert gate.unpadded(plain) == expected


@pytest.mark.parametrize("body", [b"", b"x" * 15, b"x" * 17, b"<html>" + b"x" * 100])
def test_a_key_has_16_bytes(body: bytes) -> None:
    with pytest.raises(gate.NotThatKey):
        gate.check_key(body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"WEBVTT\n", "vtt"), (b"\xef\xbb\xbfWEBVTT - x\r\n", "vtt"), (b"1\r\n00:00:01,5 --> 00:00:02,0\r\nx", "srt")],
)
def test_subtitles_are_known_by_their_bytes(body: bytes, kind: str) -> None:
    assert gate.check_subtitles(body).kind == kind


@pytest.mark.parametrize("body", [b"", b"<html>", b"words", b"[Script Info]"])
def test_what_is_no_subtitles_is_told(body: bytes) -> None:
    with pytest.raises(NotThatMedia):
        gate.check_subtitles(body)


def test_a_piece_of_another_kind_is_told() -> None:
    with pytest.raises(NotThatMedia, match="fmp4 among ts"):
        gate.check_against("fmp4", "ts")


def test_the_time_in_a_segment_is_measured() -> None:
    segment = (media.hls_ts() / "seg1.ts").read_bytes()

    assert clocks.span_s(segment) == pytest.approx(2.0, abs=0.2)
    assert not clocks.is_short(segment, 2.0)
    assert clocks.is_short(segment, 6.0)
    assert clocks.span_s(PACKETS) is None
