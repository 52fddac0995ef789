from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kinodom_common.egress import AddressRefused, SchemeRefused, TooManyRedirects
from kinodom_downloader.domain.faults import (
    KeyBad,
    LinkExpired,
    SegmentBad,
    SegmentMissing,
    SegmentUnreachable,
)
from kinodom_downloader.domain.fetched import Headway
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from
from tests.support.origin import Origin

pytestmark = pytest.mark.slow

LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60 + b"IEND\xaeB`\x82"


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


def film(folder: Path) -> bytes:
    return b"".join((folder / f"seg{index}.ts").read_bytes() for index in range(6))


def test_segments_are_fetched_in_order_and_byte_for_byte(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    (track,) = fetched.tracks
    assert (track.role, track.container, len(track.parts)) == ("muxed", "ts", 6)
    assert bytes_of(track) == film(media.hls_ts())
    assert fetched.duration_s == pytest.approx(media.DURATION_S, abs=0.1)
    assert media.streams_of(*track.parts) == ["aac,564", "h264,300"]


def test_locked_segments_are_opened(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_aes())

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())
    assert host.asked["/key.bin"] == 1


def test_fragmented_mp4_has_its_init_section_in_front(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_fmp4())

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    (track,) = fetched.tracks
    assert (track.container, len(track.parts), track.durations_s[0]) == ("fmp4", 7, 0.0)
    assert media.streams_of(*track.parts) == ["aac,564", "h264,300"]


@pytest.mark.parametrize(
    "fault",
    [
        origin.times(2, origin.status(503)),
        origin.times(3, origin.status(429, {"Retry-After": "0"})),
        origin.times(1, origin.status(503, {"Retry-After": "1000000000"})),
        origin.times(1, origin.status(404)),
        origin.times(2, origin.hangs_up),
        origin.times(1, origin.cut(0.5)),
        origin.times(1, origin.cut(0.0)),
        origin.times(1, origin.short_chunked(0.3)),
        origin.times(1, origin.sends(b"")),
        origin.times(2, origin.sends(LOGIN)),
        origin.changed(lambda body: PNG + body),
        origin.changed(lambda body: b"\xff\xd8\xff\xe0" + b"G" * 300 + b"\xff\xd9" + body),
        origin.changed(lambda body: b"GIF89a" + b"\0" * 40 + b";" + body),
        origin.changed(origin.zipped),
    ],
    ids=["503", "429", "503 and wait for ever", "404 once", "no answer", "cut", "cut at once", "short chunked",
         "empty", "login page", "png", "jpeg", "gif", "gzip"],
)  # fmt: skip
def test_a_fault_that_passes_leaves_no_trace_in_the_film(host: Origin, tmp_path: Path, fault: origin.Fault) -> None:
    host.put(media.hls_ts())
    host.faults["/seg3.ts"] = fault

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


def test_faults_everywhere_leave_no_trace_in_the_film(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_aes())
    host.faults["*"] = origin.times(1, origin.status(503))

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


