from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.planner import CHUNK_BYTES
from kinodom_downloader.domain.faults import DrmProtected, LivePlaylist, NotMedia, SegmentBad, SegmentMissing
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from
from tests.support.origin import Origin

SINGLE_FILE = b"""<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT12S">
  <Period><AdaptationSet mimeType="video/mp4"><Representation id="1" height="180"><BaseURL>v.mp4</BaseURL>
  <SegmentBase indexRange="700-800"/></Representation></AdaptationSet></Period></MPD>"""


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


LAST_OF_20_MB = f"bytes={20_000_001 // CHUNK_BYTES * CHUNK_BYTES}-20000000"


def padded_film(size: int) -> bytes:
    film = media.film_mp4().read_bytes()
    free = size - len(film)
    return film + free.to_bytes(4) + b"free" + b"\x5a" * (free - 8)


def test_a_file_is_fetched_in_ranges_side_by_side(host: Origin, tmp_path: Path) -> None:
    host.files["/film.mp4"] = padded_film(20_000_001)

    fetched = fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")

    (track,) = fetched.tracks
    assert (track.role, track.container, len(track.parts)) == ("muxed", "mp4", 1)
    assert bytes_of(track) == host.files["/film.mp4"]
    ranges = {head.get("Range") for _, head in host.heads}
    assert {f"bytes=0-{CHUNK_BYTES - 1}", f"bytes={CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}", LAST_OF_20_MB} <= ranges


def test_a_host_without_ranges_sends_the_file_in_one_stream(host: Origin, tmp_path: Path) -> None:
    host.ranges = False
    host.files["/film.mp4"] = padded_film(9_000_000)
    host.faults["/film.mp4"] = lambda answer, number: number == 2 and origin.cut(0.5)(answer, number)

    fetched = fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")

    assert bytes_of(fetched.tracks[0]) == host.files["/film.mp4"]


def test_finished_ranges_are_not_fetched_again(host: Origin, tmp_path: Path) -> None:
    host.files["/film.mp4"] = padded_film(20_000_001)
    last = LAST_OF_20_MB
    refuse = origin.status(404)
    host.faults["/film.mp4"] = lambda answer, number: answer.headers.get("Range") == last and refuse(answer, number)
    with pytest.raises(SegmentMissing):
        fetch_from(host, "/film.mp4", tmp_path, delivery="progressive", workers=1)
    host.faults.clear()
    host.heads.clear()

    fetched = fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")

    assert bytes_of(fetched.tracks[0]) == host.files["/film.mp4"]
    assert [head.get("Range") for _, head in host.heads] == ["bytes=0-", last]


def test_a_file_that_changed_starts_over(host: Origin, tmp_path: Path) -> None:
    host.files["/film.mp4"] = padded_film(10_000_000)
    fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")
    host.files["/film.mp4"] = padded_film(11_000_000)

    fetched = fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")

    assert bytes_of(fetched.tracks[0]) == host.files["/film.mp4"]


@pytest.mark.parametrize("film", [media.webm, media.long_webm, media.film_mkv], ids=["webm", "long-webm", "mkv"])
def test_webm_and_matroska_are_known_by_their_content(host: Origin, tmp_path: Path, film: Callable[[], Path]) -> None:
    host.files["/film.mp4"] = film().read_bytes()

    fetched = fetch_from(host, "/film.mp4", tmp_path / "work", delivery="progressive")

    (track,) = fetched.tracks
    assert (track.container, bytes_of(track)) == ("webm", host.files["/film.mp4"])


def test_a_matroska_file_over_ranges_is_published_whole(host: Origin, tmp_path: Path) -> None:
    host.files["/film.mkv"] = media.film_mkv().read_bytes()

    made = package(fetch_from(host, "/film.mkv", tmp_path / "work", delivery="progressive"), tmp_path / "out")

    assert len({head.get("Range") for _, head in host.heads}) > 2
    assert [str(track.codec)[:4] for track in made.tracks] == ["avc1", "mp4a"]
    assert made.duration_s == pytest.approx(media.LONG_S, abs=0.1)


def test_a_playlist_behind_the_address_of_a_file_is_followed(host: Origin, tmp_path: Path) -> None:
    host.put(media.hls_ts())

    fetched = fetch_from(host, "/index.m3u8", tmp_path, delivery="progressive")

    assert fetched.tracks[0].container == "ts"


