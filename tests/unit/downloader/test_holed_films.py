"""Films of which parts are missing, and films of several clocks, packaged by the real ffmpeg."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.faults import SegmentBad
from kinodom_downloader.domain.fetched import Container, Fetched, FetchedTrack, Role
from kinodom_downloader.domain.fetched import Hole as Lack
from kinodom_downloader.domain.hole_marks import holes_of
from kinodom_downloader.domain.publishing import metadata_text
from kinodom_downloader.domain.shown import video_of
from tests.support import media, origin
from tests.support.fetching import fetch_from
from tests.support.origin import Origin
from tests.support.shelved import REQUEST

pytestmark = pytest.mark.slow

FRAME_S = 0.04
RATE_HZ = 8000


def holed(folder: Path, gone: tuple[int, ...] = (), role: Role = "muxed") -> FetchedTrack:
    """Return the track of a folder of 2 s segments without some of them."""
    count = len(list(folder.glob("seg*.ts")))
    there = [number for number in range(count) if number not in gone]
    lacks = (
        (Lack(there.index(max(gone) + 1) if max(gone) < count - 1 else len(there), 2.0 * len(gone)),) if gone else ()
    )
    return FetchedTrack(
        role=role,
        container="ts",
        parts=tuple(folder / f"seg{number}.ts" for number in there),
        durations_s=(2.0,) * len(there),
        holes=lacks,
    )


def in_pieces(
    container: Container, *parts: Path, breaks: tuple[int, ...] = (), holes: tuple[Lack, ...] = ()
) -> FetchedTrack:
    durations_s = tuple(0.0 if part.name == "init.mp4" else 2.0 for part in parts)
    return FetchedTrack(
        role="muxed", container=container, parts=parts, durations_s=durations_s, breaks=breaks, holes=holes
    )


def packaged(out: Path, *tracks: FetchedTrack) -> Packaged:
    return package(Fetched(tracks=tracks, duration_s=None, total_bytes=0), out)


def tone_at(path: Path, at_s: float) -> int | None:
    """Return the second of the film whose tone sounds in a packaged sound at a moment; None: silence."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(RATE_HZ * 4), "-f", "s16le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    first_s = read_track(path).index.start_s
    start = int((at_s - first_s) * RATE_HZ * 4) * 2
    samples = struct.unpack(f"<{RATE_HZ // 2}h", raw[start : start + RATE_HZ])
    if max(map(abs, samples)) < 300:
        return None
    crossings = sum(one < 0 <= other for one, other in pairwise(samples))
    return round((crossings / (len(samples) / (RATE_HZ * 4)) - 400) / 200)


def length_s(path: Path) -> tuple[float, float]:
    index = read_track(path).index
    return index.start_s, index.end_s


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


@pytest.mark.parametrize("gone", [(3,), (3, 4), tuple(range(3, 11))], ids=["2s", "4s", "16s"])
def test_a_hole_keeps_its_time_in_picture_and_sound(gone: tuple[int, ...], tmp_path: Path) -> None:
    made = packaged(tmp_path / "out", holed(media.toned_ts(), gone))

    (hole,) = made.holes
    assert (hole.from_s, hole.to_s) == pytest.approx((6.0, 6.0 + 2 * len(gone)), abs=0.1)
    assert hole.lacks == "all"
    for file in ("v.mp4", "a-und.mp4"):
        assert length_s(tmp_path / "out" / file)[1] == pytest.approx(media.TONED_S, abs=0.1)
    assert made.duration_s == pytest.approx(media.TONED_S, abs=0.1)


def test_in_a_hole_is_silence_and_after_it_the_sound_of_the_picture(tmp_path: Path) -> None:
    packaged(tmp_path / "out", holed(media.toned_ts(), (3, 4)))

    sound = tmp_path / "out" / "a-und.mp4"
    assert [tone_at(sound, at_s) for at_s in (3.3, 5.3, 6.8, 9.3, 10.4, 20.3)] == [3, 5, None, None, 10, 20]


def test_the_index_begins_each_part_where_its_picture_belongs(tmp_path: Path) -> None:
    packaged(tmp_path / "out", holed(media.toned_ts(), (3, 4)))

    index = read_track(tmp_path / "out" / "v.mp4").index
    starts_s = [part.at / index.timescale - index.start_s for part in index.references]
    assert starts_s == pytest.approx([0.0, 2.0, 4.0, *(10.0 + 2 * n for n in range(15))], abs=0.001)


def test_of_a_hole_in_the_picture_alone_the_sound_goes_on_unchanged(tmp_path: Path) -> None:
    folder = media.toned_ts()

    made = packaged(tmp_path / "out", holed(folder / "v", (3, 4), "video"), holed(folder / "a", (), "audio"))

    assert [(round(hole.from_s), round(hole.to_s), hole.lacks) for hole in made.holes] == [(6, 10, "picture")]
    assert [tone_at(tmp_path / "out" / "a-und.mp4", at_s) for at_s in (5.3, 7.3, 12.3)] == [5, 7, 12]


def test_of_a_hole_in_the_sound_alone_the_picture_goes_on(tmp_path: Path) -> None:
    folder = media.toned_ts()

    made = packaged(tmp_path / "out", holed(folder / "v", (), "video"), holed(folder / "a", (3, 4), "audio"))

    assert [(round(hole.from_s), round(hole.to_s), hole.lacks) for hole in made.holes] == [(6, 10, "sound")]
    assert len(read_track(tmp_path / "out" / "v.mp4").index.references) == 20
    assert [tone_at(tmp_path / "out" / "a-und.mp4", at_s) for at_s in (5.3, 8.3, 12.3)] == [5, None, 12]