def test_a_cut_segment_goes_on_where_it_was_cut(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.faults["/seg2.ts"] = origin.times(1, origin.cut(0.5))

    fetch_from(host, "/index.m3u8", tmp_path)

    size = len(host.files["/seg2.ts"])
    ranges = [head.get("Range") for path, head in host.heads if path == "/seg2.ts"]
    assert ranges == [None, f"bytes={int(size * 0.5)}-"]


def test_a_host_without_ranges_sends_a_cut_segment_anew(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.ranges = False
    host.faults["/seg2.ts"] = origin.times(1, origin.cut(0.5))

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (origin.status(404), SegmentMissing, "segment 4 of 6"),
        (origin.status(410), SegmentMissing, "segment 4 of 6"),
        (origin.status(403), LinkExpired, "segment 4 of 6"),
        (origin.status(500), SegmentUnreachable, "egment 4 of 6"),
        (origin.hangs_up, SegmentUnreachable, "egment 4 of 6"),
        (origin.sends(LOGIN), SegmentBad, "segment 4 of 6 .muxed. the source sent a web page"),
        (origin.sends(b""), SegmentBad, "segment 4 of 6 .muxed. the source sent nothing"),
        (origin.sends(b'{"error": 1}'), SegmentBad, "JSON"),
        (origin.sends(b"#EXTM3U\n"), SegmentBad, "a playlist"),
        (origin.changed(lambda body: body[:-100]), SegmentBad, "cut off"),
        (origin.changed(lambda body: body[:188] + b"x" + body[189:]), SegmentBad, "damaged"),
        (origin.short_chunked(0.3), SegmentBad, "ends too early"),
        (origin.changed(lambda _body: origin.zipped(b"\0" * 70_000_000)), SegmentBad, "without end"),
        (origin.moved("/seg3.ts"), TooManyRedirects, "redirects"),
        (origin.moved("http://127.0.0.1:9/x"), AddressRefused, "not called|not one that"),
        (origin.moved("http://2130706433:8000/x"), AddressRefused, "not called"),
        (origin.moved("file:///etc/passwd"), SchemeRefused, "http"),
    ],
)
def test_a_fault_that_stays_fails_by_name(
    host: Origin, tmp_path: Path, fault: origin.Fault, error: type[Exception], words: str
) -> None:
    host.put(media.hls_ts())
    host.faults["/seg3.ts"] = fault

    with pytest.raises(error, match=words):
        fetch_from(host, "/index.m3u8", tmp_path)


@pytest.mark.parametrize(
    ("key", "error"),
    [(b"0123456789abcde", KeyBad), (b"0123456789abcdef0", KeyBad), (LOGIN, KeyBad), (b"", KeyBad),
     (b"0123456789abcdef", SegmentBad)],
    ids=["15 bytes", "17 bytes", "login page", "empty", "wrong"],
)  # fmt: skip
def test_a_bad_key_is_named(host: Origin, tmp_path: Path, key: bytes, error: type[Exception]) -> None:
    host.put(media.hls_aes())
    host.files["/key.bin"] = key

    with pytest.raises(error, match=r"segment . of 6"):
        fetch_from(host, "/index.m3u8", tmp_path)


def test_after_a_failure_the_finished_segments_are_not_fetched_again(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    host.faults["/seg5.ts"] = origin.status(404)
    with pytest.raises(SegmentMissing):
        fetch_from(host, "/index.m3u8", tmp_path, workers=1)
    host.faults.clear()
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())
    assert host.asked == {"/index.m3u8": 1, "/seg5.ts": 1}


def test_a_fresh_link_with_other_tokens_keeps_what_is_finished(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    text = host.files["/index.m3u8"].decode()
    host.files["/index.m3u8"] = text.replace(".ts", ".ts?token=old").encode()
    host.faults["/seg5.ts"] = origin.status(403)
    with pytest.raises(LinkExpired):
        fetch_from(host, "/index.m3u8", tmp_path, workers=1)
    host.faults.clear()
    host.files["/index.m3u8"] = text.replace(".ts", ".ts?token=new").encode()
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8?fresh", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())
    assert host.asked == {"/index.m3u8": 1, "/seg5.ts": 1}


def test_another_film_in_the_same_folder_starts_over_and_says_so(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    told: list[Headway] = []
    fetch_from(host, "/index.m3u8", tmp_path, on_progress=told.append)
    assert not any(each.anew for each in told)
    host.put(media.hls_fmp4())

    with capture_logs() as logged:
        fetched = fetch_from(host, "/index.m3u8", tmp_path, on_progress=told.append)

    assert told[-1].anew
    assert [line["pieces"] for line in logged if "changed" in line["event"]] == [{"t0": 6}]
    assert fetched.tracks[0].container == "fmp4"
    assert len(fetched.tracks[0].parts) == 7


def test_a_damaged_finished_segment_is_fetched_again(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())
    first = fetch_from(host, "/index.m3u8", tmp_path)
    first.tracks[0].parts[1].write_bytes(b"short")
    first.tracks[0].parts[4].unlink()
    host.asked.clear()

    fetched = fetch_from(host, "/index.m3u8", tmp_path)

    assert bytes_of(fetched.tracks[0]) == film(media.hls_ts())
    assert host.asked == {"/index.m3u8": 1, "/seg1.ts": 1, "/seg4.ts": 1}