def test_a_file_behind_the_address_of_a_playlist_is_fetched(host: Origin, tmp_path: Path) -> None:
    host.files["/film"] = padded_film(9_000_000)

    fetched = fetch_from(host, "/film", tmp_path, delivery="hls")

    assert fetched.tracks[0].container == "mp4"


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b"", b"PK\x03\x04" + b"\0" * 1000, b"%PDF-1.7 " + b"\0" * 1000, b'{"a": 1}']
)
def test_what_is_no_film_is_refused(host: Origin, tmp_path: Path, body: bytes) -> None:
    host.files["/film.mp4"] = body

    with pytest.raises(NotMedia):
        fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")


def test_a_cut_mp4_is_never_handed_on(host: Origin, tmp_path: Path) -> None:
    host.files["/film.mp4"] = media.film_mp4().read_bytes()[:-1000]

    with pytest.raises(SegmentBad, match="not whole"):
        fetch_from(host, "/film.mp4", tmp_path, delivery="progressive")


def test_dash_with_a_timeline_is_fetched(host: Origin, tmp_path: Path) -> None:
    host.put(media.dash_template())

    fetched = fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash")

    video, sound = fetched.tracks
    assert (video.role, video.container, sound.role, sound.container) == ("video", "fmp4", "audio", "fmp4")
    assert media.streams_of(*video.parts) == ["h264,300"]
    assert media.streams_of(*sound.parts) == ["aac,564"]
    assert fetched.duration_s == pytest.approx(media.DURATION_S, abs=0.1)


def test_dash_with_single_files_is_fetched_in_ranges(host: Origin, tmp_path: Path) -> None:
    host.files["/v.mp4"] = padded_film(9_000_000)
    host.files["/manifest.mpd"] = SINGLE_FILE

    fetched = fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash")

    assert bytes_of(fetched.tracks[0]) == host.files["/v.mp4"]
    assert (fetched.tracks[0].container, fetched.duration_s) == ("mp4", 12.0)


def test_a_single_file_with_an_index_is_fetched_segment_by_segment(host: Origin, tmp_path: Path) -> None:
    host.files |= {"/manifest.mpd": SINGLE_FILE, "/v.mp4": media.indexed_mp4().read_bytes()}

    (track,) = fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash").tracks

    assert media.packets_of(*track.parts) == media.packets_of(media.indexed_mp4())
    assert (track.container, track.durations_s) == ("fmp4", (0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0))
    assert media.streams_of(*track.parts) == ["h264,300"]


def test_a_single_file_whose_index_is_far_behind_a_large_header_is_fetched_in_segments(
    host: Origin, tmp_path: Path
) -> None:
    body = media.indexed_mp4().read_bytes()
    at = body.index(b"sidx") - 4
    host.files |= {
        "/manifest.mpd": SINGLE_FILE,
        "/v.mp4": body[:at] + (100_000).to_bytes(4) + b"free" + bytes(99_992) + body[at:],
    }

    (track,) = fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash").tracks

    assert len(track.gathered) == 7
    assert media.streams_of(*track.parts) == ["h264,300"]


def test_a_single_file_whose_index_lies_is_fetched_as_a_whole(host: Origin, tmp_path: Path) -> None:
    body = bytearray(media.indexed_mp4().read_bytes())
    entry = body.index(b"sidx") + 28 + 8 * (body[body.index(b"sidx") + 4] == 1)
    body[entry : entry + 4] = (0x7FFFFFFF).to_bytes(4)
    host.files |= {"/manifest.mpd": SINGLE_FILE, "/v.mp4": bytes(body)}

    (track,) = fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash").tracks

    assert (track.container, bytes_of(track)) == ("mp4", bytes(body))


def test_a_single_file_that_changes_between_its_segments_is_named(host: Origin, tmp_path: Path) -> None:
    host.files |= {"/manifest.mpd": SINGLE_FILE, "/v.mp4": media.indexed_mp4().read_bytes()}
    host.faults["/v.mp4"] = lambda answer, number: bool(
        answer.serve(answer.server.files["/v.mp4"], {"ETag": '"one"' if number < 4 else '"two"'}) or True
    )

    with pytest.raises(SegmentBad, match="another version"):
        fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash", workers=1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'<MPD type="dynamic"><Period/></MPD>', LivePlaylist),
        (b'<MPD><Period><AdaptationSet mimeType="video/mp4"><ContentProtection schemeIdUri="urn:x"/>'
         b'<Representation id="1"/></AdaptationSet></Period></MPD>', DrmProtected),
    ],
)  # fmt: skip
def test_live_and_locked_dash_is_refused(host: Origin, tmp_path: Path, text: bytes, error: type[Exception]) -> None:
    host.files["/manifest.mpd"] = text

    with pytest.raises(error):
        fetch_from(host, "/manifest.mpd", tmp_path, delivery="dash")
