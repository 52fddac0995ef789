"""Boxes, indices, fragments and codec strings."""

from __future__ import annotations

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinodom_common.errors import KinodomError
from kinodom_downloader.domain.boxes import Box, BrokenBoxes, boxes_in, fragments, packed_index, read_index, top_boxes
from kinodom_downloader.domain.headers import read_tracks


def _box(kind: str, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def _sidx(version: int, first: int, *entries: tuple[int, int]) -> bytes:
    times = struct.pack(">II" if version == 0 else ">QQ", first, 0)
    rows = b"".join(struct.pack(">III", size, duration, 0x80000000) for size, duration in entries)
    head = bytes([version, 0, 0, 0]) + struct.pack(">II", 1, 1000)
    return _box("sidx", head + times + struct.pack(">HH", 0, len(entries)) + rows)


def _moov(handler: bytes, entry: str, fixed: int, *configuration: bytes) -> bytes:
    head = bytearray(fixed - 8)
    if handler == b"vide":
        struct.pack_into(">HH", head, 24, 1920, 1080)
    stsd = _box("stsd", struct.pack(">II", 0, 1) + _box(entry, bytes(head) + b"".join(configuration)))
    hdlr = _box("hdlr", bytes(8) + handler + bytes(12))
    mdhd = _box("mdhd", bytes(12) + struct.pack(">II", 90_000, 0) + bytes(4))
    tkhd = _box("tkhd", bytes(12) + struct.pack(">I", 7) + bytes(60))
    minf = _box("minf", _box("stbl", stsd))
    mvhd = _box("mvhd", bytes(12) + struct.pack(">I", 1000) + bytes(80))
    return _box("moov", mvhd + _box("trak", tkhd + _box("mdia", mdhd + hdlr + minf)))


def _esds(object_type: int, specific: bytes) -> bytes:
    inner = bytes([0x05, len(specific)]) + specific if specific else b""
    decoder = bytes([0x04, 13 + len(inner), object_type]) + bytes(12) + inner
    return _box("esds", bytes(4) + bytes([0x03, 3 + len(decoder)]) + bytes(3) + decoder)


@pytest.mark.parametrize("version", [0, 1])
def test_an_index_gives_bytes_and_times_of_its_fragments(version: int) -> None:
    content = _sidx(version, 500, (100, 2000), (50, 1000))

    index = read_index(content, Box("sidx", 0, len(content), 8))

    assert [(part.start - len(content), part.size, part.at, part.duration) for part in index.references] == [
        (0, 100, 500, 2000),
        (100, 50, 2500, 1000),
    ]
    assert (index.start_s, index.end_s) == (0.5, 3.5)


@pytest.mark.parametrize("version", [0, 1])
def test_a_packed_index_keeps_its_length_and_names_sap_type_1(version: int) -> None:
    content = _sidx(version, 500, (100, 2000), (50, 1000))
    index = read_index(content, Box("sidx", 0, len(content), 8))

    packed = packed_index(index, content)

    assert len(packed) == len(content)
    assert read_index(packed, Box("sidx", 0, len(packed), 8)) == index
    assert packed[-4:] == b"\x90\0\0\0"


def test_an_empty_index_is_broken() -> None:
    content = _sidx(1, 0)

    with pytest.raises(BrokenBoxes):
        read_index(content, Box("sidx", 0, len(content), 8))


@pytest.mark.parametrize(
    "content", [b"\0\0", b"\0\0\0\x04moov", b"\0\0\0\xffmdat", struct.pack(">I4sQ", 1, b"mdat", 2**60)]
)
def test_a_box_that_does_not_fit_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenBoxes):
        list(top_boxes(io.BytesIO(content), len(content)))


def test_a_large_box_and_a_box_to_the_end_are_walked() -> None:
    content = struct.pack(">I4sQ", 1, b"free", 20) + b"1234" + struct.pack(">I4s", 0, b"mdat") + b"123"

    found = list(top_boxes(io.BytesIO(content), len(content)))

    assert [(box.kind, box.start, box.size, box.header) for box in found] == [("free", 0, 20, 16), ("mdat", 20, 11, 8)]


