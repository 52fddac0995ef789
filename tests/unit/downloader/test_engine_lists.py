from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_common.egress import OutsideNotFound
from kinodom_downloader.adapters.bodies import Piece, Taken
from kinodom_downloader.adapters.patience import Limits, Watch
from kinodom_downloader.adapters.planner import CHUNK_BYTES, Planner
from kinodom_downloader.domain.faults import (
    DrmProtected,
    NotMedia,
    PlaylistBad,
    PlaylistRefused,
    SegmentGap,
)
from kinodom_downloader.domain.fetched import Headway
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.origin import Origin

LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def film(folder: Path) -> bytes:
    return b"".join((folder / f"seg{index}.ts").read_bytes() for index in range(6))


def test_the_playlists_address_after_redirects_is_the_base(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts(), at="/deep/er")
    host.faults["/film"] = origin.moved("/deep/er/index.m3u8")

    fetched = fetch_from(host, "/film", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


def test_byte_ranges_of_one_file_are_fetched(host: Origin, tmp_path: Path) -> None:
    parts = [(media.hls_ts() / f"seg{index}.ts").read_bytes() for index in range(6)]
    host.files["/all.ts"] = b"".join(parts)
    rows = [f"#EXTINF:2,\n#EXT-X-BYTERANGE:{len(part)}\nall.ts" for part in parts]
    host.files["/index.m3u8"] = ("\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"])).encode()

    fetched = fetch_from(host, "/index.m3u8", tmp_path / "a")
    host.ranges = False
    without = fetch_from(host, "/index.m3u8", tmp_path / "b")

    assert bytes_of(fetched.tracks[0]) == bytes_of(without.tracks[0]) == film(media.hls_ts())


def master(*rows: str) -> bytes:
    return "\n".join(["#EXTM3U", *rows]).encode()


@pytest.mark.parametrize(("wanted", "chosen"), [(None, 1080), (1080, 1080), (900, 720), (720, 720), (100, 360)])
def test_the_quality_follows_the_wanted_height(host: Origin, tmp_path: Path, wanted: int | None, chosen: int) -> None:
    rows = []
    for height in (720, 360, 1080):
        host.put(media.hls_ts(), at=f"/{height}")
        rows += [f"#EXT-X-STREAM-INF:BANDWIDTH={height}000,RESOLUTION=1x{height}", f"{height}/index.m3u8"]
    host.files["/master.m3u8"] = master(*rows)

    fetch_from(host, "/master.m3u8", tmp_path, height_px=wanted)

    assert {path.split("/")[1] for path in host.asked if "seg" in path} == {str(chosen)}


def test_separate_sounds_and_subtitles_are_tracks_of_their_own(host: Origin, tmp_path: Path) -> None:
    for name in ("v", "a-en", "a-ru"):
        host.put(media.hls_ts(), at=f"/{name}")
    host.files["/s/index.m3u8"] = b"#EXTM3U\n#EXTINF:6,\n1.vtt\n#EXTINF:6,\n2.vtt\n#EXT-X-ENDLIST\n"
    host.files["/s/1.vtt"] = b"WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n"
    host.files["/s/2.vtt"] = b"WEBVTT\n\n00:07.000 --> 00:08.000\nTwo\n"
    host.files["/master.m3u8"] = master(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=NO,URI="a-en/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Русский, дубляж",LANGUAGE="ru",DEFAULT=YES,URI="a-ru/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="s/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a",SUBTITLES="s"',
        "v/index.m3u8",
    )

    fetched = fetch_from(host, "/master.m3u8", tmp_path)

    assert [(track.role, track.container, track.language, track.name) for track in fetched.tracks] == [
        ("video", "ts", None, None),
        ("audio", "ts", "ru", "Русский, дубляж"),
        ("audio", "ts", "en", "English"),
        ("subtitles", "vtt", "en", "English"),
    ]
    assert [part.read_bytes() for part in fetched.tracks[3].parts] == [host.files["/s/1.vtt"], host.files["/s/2.vtt"]]


