"""Odd sources whose film shows only when it is packaged: exact lengths, kept offsets. See test_adversarial_cases.py."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from kinodom_downloader.adapters.packaging import Packaged, package
from kinodom_downloader.adapters.planner import CHUNK_BYTES
from kinodom_downloader.adapters.track_files import read_track
from kinodom_downloader.domain.fetched import Fetched
from tests.support import clips, media, origin
from tests.support.fetching import bytes_of, fetch_from
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

FRAME_S = 0.04
AAC_FRAME_S = 1024 / 48_000
RATE_HZ = 8000
PARTS = 500
CLICK_S = 0.5
WRAP_S = 2**33 / 90_000
PICTURE = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def length_s(path: Path) -> float:
    index = read_track(path).index
    return index.end_s - index.start_s


def clicks_s(path: Path) -> list[float]:
    """Return where the clicks in a packaged sound begin, seconds of the film."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=100).stdout
    samples = struct.unpack(f"<{len(raw) // 2}h", raw)
    loud = [at for at, sample in enumerate(samples) if abs(sample) > 3000]
    begins = [at for before, at in zip([-RATE_HZ, *loud], loud, strict=False) if at - before > RATE_HZ // 4]
    return [read_track(path).index.start_s + at / RATE_HZ for at in begins]


@cache
def second_ts() -> bytes:
    """Return 1 s of MPEG-TS with a click in its middle."""
    path = media.media_folder() / "second.ts"
    click = f"aevalsrc='if(between(t,{CLICK_S},{CLICK_S}+0.03),sin(2*PI*1000*t),0)':s=48000:d=1"
    media.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", "-f", "lavfi", "-i", click, *PICTURE, "-c:a", "aac"),
        *("-f", "mpegts", path),
    )
    return path.read_bytes()


def put_list(host: Origin, *rows: str, end: str = "#EXT-X-ENDLIST") -> None:
    host.files["/index.m3u8"] = "\n".join(["#EXTM3U", *rows, end]).encode()


def packaged(host: Origin, folder: Path, entry: str = "/index.m3u8") -> tuple[Fetched, Packaged]:
    delivery = "progressive" if entry.endswith(".mp4") else "hls"
    fetched = fetch_from(host, entry, folder / "parts", delivery=delivery)  # type: ignore[arg-type]
    return fetched, package(fetched, folder / "out")


def test_case_11_five_hundred_restarted_clocks_stay_in_step_to_the_end(host: Origin, tmp_path: Path) -> None:
    host.files["/second.ts"] = second_ts()
    put_list(host, *(f"#EXT-X-DISCONTINUITY\n#EXTINF:1,\nsecond.ts?{number}" for number in range(PARTS)))

    packaged(host, tmp_path)

    starts = read_track(tmp_path / "out/v.mp4").index
    begins_s = [part.at / starts.timescale for part in starts.references]
    clicks = clicks_s(tmp_path / "out/a-und.mp4")
    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(PARTS, abs=FRAME_S)
    assert (len(begins_s), len(clicks)) == (PARTS, PARTS)
    assert abs((clicks[-1] - begins_s[-1]) - (clicks[0] - begins_s[0])) <= 0.04
    assert max(abs(click - begin - CLICK_S) for click, begin in zip(clicks, begins_s, strict=True)) <= 0.04


def test_case_11_a_clock_that_goes_round_goes_on(host: Origin, tmp_path: Path) -> None:
    cut = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename", tmp_path / "w%d.ts")
    media.ffmpeg(
        "-i", media.film_mp4(), "-c", "copy", "-output_ts_offset", f"{WRAP_S - 7:.3f}", *cut, tmp_path / "w.m3u8"
    )
    host.put(tmp_path)

    packaged(host, tmp_path, "/w.m3u8")

    lengths_s = [length_s(tmp_path / "out" / file) for file in ("v.mp4", "a-und.mp4")]
    assert lengths_s == pytest.approx([media.DURATION_S] * 2, abs=FRAME_S)