def test_a_fragment_tells_its_start_length_and_key_frame() -> None:
    tfhd = _box("tfhd", struct.pack(">III", 0x20020, 7, 0x01010000))
    tfdt = _box("tfdt", struct.pack(">Iq", 1 << 24, -1024))
    run = struct.pack(">IIiI", 0x01000B05 & ~0xA00 | 0x100 | 0x800, 2, 0, 0x02000000)
    trun = _box("trun", run + struct.pack(">IiIi", 40, -5, 60, 9))
    moof = _box("moof", _box("traf", tfhd + tfdt + trun))

    (found,) = fragments(moof, 5000)

    assert (found.track_id, found.decode_time, found.first_offset, found.duration) == (7, -1024, -5, 100)
    assert found.starts_with_key
    assert moof[found.decode_time_at - 5000 :][:8] == struct.pack(">q", -1024)


@pytest.mark.parametrize(
    ("entry", "configuration", "codec"),
    [
        ("avc1", _box("avcC", bytes.fromhex("0164001fffe100")), "avc1.64001f"),
        ("avc3", _box("avcC", bytes.fromhex("014d4028ffe100")), "avc3.4d4028"),
        ("avc1", b"", None),
        ("hvc1", _box("hvcC", bytes.fromhex("010160000000b0000000000099") + bytes(10)), "hvc1.1.6.L153.B0"),
        ("hev1", _box("hvcC", bytes.fromhex("012220000000b00000000000 99") + bytes(10)), "hev1.2.4.H153.B0"),
        ("av01", _box("av1C", bytes.fromhex("81080c00")), "av01.0.08M.08"),
        ("av01", _box("av1C", bytes.fromhex("810d4c00")), "av01.0.13M.10"),
        ("vp09", _box("vpcC", bytes.fromhex("01000000001f8002")), "vp09.00.31.08"),
        ("encv", b"", None),
    ],
)
def test_pictures_get_the_codec_strings_browsers_ask_for(entry: str, configuration: bytes, codec: str | None) -> None:
    (track,) = read_tracks(_moov(b"vide", entry, 86, configuration))

    assert track.codec == codec
    assert (track.width_px, track.height_px, track.track_id) == (1920, 1080, 7)
    assert track.encrypted == (entry == "encv")


@pytest.mark.parametrize(
    ("entry", "configuration", "codec"),
    [
        ("mp4a", _esds(0x40, bytes.fromhex("1210")), "mp4a.40.2"),
        ("mp4a", _esds(0x40, bytes.fromhex("2b11")), "mp4a.40.5"),
        ("mp4a", _esds(0x40, bytes.fromhex("f948")), "mp4a.40.42"),
        ("mp4a", _esds(0x40, b""), None),
        ("mp4a", _esds(0x6B, b""), "mp4a.6b"),
        ("Opus", _box("dOps", bytes(11)), "opus"),
        ("fLaC", _box("dfLa", bytes(38)), "flac"),
        ("ac-3", _box("dac3", bytes(3)), "ac-3"),
        ("ec-3", _box("dec3", bytes(5)), "ec-3"),
        ("ec-3", b"", None),
    ],
)
def test_sounds_get_the_codec_strings_browsers_ask_for(entry: str, configuration: bytes, codec: str | None) -> None:
    (track,) = read_tracks(_moov(b"soun", entry, 36, configuration))

    assert track.codec == codec


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_name(content: bytes) -> None:
    sound = _moov(b"soun", "mp4a", 36, _esds(0x40, bytes.fromhex("1210")))
    for whole in (content, sound[:60] + content + sound[60:], _box("moof", _box("traf", content))):
        for read in (read_tracks, fragments, lambda buffer: list(boxes_in(buffer))):
            try:
                read(whole)
            except KinodomError:
                continue


@given(st.data())
def test_a_header_with_any_byte_changed_is_read_or_refused_by_name(data: st.DataObject) -> None:
    whole = bytearray(_moov(b"soun", "mp4a", 36, _esds(0x40, bytes.fromhex("1210"))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(BrokenBoxes):
        read_tracks(bytes(whole))