def test_one_long_segment_is_fetched_in_ranges(host: Origin, tmp_path: Path) -> None:
    body = film(media.hls_ts()) * 15
    host.files["/long.ts"] = body
    host.files["/index.m3u8"] = b"#EXTM3U\n#EXTINF:180,\nlong.ts\n#EXT-X-ENDLIST\n"

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    (track,) = fetched.tracks
    assert bytes_of(track) == body
    assert (track.container, len(track.parts), fetched.duration_s) == ("ts", 1, 180.0)
    assert host.asked["/long.ts"] == 1 + math.ceil(len(body) / CHUNK_BYTES)


def test_a_subtitle_list_that_is_not_there_does_not_stop_the_film(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts(), at="/v")
    host.files["/master.m3u8"] = master(
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",URI="gone.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"',
        "v/index.m3u8",
    )

    fetched = fetch_from(host, "/master.m3u8", tmp_path)

    assert [track.role for track in fetched.tracks] == ["muxed"]


def test_subtitles_of_the_offer_come_along_and_bad_ones_are_left_out(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.files["/ru.srt"] = "1\n00:00:01,000 --> 00:00:02,000\nПривет\n".encode()
    host.files["/bad.vtt"] = LOGIN
    offered = tuple(
        SubtitleOffer(url=f"{host.address}/{name}", language=name[:2]) for name in ("ru.srt", "bad.vtt", "no.vtt")
    )

    fetched = fetch_from(host, "/index.m3u8", tmp_path, subtitles=offered)

    assert [(track.role, track.container, track.language) for track in fetched.tracks[1:]] == [
        ("subtitles", "srt", "ru")
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (LOGIN, PlaylistBad),
        (b"", PlaylistBad),
        (b"{}", PlaylistBad),
        (b"just words", NotMedia),
        (b"#EXTM3U\n#EXT-X-ENDLIST\n", PlaylistBad),
        (b"#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXTINF:2,\nseg0.ts\n#EXT-X-ENDLIST\n", DrmProtected),
        (b"#EXTM3U\n#EXTINF:2,\n#EXT-X-GAP\nseg0.ts\n#EXT-X-ENDLIST\n", SegmentGap),
        (b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", PlaylistRefused),
        (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n", PlaylistRefused),
        (b"#EXTM3U\n" + b"#\n" * 4_500_000, PlaylistRefused),
    ],
)  # fmt: skip
def test_a_playlist_that_is_none_is_refused_in_words(
    host: Origin, tmp_path: Path, text: bytes, error: type[Exception]
) -> None:
    host.files["/index.m3u8"] = text

    with pytest.raises(error):
        fetch_from(host, "/index.m3u8", tmp_path)


def test_a_list_without_an_end_that_stays_the_same_is_a_whole_film(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts(), at="/v")
    host.put(media.hls_ts(), at="/a")
    for name in ("v", "a"):
        text = host.files[f"/{name}/index.m3u8"]
        host.files[f"/{name}/index.m3u8"] = text.replace(b"#EXT-X-ENDLIST", b"").replace(
            b"#EXT-X-PLAYLIST-TYPE:VOD", b""
        )
    host.files["/master.m3u8"] = master(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="a/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"',
        "v/index.m3u8",
    )

    seen: list[Headway] = []

    fetched = fetch_from(host, "/master.m3u8", tmp_path, on_progress=seen.append)

    assert [bytes_of(track) for track in fetched.tracks] == [film(media.hls_ts())] * 2
    assert seen[-1].endless
    assert sorted([host.asked["/v/index.m3u8"], host.asked["/a/index.m3u8"]]) == [1, 4]


@pytest.mark.parametrize(("target", "wait_s"), [("4", 4.0), ("86400", 10.0), ("nan", 0.0)])
def test_a_list_without_an_end_is_waited_for_three_target_durations_and_no_longer(target: str, wait_s: float) -> None:
    waits: list[float] = []

    class Told:
        watch = Watch(limits=Limits(), check=lambda: None, on_bytes=lambda _count: None)

        def take(self, _piece: Piece, taken: Taken, *, at_most: int | None = None) -> None:
            taken.body.add(memoryview(f"#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n#EXTINF:2,\nseg0.ts\n".encode()))
            taken.url = "http://a.example/index.m3u8"

    offer = Offer(source="test", url="http://a.example/index.m3u8", delivery="hls")
    Planner(line=Told(), pause=waits.append).plan(offer, None)  # type: ignore[arg-type]

    assert waits == [wait_s] * 3


def test_a_playlist_that_is_not_there_is_not_found(host: Origin, tmp_path: Path) -> None:
    with pytest.raises(OutsideNotFound):
        fetch_from(host, "/index.m3u8", tmp_path)


def test_headers_of_the_offer_go_to_its_host_alone(host: Origin, tmp_path: Path) -> None:
    with origin.origin() as cdn:
        cdn.put(media.hls_ts())
        text = (media.hls_ts() / "index.m3u8").read_text()
        host.files["/index.m3u8"] = text.replace("seg", f"{cdn.address}/seg").encode()
        headers = {"Referer": "https://site.example/", "Cookie": "session=1", "Range": "bytes=0-1"}

        fetch_from(host, "/index.m3u8", tmp_path, headers=headers, transport=transport_for(host, cdn))

    assert host.heads[0][1]["Cookie"] == "session=1"
    assert "Range" not in host.heads[0][1]
    assert {head["Referer"] for _, head in cdn.heads} == {"https://site.example/"}
    assert not any("Cookie" in head for _, head in cdn.heads)


def test_connections_are_kept_alive(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    ports: set[object] = set()
    host.faults["*"] = lambda answer, _number: bool(ports.add(answer.client_address[1]))

    fetch_from(host, "/index.m3u8", tmp_path, workers=1)

    assert len(ports) == 2  # the worker's, and the planner's, which waits for what a viewer asks for


def test_progress_ends_at_one_with_true_numbers(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    seen: list[Headway] = []

    fetched = fetch_from(host, "/index.m3u8", tmp_path, on_progress=seen.append)

    last = seen[-1]
    assert (last.fraction, last.segments_done, last.segments_total) == (1.0, 6, 6)
    assert last.total_bytes == fetched.total_bytes == len(film(media.hls_ts()))
    assert last.left_s in (0.0, None)


SKD = b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"\n'


def put_qualities(host: Origin, *locked: int) -> None:
    """Serve a master playlist of two heights whose locks it announces; these are locked."""
    host.put(media.hls_ts())
    host.files["/master.m3u8"] = (
        b"#EXTM3U\n"
        + SKD.replace(b"KEY:", b"SESSION-KEY:")
        + b"".join(
            b"#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=9x%d\n%d.m3u8\n" % (height, height, height)
            for height in (1080, 720)
        )
    )
    for height in (1080, 720):
        text = host.files["/index.m3u8"]
        host.files[f"/{height}.m3u8"] = text.replace(b"#EXTINF", SKD + b"#EXTINF", 1) if height in locked else text


def test_a_locked_quality_is_left_out(host: Origin, tmp_path: Path) -> None:
    put_qualities(host, 1080)

    fetched = fetch_from(host, "/master.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


def test_a_film_all_of_whose_qualities_are_locked_is_refused(host: Origin, tmp_path: Path) -> None:
    put_qualities(host, 1080, 720)

    with pytest.raises(DrmProtected):
        fetch_from(host, "/master.m3u8", tmp_path)


def test_a_locked_sound_is_left_out(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    sound = b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="%s",URI="%s.m3u8"\n'
    host.files["/master.m3u8"] = (
        b"#EXTM3U\n" + sound % (b"One", b"one") + sound % (b"Two", b"two")
        + b'#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nindex.m3u8\n'
    )  # fmt: skip
    host.files["/one.m3u8"] = host.files["/index.m3u8"].replace(b"#EXTINF", SKD + b"#EXTINF", 1)
    host.files["/two.m3u8"] = host.files["/index.m3u8"]

    fetched = fetch_from(host, "/master.m3u8", tmp_path)

    assert [track.name for track in fetched.tracks] == [None, "Two"]


def test_subtitles_that_are_listed_longer_than_the_film_say_nothing_of_its_length(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.files["/master.m3u8"] = (
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Text",URI="s.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=1,SUBTITLES="s"\nindex.m3u8\n'
    )
    host.files["/s.m3u8"] = b"#EXTM3U\n#EXTINF:7200,\ns.vtt\n#EXT-X-ENDLIST\n"
    host.files["/s.vtt"] = b"WEBVTT\n\n00:01.000 --> 00:02.000\nSo\n"

    fetched = fetch_from(host, "/master.m3u8", tmp_path)

    assert fetched.duration_s == pytest.approx(media.DURATION_S, abs=0.1)