@pytest.mark.parametrize("film", [(0, 1, 2, 3, 4, 5), (10, 11, 12, 13, 14, 15)])
def test_case_11_a_film_goes_on_behind_each_advertisement(host: Origin, tmp_path: Path, film: tuple[int, ...]) -> None:
    host.put(media.long_hls_ts())
    host.files["/ad.ts"] = second_ts()
    rows = [f"#EXTINF:2,\nseg{number}.ts" for number in film]
    for at in (4, 2):
        rows[at:at] = ["#EXT-X-DISCONTINUITY\n#EXTINF:1,\nad.ts?a", "#EXT-X-DISCONTINUITY\n#EXTINF:1,\nad.ts?b"]
        rows[at + 2] = f"#EXT-X-DISCONTINUITY\n{rows[at + 2]}"
    put_list(host, *rows)

    packaged(host, tmp_path)

    index = read_track(tmp_path / "out/v.mp4").index
    begins_s = [part.at / index.timescale - index.start_s for part in index.references]
    assert begins_s == pytest.approx([0, 2, 4, 5, 6, 8, 10, 11, 12, 14], abs=FRAME_S)
    assert length_s(tmp_path / "out/a-und.mp4") == pytest.approx(16.0, abs=4 * AAC_FRAME_S)


def test_case_11_sound_and_picture_from_two_lists_stay_in_step_over_many_discontinuities(
    host: Origin, tmp_path: Path
) -> None:
    whole = tmp_path / "second.ts"
    whole.write_bytes(second_ts())
    for name, stream in (("v", "0:v"), ("a", "0:a")):
        media.ffmpeg("-i", whole, "-map", stream, "-c", "copy", "-copyts", "-f", "mpegts", tmp_path / f"{name}.ts")
        host.files[f"/{name}.ts"] = (tmp_path / f"{name}.ts").read_bytes()
        rows = "".join(f"#EXT-X-DISCONTINUITY\n#EXTINF:1,\n{name}.ts?{number}\n" for number in range(60))
        host.files[f"/{name}.m3u8"] = f"#EXTM3U\n{rows}#EXT-X-ENDLIST".encode()
    sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Sound",URI="a.m3u8"'
    host.files["/m.m3u8"] = f'#EXTM3U\n{sound}\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nv.m3u8'.encode()

    packaged(host, tmp_path, "/m.m3u8")

    index = read_track(tmp_path / "out/v.mp4").index
    begins_s = [part.at / index.timescale for part in index.references]
    apart_s = [click - begin for click, begin in zip(clicks_s(tmp_path / "out/a-und.mp4"), begins_s, strict=True)]
    assert max(abs(one - CLICK_S) for one in apart_s) <= 0.04


def renditions(host: Origin, folder: Path, *cut: str) -> None:
    """Put a film whose picture and sound come apart, the sound in two languages of one name, and subtitles."""
    streams = ("-var_stream_map", "v:0,agroup:s a:0,agroup:s", "-map", "0:v:0", "-map", "0:a:0", "-c", "copy")
    lists = ("-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_filename", folder / "r%v-%d.ts")
    media.ffmpeg("-i", clips.film_ts(), *cut, *streams, *lists, folder / "r%v.m3u8")
    host.put(folder)
    host.files["/subs.vtt"] = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nSalt\n"
    host.files["/subs.m3u8"] = b"#EXTM3U\n#EXT-X-TARGETDURATION:24\n#EXTINF:24,\nsubs.vtt\n#EXT-X-ENDLIST\n"
    media_row = '#EXT-X-MEDIA:TYPE={kind},GROUP-ID="{kind}",NAME="{name}",LANGUAGE="{tag}",URI="{uri}"'
    rows = [media_row.format(kind="AUDIO", name="Stereo", tag=tag, uri="r1.m3u8") for tag in ("en", "ru")]
    rows += [media_row.format(kind="SUBTITLES", name="English", tag="en", uri="subs.m3u8")]
    rows += ['#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="AUDIO",SUBTITLES="SUBTITLES"', "r0.m3u8"]
    host.files["/master.m3u8"] = "\n".join(["#EXTM3U", *rows]).encode()


def test_case_15_every_rendition_is_a_track_with_its_name_and_the_late_sound_stays_late(
    host: Origin, tmp_path: Path
) -> None:
    (tmp_path / "r").mkdir()
    renditions(host, tmp_path / "r")

    _fetched, made = packaged(host, tmp_path, "/master.m3u8")

    assert [track.file for track in made.tracks] == ["v.mp4", "a-en.mp4", "a-ru.mp4", "s-en.vtt"]
    manifest = (tmp_path / "out/manifest.mpd").read_text()
    assert re.findall(r'contentType="audio"[^>]* lang="(\w+)"', manifest) == ["en", "ru"]
    assert manifest.count("<Label>Stereo</Label>") == 2
    offsets = {
        name: read_track(tmp_path / f"out/{name}").index.start_s - read_track(tmp_path / "out/v.mp4").index.start_s
        for name in ("a-en.mp4", "a-ru.mp4")
    }
    assert list(offsets.values()) == pytest.approx([clips.AUDIO_LATE_S - 1024 / 44_100] * 2, abs=0.001)