@pytest.mark.parametrize(("gone", "hole"), [((0, 1), (0.0, 4.0)), ((18, 19), (36.0, 40.0))], ids=["front", "end"])
def test_a_film_without_its_beginning_or_end_is_as_long_as_it_was(
    gone: tuple[int, ...], hole: tuple[float, float], tmp_path: Path
) -> None:
    made = packaged(tmp_path / "out", holed(media.toned_ts(), gone))

    assert [(one.from_s, one.to_s) for one in made.holes] == [pytest.approx(hole, abs=0.1)]
    assert made.duration_s == pytest.approx(media.TONED_S, abs=0.1)
    assert f'mediaPresentationDuration="PT{made.duration_s:.6f}S"' in (tmp_path / "out" / "manifest.mpd").read_text()
    assert tone_at(tmp_path / "out" / "a-und.mp4", 20.3) == 20


def test_a_clock_that_begins_anew_behind_a_hole_is_put_in_its_place(tmp_path: Path) -> None:
    folder = media.toned_ts()
    parts = [folder / f"seg{number}.ts" for number in (10, 11, 12, 1, 2, 3)]

    made = packaged(tmp_path / "out", in_pieces("ts", *parts, breaks=(3,), holes=(Lack(3, 8.0),)))

    assert [(one.from_s, one.to_s) for one in made.holes] == [pytest.approx((6.0, 14.0), abs=0.1)]
    assert length_s(tmp_path / "out" / "v.mp4")[1] == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("order", [(0, 1, 4, 5, 8, 9), (8, 9, 4, 5, 0, 1), (0, 1, 15, 16, 2, 3)])
def test_marked_discontinuities_leave_no_time_between_the_parts(order: tuple[int, ...], tmp_path: Path) -> None:
    parts = [media.toned_ts() / f"seg{number}.ts" for number in order]

    packaged(tmp_path / "out", in_pieces("ts", *parts, breaks=(2, 4)))

    ends_s = [length_s(tmp_path / "out" / file)[1] for file in ("v.mp4", "a-und.mp4")]
    assert ends_s == pytest.approx([12.0, 12.0], abs=2 * FRAME_S)


def test_marked_discontinuities_without_a_new_clock_change_nothing(tmp_path: Path) -> None:
    folder = media.toned_ts()
    parts = [folder / f"seg{number}.ts" for number in range(8)]

    packaged(tmp_path / "plain", in_pieces("ts", *parts))
    packaged(tmp_path / "marked", in_pieces("ts", *parts, breaks=(1, 2, 3, 4, 5)))

    for file in ("v.mp4", "a-und.mp4"):
        assert (tmp_path / "marked" / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()


def test_fragments_of_several_clocks_are_put_behind_each_other(tmp_path: Path) -> None:
    folder = media.hls_fmp4()
    parts = [folder / name for name in ("init.mp4", "seg4.m4s", "seg5.m4s", "init.mp4", "seg0.m4s", "seg1.m4s")]

    made = packaged(tmp_path / "out", in_pieces("fmp4", *parts, breaks=(3,), holes=(Lack(4, 12.0),)))

    assert [(one.from_s, one.to_s) for one in made.holes] == [pytest.approx((4.0, 16.0), abs=0.1)]
    assert length_s(tmp_path / "out" / "v.mp4")[1] == pytest.approx(20.0, abs=0.1)


def test_a_hole_is_as_long_as_its_source_says_when_the_clock_tells_something_else(tmp_path: Path) -> None:
    parts = [media.toned_ts() / f"seg{number}.ts" for number in (0, 1, 2, 10, 11)]  # 14 s apart

    made = packaged(tmp_path / "out", in_pieces("ts", *parts, holes=(Lack(3, 4.0),)))

    assert [(one.from_s, one.to_s) for one in made.holes] == [pytest.approx((6.0, 10.0), abs=0.1)]
    assert length_s(tmp_path / "out" / "v.mp4")[1] == pytest.approx(14.0, abs=0.1)


def test_a_wrong_piece_beside_a_hole_is_not_taken_for_the_right_one(host: Origin, tmp_path: Path) -> None:
    host.put(media.long_hls_ts())
    rows = re.sub(r"(#EXTINF:[^\n]*\nseg3\.ts)", r"#EXT-X-GAP\n\1", host.files["/index.m3u8"].decode())
    host.files |= {"/index.m3u8": rows.encode(), "/seg4.ts": host.files["/seg12.ts"]}

    with pytest.raises(SegmentBad, match=r"segment 5 of 30.*another place"):
        fetch_from(host, "/index.m3u8", tmp_path, leave="gaps")


def test_the_folder_says_what_it_lacks(tmp_path: Path) -> None:
    made = packaged(tmp_path / "out", holed(media.toned_ts(), (3,)))

    video = video_of(
        REQUEST,
        tracks=made.tracks,
        duration_s=made.duration_s,
        height_px=180,
        size_bytes=1,
        now_s=0.0,
        holes=made.holes,
    )

    assert re.search(rb"missing: 6\.\d+-8\.\d+ s \(all\)\n", metadata_text(video))
    assert video.model_dump(mode="json")["holes"][0]["lacks"] == "all"


def test_borders_that_hardly_differ_make_no_holes_of_their_own() -> None:
    found = holes_of([("video", [(6.02, 10.02)]), ("audio", [(6.0, 9.9)]), ("audio", [])])

    assert [(hole.from_s, hole.to_s, hole.lacks) for hole in found] == [(6.0, 10.02, "all")]


def test_a_long_overlap_is_told_apart() -> None:
    found = holes_of([("video", [(6.0, 10.0)]), ("audio", [(8.0, 12.0)])])

    assert [(hole.from_s, hole.to_s, hole.lacks) for hole in found] == [
        (6.0, 8.0, "picture"), (8.0, 10.0, "all"), (10.0, 12.0, "sound")]  # fmt: skip
