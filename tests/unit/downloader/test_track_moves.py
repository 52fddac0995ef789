"""What changes in a segment when it is put behind others, and what makes it stay by itself."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from kinodom_downloader.domain.boxes import boxes_in, fragments
from kinodom_downloader.domain.gathering import Move, changes, is_in_pieces, moves
from kinodom_downloader.domain.headers import Track
from kinodom_downloader.domain.plan import Segment, TrackPlan
from kinodom_downloader.domain.track_heads import Head, NotPlain, head_of
from kinodom_downloader.domain.track_index import index_of
from tests.support import clips

KEY, OTHER = 0x02000000, 0x01010000


def box(kind: str, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def segment(
    *,
    time: int = 0,
    wide: bool = True,
    offsets: tuple[int, ...] | None = (2, 4, 1),
    flags: int = KEY,
    base: bool = False,
    track: int = 1,
    points_at: int | None = None,
    trafs: int = 1,
    front: bytes = b"",
) -> bytes:
    """Return a segment of three samples of 4 bytes and 10 ticks."""
    fields = b"".join(struct.pack(">i", one) for one in offsets) if offsets else b""
    word = 0x000005 | (0x800 if offsets else 0)

    def moof(at: int) -> bytes:
        tfhd = (
            struct.pack(">II", 0x000038 | base, track) + (bytes(8) if base else b"") + struct.pack(">III", 10, 4, OTHER)
        )
        tfdt = struct.pack(">IQ" if wide else ">II", wide << 24, time)
        trun = struct.pack(">IIiI", word, 3, at, flags) + fields
        return box(
            "moof", box("mfhd", bytes(8)), box("traf", box("tfhd", tfhd), box("tfdt", tfdt), box("trun", trun)) * trafs
        )

    return front + moof(points_at or len(moof(0)) + 8) + box("mdat", b"abcdefghijkl")


def head(kind: str = "video", timescale: int = 100, edit_s: float = 0.0) -> Head:
    track = Track(
        track_id=1, kind=kind, timescale=timescale, codec="avc1.64000c", entry="avc1", encrypted=False, width_px=1,
        height_px=1, sample_rate_hz=None, edit_s=edit_s, setup=b"",
    )  # type: ignore[arg-type]  # fmt: skip
    return Head(front=b"", track=track, usual=(10, 4, OTHER))


def moved(piece: bytes, move: Move) -> bytes:
    out = bytearray(piece)
    for at, new in changes(lambda start, count: piece[start : start + count], len(piece), head(), move):
        out[at : at + len(new)] = new
    return bytes(out)


def reader(piece: bytes) -> Callable[[int, int], bytes]:
    return lambda at, count: piece[at : at + count]


def first_of(piece: bytes) -> tuple[int, int]:
    moof = next(one for one in boxes_in(piece) if one.kind == "moof")
    (found,) = fragments(piece[moof.start : moof.end])
    return found.decode_time, found.first_offset


def test_the_earliest_track_begins_at_0_and_no_decode_time_is_negative() -> None:
    pieces = [segment(time=500), segment(time=503, offsets=None)]

    found = moves([head(), head("audio")], [reader(piece) for piece in pieces])

    places = [first_of(moved(piece, move)) for piece, move in zip(pieces, found, strict=True)]
    assert places == [(0, 0), (1, 0)]  # both begin as far apart as they did: 502 and 503


def test_what_an_edit_list_takes_away_is_taken_off_the_start() -> None:
    pieces = [segment(time=0, offsets=None), segment(time=0, offsets=None)]

    found = moves([head(), head("audio", edit_s=-0.05)], [reader(piece) for piece in pieces])

    assert [first_of(moved(piece, move))[0] for piece, move in zip(pieces, found, strict=True)] == [5, 0]


def test_a_clock_too_coarse_for_a_millisecond_is_refused() -> None:
    pieces = [segment(time=50, offsets=None), segment(time=1, offsets=None)]

    with pytest.raises(NotPlain, match="coarse"):
        moves([head(timescale=100), head("audio", timescale=3)], [reader(piece) for piece in pieces])


def test_a_move_keeps_the_length_and_is_undone_by_the_one_back() -> None:
    piece = segment(time=500)

    there = moved(piece, Move(shift=-498, delta=2))

    assert (len(there), first_of(there)) == (len(piece), (2, 0))
    assert first_of(moved(there, Move(shift=-498, delta=2).back())) == first_of(piece)


def test_boxes_of_one_segment_alone_become_room() -> None:
    front = box("styp", bytes(8)) + box("sidx", bytes(24)) + box("emsg", bytes(4))

    there = moved(segment(front=front), Move(shift=0))

    assert [one.kind for one in boxes_in(there) if one.kind in ("free", "styp", "sidx", "emsg")] == ["free"] * 3


def test_samples_to_the_end_of_a_file_get_their_length() -> None:
    piece = segment()
    at = piece.index(b"mdat") - 4

    there = moved(piece[:at] + bytes(4) + piece[at + 4 :], Move(shift=0))

    assert struct.unpack_from(">I", there, at)[0] == len(piece) - at


@pytest.mark.parametrize(
    ("piece", "move", "why"),
    [
        (segment(time=2**32 - 5, wide=False), Move(shift=10), "no room"),
        (segment(time=5), Move(shift=-6), "no room"),
        (segment(flags=OTHER), Move(shift=0), "key frame"),
        (segment(base=True), Move(shift=0), "beginning of a file"),
        (segment(track=2), Move(shift=0), "another track"),
        (segment(trafs=2), Move(shift=0), "not of one track"),
        (segment(points_at=5000), Move(shift=0), "outside"),
        (segment(offsets=None), Move(shift=0, delta=2), "not listed"),
        (segment(offsets=(2**31 - 1, 0, 0)), Move(shift=0, delta=-2), "damaged"),
        (segment()[:-5], Move(shift=0), "damaged"),
        (box("moof", b"") + segment(), Move(shift=0), "not each one header"),
        (box("mdat", b"abc"), Move(shift=0), "not each one header"),
        (b"", Move(shift=0), "not each one header"),
    ],
)
def test_what_does_not_fit_is_named(piece: bytes, move: Move, why: str) -> None:
    with pytest.raises(NotPlain, match=why):
        moved(piece, move)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"avc1", b"hev1"), (b"avc1", b"encv"), (b"trex", b"free"), (b"mdhd", b"free"), (b"vide", b"text")],
)
def test_only_headers_of_one_track_that_is_copied_are_taken(old: bytes, new: bytes) -> None:
    init = (clips.film_apart() / "init-0.mp4").read_bytes()
    assert head_of(init).track.codec is not None

    with pytest.raises(NotPlain):
        head_of(init.replace(old, new))


def test_edits_tags_and_lengths_of_the_source_are_left_out_of_a_head() -> None:
    front = head_of((clips.film_apart() / "init-0.mp4").read_bytes()).front

    kinds = {one.kind for one in boxes_in(front)}
    assert kinds >= {"ftyp", "moov", "trak", "mvex", "stsd"}
    assert kinds & {"edts", "elst", "udta", "mehd"} == set()
    assert head_of(front).front == front


@pytest.mark.parametrize(("starts", "last"), [((0, 30, 20), 10), ((-1, 30, 60), 10), ((0, 30, 2**33), 10)])
def test_pieces_that_do_not_follow_each_other_get_no_index(starts: tuple[int, ...], last: int) -> None:
    with pytest.raises(NotPlain):
        index_of(head(), (100, 200, 300, 400), starts, last)


def test_a_playlist_says_whether_a_track_may_be_gathered() -> None:
    init, one = Segment(url="i", is_init=True), Segment(url="s", duration_s=2.0)
    plain = TrackPlan(role="video", segments=(init, one, one))

    assert is_in_pieces(plain)
    for segments in (
        (one, one),
        (init,),
        (init, one, init, one),
        (init, one, Segment(url="s", duration_s=2.0, breaks=True)),
    ):
        assert not is_in_pieces(TrackPlan(role="video", segments=segments))
    assert not is_in_pieces(TrackPlan(role="subtitles", segments=plain.segments))
    assert not is_in_pieces(TrackPlan(role="audio", segments=plain.segments, silences=((1, 2.0),)))