def test_case_15_a_sound_that_is_shorter_than_the_picture_shortens_nothing(host: Origin, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    renditions(host, tmp_path / "r")
    rows = host.files["/r1.m3u8"].decode().splitlines()
    last = max(number for number, row in enumerate(rows) if row.startswith("#EXTINF"))
    host.files["/r1.m3u8"] = "\n".join([*rows[:last], "#EXT-X-ENDLIST"]).encode()

    _fetched, made = packaged(host, tmp_path, "/master.m3u8")

    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(clips.LENGTH_S, abs=FRAME_S)
    assert length_s(tmp_path / "out/a-en.mp4") < clips.LENGTH_S - 2
    assert made.duration_s == pytest.approx(clips.LENGTH_S, abs=FRAME_S)
    assert made.holes == ()


def test_case_16_a_list_without_an_end_becomes_a_film_of_what_it_lists(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    text = host.files["/index.m3u8"].decode()
    host.files["/index.m3u8"] = text.replace("#EXT-X-ENDLIST", "").replace("#EXT-X-PLAYLIST-TYPE:VOD", "").encode()

    packaged(host, tmp_path)

    assert host.asked["/index.m3u8"] == 4
    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(media.DURATION_S, abs=FRAME_S)


def peak_kb(host: Origin, folder: Path, count: int) -> int:
    """Return the most memory that a process took which fetched a film of so many short segments."""
    body = b"".join(b"\x47\x1f\xff\x10" + bytes([at % 251]) * 184 for at in range(54))
    host.files["/piece.ts"] = body
    put_list(host, *(f"#EXTINF:0.5,\npiece.ts?{number}" for number in range(count)))
    child = [sys.executable, "-m", "tests.support.fetch_child", host.address, "/index.m3u8", str(folder), "4", "hls"]
    ended = subprocess.run(
        child, capture_output=True, text=True, timeout=200, check=True, cwd=Path(__file__).parents[3]
    )
    return int(ended.stdout.split()[-1])


def test_case_17_ten_times_the_segments_take_hardly_more_memory(host: Origin, tmp_path: Path) -> None:
    few_kb, many_kb = (peak_kb(host, tmp_path / str(count), count) for count in (100, 1000))

    assert many_kb - few_kb < 4_000


def test_case_17_a_segment_of_three_hours_is_split_by_ranges_and_keeps_its_length(host: Origin, tmp_path: Path) -> None:
    hours_s = 3 * 3600
    film = tmp_path / "long.ts"
    media.ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=128x72:r=1:d={hours_s}", *PICTURE, "-g", "10", "-f", "mpegts", film)
    )
    host.files["/long.ts"] = film.read_bytes()
    put_list(host, f"#EXTINF:{hours_s},\nlong.ts")

    fetched, _made = packaged(host, tmp_path)

    assert bytes_of(fetched.tracks[0]) == host.files["/long.ts"]
    assert host.asked["/long.ts"] > len(host.files["/long.ts"]) // CHUNK_BYTES > 1
    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(hours_s, abs=1.0)


@pytest.mark.parametrize("told", ["0", "nan", "-2", "1e9", ""])
@pytest.mark.parametrize("kind", ["ts", "fmp4"])
def test_case_18_a_length_that_is_none_is_taken_from_what_came(
    host: Origin, tmp_path: Path, told: str, kind: str
) -> None:
    host.put({"ts": media.hls_ts, "fmp4": media.hls_fmp4}[kind]())
    rows = host.files["/index.m3u8"].decode().splitlines()
    third = [number for number, row in enumerate(rows) if row.startswith("#EXTINF")][2]
    rows[third] = f"#EXTINF:{told}," if told else "#EXT-X-BITRATE:1"
    host.files["/index.m3u8"] = "\n".join(rows).encode()

    fetched, made = packaged(host, tmp_path)

    assert sum(fetched.tracks[0].durations_s) == pytest.approx(media.DURATION_S, abs=0.1)
    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(media.DURATION_S, abs=FRAME_S)
    assert made.holes == ()


def boxes(body: bytes) -> list[tuple[bytes, int, int]]:
    """Return name, start and size of the outermost boxes."""
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4])
        found.append((body[at + 4 : at + 8], at, size))
        at += size
    return found


def with_large_box(body: bytes) -> bytes:
    """Return a film whose media box states its size in 64 bits: ffmpeg leaves the room for it in a box before."""
    named = {name: (start, size) for name, start, size in boxes(body)}
    (free, eight), (mdat, size) = named[b"free"], named[b"mdat"]
    assert (free + eight, eight) == (mdat, 8)
    return body[:free] + struct.pack(">I4sQ", 1, b"mdat", size + 8) + body[mdat + 8 :]


def with_open_box(body: bytes) -> bytes:
    """Return a film whose last box goes to the end of the file."""
    name, start, _size = boxes(body)[-1]
    assert name == b"mdat"
    return body[:start] + bytes(4) + body[start + 4 :]


FAST = ("-movflags", "+faststart")
FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof"
COPY = ("-i", "FILM", "-c", "copy")
MP4S: dict[str, tuple[tuple[str, ...], Callable[[bytes], bytes]]] = {
    "header at the end": (COPY, bytes),
    "header in front": ((*COPY, *FAST), bytes),
    "fragmented": ((*COPY, "-movflags", FRAGMENTED), bytes),
    "fragmented with an index": ((*COPY, "-movflags", "+dash+global_sidx+frag_keyframe"), bytes),
    "edit list": ((*COPY, "-movflags", "+faststart", "-use_editlist", "1"), bytes),
    "large box": (COPY, with_large_box),
    "open box": ((*COPY, *FAST), with_open_box),
    "rotated": ((*COPY, *FAST, "-metadata:s:v:0", "rotate=90"), bytes),
    "no sound": ((*COPY, "-an"), bytes),
    "no picture": ((*COPY, "-vn"), bytes),
}


@pytest.mark.parametrize("name", MP4S)
def test_case_24_every_shape_of_a_file_gives_a_film_of_exactly_its_length(
    host: Origin, tmp_path: Path, name: str
) -> None:
    words, change = MP4S[name]
    made = tmp_path / "made.mp4"
    media.ffmpeg(*(str(media.film_mp4()) if word == "FILM" else word for word in words), made)
    host.files["/film.mp4"] = change(made.read_bytes())

    _fetched, film = packaged(host, tmp_path, "/film.mp4")

    files = [track.file for track in film.tracks]
    assert files == [file for file in ("v.mp4", "a-und.mp4") if name != {"v.mp4": "no picture"}.get(file, "no sound")]
    assert [length_s(tmp_path / "out" / file) for file in files] == pytest.approx(
        [media.DURATION_S] * len(files), abs=FRAME_S + AAC_FRAME_S
    )


def test_case_24_frames_at_odd_times_stay_where_they_are(host: Origin, tmp_path: Path) -> None:
    picture = "testsrc2=s=160x90:r=25:d=10,select='not(mod(n,3))+lt(n,50)'"
    film = tmp_path / "vfr.mp4"
    media.ffmpeg("-f", "lavfi", "-i", picture, "-vsync", "vfr", *PICTURE, "-g", "25", *FAST, film)
    host.files["/film.mp4"] = film.read_bytes()

    packaged(host, tmp_path, "/film.mp4")

    before_s, after_s = (sorted(clips.video_key_frames_s(path, "")) for path in (film, tmp_path / "out/v.mp4"))
    assert [at - after_s[0] for at in after_s] == pytest.approx([at - before_s[0] for at in before_s], abs=0.001)


def test_case_24_a_minute_without_a_key_frame_is_one_fragment(host: Origin, tmp_path: Path) -> None:
    film = tmp_path / "far.mp4"
    media.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=130", *PICTURE, "-x264-params", "keyint=1500:scenecut=0"),
        *("-bf", "0", *FAST, film),
    )
    host.files["/film.mp4"] = film.read_bytes()

    packaged(host, tmp_path, "/film.mp4")

    index = read_track(tmp_path / "out/v.mp4").index
    assert [part.duration / index.timescale for part in index.references] == pytest.approx([60, 60, 10], abs=0.001)


def test_case_24_hevc_keeps_its_length(host: Origin, tmp_path: Path) -> None:
    film = clips.coded("hevc.mp4", "-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "aac")
    host.files["/film.mp4"] = film.read_bytes()

    _fetched, made = packaged(host, tmp_path, "/film.mp4")

    assert str(made.tracks[0].codec).startswith("hvc1.")
    assert length_s(tmp_path / "out/v.mp4") == pytest.approx(6.0, abs=FRAME_S)
