"""Media hosts that lie, break and stall: one case each, with what the fetch engine must say about it.

Used by the tests and by `make bench-truth`. The outcome of a case is `identical` or the code of a failure by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from kinodom_common.contracts.offers import Delivery
from kinodom_common.errors import KinodomError
from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.adapters.worker_thread import Retry
from kinodom_downloader.domain.boxes import top_boxes
from tests.support import media, origin
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.origin import Answer, Fault, Origin
from tests.support.packaged import Film as PackagedFilm
from tests.support.packaged import packaged
from tests.support.periods import PERIODS, period_bytes, put_periods, stream_bytes

Film = Literal["ts", "aes", "fmp4", "ranges", "mp4", "webm", "dash", "periods", "half-silent", "two-sizes"]
ENCODED = ("two-sizes",)  # whose pictures the house codes anew
LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60 + b"IEND\xaeB`\x82"
SEGMENT = 3  # the one that most cases spoil, from 0
IDENTICAL = "identical"
_ENTRIES: dict[Film, str] = {"mp4": "/film.mp4", "webm": "/film.webm"}


@dataclass(frozen=True, slots=True)
class Case:
    """One way to be a bad host."""

    name: str
    film: Film
    spoil: Callable[[Origin], None]
    expected: str  # IDENTICAL or the code of the failure

    @property
    def path(self) -> str:
        """Where the film begins."""
        return _ENTRIES.get(self.film, "/manifest.mpd" if self.delivery == "dash" else "/index.m3u8")

    @property
    def delivery(self) -> Delivery:
        """What the offer says it is."""
        if self.film == "dash" or self.film in PERIODS:
            return "dash"
        return "progressive" if self.film in _ENTRIES else "hls"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case; `words` is the text of the failure."""

    verdict: str  # IDENTICAL, a code, "silent hole", "packaged otherwise", or "unnamed: ..."
    words: str = ""


def outcome_of(case: Case, host: Origin, folder: Path) -> Outcome:
    """Return what the engine makes of a case, judged by the bytes and never by its word."""
    put_film(host, case.film)
    case.spoil(host)
    quick = replace(
        transport_for(host, limits=Limits(first_byte_s=2.0, stall_s=0.5, slow_after_s=0.6, still_s=0.0)),
        retry=Retry(attempts=3, first_s=0.01, longest_s=0.05, longest_asked_s=0.1),
    )
    try:
        fetched = fetch_from(host, case.path, folder / "work", delivery=case.delivery, transport=quick)
        got = [bytes_of(track) for track in fetched.tracks]
        same = b"".join(map(_samples, got) if case.film == "dash" else got) == truth(case.film)
        film = packaged(fetched, folder / "out")
    except KinodomError as exc:
        return Outcome(exc.code, str(exc))
    except Exception as exc:  # noqa: BLE001 - whatever comes without a name is what is looked for here
        return Outcome(f"unnamed: {type(exc).__name__}", str(exc))
    if not same:
        return Outcome("silent hole")
    return Outcome(IDENTICAL) if _alike(film, case.film) else Outcome("packaged otherwise", repr(film))


def _alike(made: PackagedFilm, film: Film) -> bool:
    """Tell whether a packaged film is what an honest host's is; encoders do not give the same bits each time."""
    wanted = honest(film)
    return made == (replace(wanted, pictures=made.pictures) if film in ENCODED else wanted)


@cache
def honest(film: Film) -> PackagedFilm:
    """Return what a film from an honest host is when it is packaged."""
    case = Case("honest", film, lambda _host: None, IDENTICAL)
    with origin.origin() as host, TemporaryDirectory() as folder:
        put_film(host, film)
        fetched = fetch_from(host, case.path, Path(folder) / "work", delivery=case.delivery)
        return packaged(fetched, Path(folder) / "out")


def put_film(host: Origin, film: Film) -> None:
    """Serve a film as an honest host would."""
    match film:
        case "ts":
            host.put(media.hls_ts())
        case "aes":
            host.put(media.hls_aes())
        case "fmp4":
            host.put(media.hls_fmp4())
        case "ranges":
            _put_ranges(host)
        case "mp4":
            host.files["/film.mp4"] = truth("mp4")
        case "webm":
            host.files["/film.webm"] = truth("webm")
        case "dash":
            host.put(media.dash_template())
        case "periods" | "half-silent" | "two-sizes":
            put_periods(host, film)


def _put_ranges(host: Origin) -> None:
    lines, position = ["#EXTM3U", "#EXT-X-TARGETDURATION:2"], 0
    for part in _parts(media.hls_ts(), "ts"):
        size = part.stat().st_size
        lines += ["#EXTINF:2.0,", f"#EXT-X-BYTERANGE:{size}@{position}", "film.ts"]
        position += size
    host.files["/film.ts"] = truth("ts")
    host.files["/index.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST"]).encode()


@cache
def truth(film: Film) -> bytes:
    """Return the bytes that a whole download has."""
    if film == "mp4":
        plain = media.film_mp4().read_bytes()
        free = 9_000_000 - len(plain)  # two ranges
        return plain + free.to_bytes(4) + b"free" + b"\x5a" * (free - 8)
    if film == "webm":
        return media.webm().read_bytes()
    if film in PERIODS:
        return period_bytes(film)
    if film == "dash":
        return b"".join(_samples(stream_bytes(media.dash_template(), stream)) for stream in (0, 1))
    if film == "fmp4":
        init = media.hls_fmp4() / "init.mp4"
        return b"".join(path.read_bytes() for path in (init, *_parts(media.hls_fmp4(), "m4s")))
    return b"".join(path.read_bytes() for path in _parts(media.hls_ts(), "ts"))


def _samples(body: bytes) -> bytes:
    """Return what is in the fragments: pieces that are gathered into a track file have other headers."""
    boxes = top_boxes(BytesIO(body), len(body))
    return b"".join(body[box.start : box.end] for box in boxes if box.kind == "mdat")


def _parts(folder: Path, ending: str) -> list[Path]:
    return sorted(folder.glob(f"seg*.{ending}"))


@cache
def other_film() -> bytes:
    """Return a segment of a film in another codec, at another time."""
    path = media.media_folder() / "other.ts"
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=2")
    media.ffmpeg(*picture, "-c:v", "mpeg2video", "-output_ts_offset", "1000", "-f", "mpegts", path)
    return path.read_bytes()


def _at(path: str, fault: Fault) -> Callable[[Origin], None]:
    def spoil(host: Origin) -> None:
        host.faults[path] = fault

    return spoil


def _segment(fault: Fault, ending: str = "ts", number: int = SEGMENT) -> Callable[[Origin], None]:
    return _at(f"/seg{number}.{ending}", fault)


def _file(path: str, change: Callable[[bytes], bytes]) -> Callable[[Origin], None]:
    def spoil(host: Origin) -> None:
        host.files[path] = change(host.files[path])

    return spoil


def _swap(first: str, second: str) -> Callable[[Origin], None]:
    def spoil(host: Origin) -> None:
        host.files[first], host.files[second] = host.files[second], host.files[first]

    return spoil


def _instead(path: str, other: str) -> Callable[[Origin], None]:
    def spoil(host: Origin) -> None:
        host.files[path] = host.files[other]

    return spoil


def _ends_at_a_packet(body: bytes, share: float = 0.6) -> bytes:
    return body[: int(len(body) * share) // 188 * 188]


def _claims(difference: int) -> Fault:
    def fault(answer: Answer, _number: int) -> bool:
        if "Range" in answer.headers:
            return False
        body = answer.server.files[answer.path]
        answer.reply(200, body, length=len(body) + difference)
        return True

    return fault


def _claims_always(difference: int) -> Fault:
    def fault(answer: Answer, _number: int) -> bool:
        body = answer.server.files[answer.path]
        answer.reply(200, body, length=len(body) + difference)
        return True

    return fault


def _no_ranges(host: Origin) -> None:
    host.ranges = False


def _after_half(code: int) -> Callable[[Origin], None]:
    def spoil(host: Origin) -> None:
        for number in range(SEGMENT, 6):
            host.faults[f"/seg{number}.ts"] = origin.status(code)

    return spoil


def _ranged(change: Callable[[Answer, int, int, bytes], tuple[str, bytes]]) -> Fault:
    """Answer ranges that do not begin at 0 with what `change` makes of first, last and the whole."""

    def fault(answer: Answer, _number: int) -> bool:
        first, _, last = answer.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        if first == "0":
            return False
        whole = answer.server.files[answer.path]
        shown, body = change(answer, int(first), int(last or len(whole) - 1), whole)
        answer.reply(206, body, {"Content-Range": shown})
        return True

    return fault


def _other_range(_answer: Answer, first: int, last: int, whole: bytes) -> tuple[str, bytes]:
    return f"bytes {first - 188}-{last - 188}/{len(whole)}", whole[first - 188 : last - 187]


def _lies(_answer: Answer, first: int, last: int, whole: bytes) -> tuple[str, bytes]:
    return f"bytes {first}-{last}/{len(whole)}", whole[first - 100 : last - 99]


def _from_the_start(_answer: Answer, first: int, last: int, whole: bytes) -> tuple[str, bytes]:
    return f"bytes {first}-{last}/{len(whole)}", whole[: last - first + 1]


def _page(_answer: Answer, first: int, last: int, whole: bytes) -> tuple[str, bytes]:
    return f"bytes {first}-{last}/{len(whole)}", (LOGIN * 1000)[: last - first + 1].ljust(last - first + 1)


def _longer_meanwhile(_answer: Answer, first: int, last: int, whole: bytes) -> tuple[str, bytes]:
    return f"bytes {first}-{last}/{len(whole) + 5}", whole[first : last + 1]


def _new_version(answer: Answer, _number: int) -> bool:
    """Serve one version first and another, of the same length, to all ranges after the first."""
    first = answer.headers.get("Range", "bytes=0-").startswith("bytes=0-")
    whole = answer.server.files[answer.path]
    answer.serve(whole if first else whole[::-1], {"ETag": '"one"' if first else '"two"'})
    return True


def _no_later_range(answer: Answer, number: int) -> bool:
    begins = answer.headers.get("Range", "bytes=0-").startswith("bytes=0-")
    return not begins and origin.status(416)(answer, number)


def _drips(answer: Answer, _number: int) -> bool:
    answer.begin(56_400)
    while not answer.server.gate.wait(0.05):
        answer.wfile.write(b"\x47")
    return True


def _stalls(answer: Answer, _number: int) -> bool:
    answer.begin(56_400)
    answer.server.gate.wait(10)
    answer.close_connection = True
    return True


def _window(first: int, count: int) -> bytes:
    rows = "".join(f"#EXTINF:2,\nseg{index % 6}.ts\n" for index in range(first, first + count))
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n{rows}".encode()


def _slides(answer: Answer, number: int) -> bool:
    answer.reply(200, _window(number, 3))
    return True


def _grows(answer: Answer, number: int) -> bool:
    answer.reply(200, _window(0, 2 + number // 3))
    return True


def _lists_itself(host: Origin) -> None:
    host.files["/index.m3u8"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n"


def _iv(value: bytes) -> Callable[[bytes], bytes]:
    def change(text: bytes) -> bytes:
        lines = text.splitlines()
        return b"\n".join(
            line.partition(b",IV=")[0] + b",IV=" + value if line.startswith(b"#EXT-X-KEY") else line for line in lines
        )

    return change


def _login_behind_redirect(host: Origin) -> None:
    host.files["/login"] = LOGIN
    host.faults[f"/seg{SEGMENT}.ts"] = origin.moved("/login")


def _chunk(fault: Fault) -> Callable[[Origin], None]:
    return _at(f"/chunk-stream0-{SEGMENT:05d}.m4s", fault)


def _no_second_picture(manifest: bytes) -> bytes:
    first, second, rest = manifest.partition(b"<BaseURL>p1/")
    return (
        first + second + rest.replace(b'contentType="video"', b'contentType="image"').replace(b"video/mp4", b"image/x")
    )


_BOMB = origin.zipped(b"\0" * 70_000_000)

CASES: tuple[Case, ...] = (
    Case("playlist: login page", "ts", _file("/index.m3u8", lambda _text: LOGIN), "playlist_bad"),
    Case("playlist: empty", "ts", _file("/index.m3u8", lambda _text: b""), "playlist_bad"),
    Case("playlist: lists itself", "ts", _lists_itself, "playlist_refused"),
    Case("playlist: no end", "ts", _file("/index.m3u8", lambda text: text.replace(b"#EXT-X-ENDLIST", b"").replace(
        b"#EXT-X-PLAYLIST-TYPE:VOD", b"")), IDENTICAL),
    Case("playlist: a window that slides", "ts", _at("/index.m3u8", _slides), "live_playlist"),
    Case("playlist: an event that grows", "ts", _at("/index.m3u8", _grows), "live_playlist"),
    Case("segment: login page", "ts", _segment(origin.sends(LOGIN)), "segment_bad"),
    Case("segment: empty", "ts", _segment(origin.sends(b"")), "segment_bad"),
    Case("segment: short and chunked", "ts", _segment(origin.short_chunked(0.3)), "segment_bad"),
    Case("segment: a little short and chunked", "ts", _segment(origin.short_chunked(0.8)), "segment_bad"),
    Case("segment: length too large", "ts", _segment(_claims(188)), "segment_unreachable"),
    Case("segment: length too small", "ts", _segment(_claims(-188 * 100)), "segment_bad"),
    Case("segment: behind a PNG", "ts", _segment(origin.changed(lambda body: PNG + body)), IDENTICAL),
    Case("segment: behind a JPEG", "ts", _segment(origin.changed(
        lambda body: b"\xff\xd8\xff\xe0" + b"G" * 300 + b"\xff\xd9" + body)), IDENTICAL),
    Case("segment: behind a GIF", "ts", _segment(origin.changed(
        lambda body: b"GIF89a" + b"\0" * 40 + b";" + body)), IDENTICAL),
    Case("segment: behind a BMP", "ts", _segment(origin.changed(lambda body: b"BM" + b"\0" * 52 + body)), IDENTICAL),
    Case("segment: gzip", "ts", _segment(origin.changed(origin.zipped)), IDENTICAL),
    Case("segment: gzip with header", "ts", _segment(
        origin.changed(origin.zipped, {"Content-Encoding": "gzip"})), IDENTICAL),
    Case("segment: gzip bomb", "ts", _segment(origin.changed(lambda _body: _BOMB)), "segment_bad"),
    Case("segment: cut at a packet", "ts", _segment(origin.changed(_ends_at_a_packet)), "segment_bad"),
    Case("segment: cut at a packet once", "ts", _segment(
        origin.times(1, origin.changed(_ends_at_a_packet))), IDENTICAL),
    Case("segment: of another film once", "ts", _segment(
        origin.times(1, origin.changed(lambda _body: other_film()))), IDENTICAL),
    Case("segment: of another film", "ts", _segment(origin.changed(lambda _body: other_film())), "segment_bad"),
    Case("segments: swapped", "ts", _swap("/seg2.ts", "/seg3.ts"), "segment_bad"),
    Case("segments: first two swapped", "ts", _swap("/seg0.ts", "/seg1.ts"), "segment_bad"),
    Case("segment: another one twice", "ts", _instead("/seg3.ts", "/seg2.ts"), "segment_bad"),
    Case("segment: the last one is another twice", "ts", _instead("/seg5.ts", "/seg2.ts"), "segment_bad"),
    Case("segment: redirect to a login page", "ts", _login_behind_redirect, "segment_bad"),
    Case("segment: redirect to an inner address", "ts", _segment(origin.moved("http://127.0.0.1:9/x")),
         "address_refused"),
    Case("segment: 404 for ever", "ts", _segment(origin.status(404)), "segment_missing"),
    Case("segments: 403 after half", "ts", _after_half(403), "link_expired"),
    Case("segment: 503 once", "ts", _segment(origin.times(1, origin.status(503))), IDENTICAL),
    Case("segment: 429 with Retry-After", "ts", _segment(
        origin.times(2, origin.status(429, {"Retry-After": "1"}))), IDENTICAL),
    Case("segment: drips", "ts", _segment(_drips), "segment_unreachable"),
    Case("segment: stalls", "ts", _segment(_stalls), "segment_unreachable"),
    Case("key: login page", "aes", _at("/key.bin", origin.sends(LOGIN)), "key_bad"),
    Case("key: wrong", "aes", _file("/key.bin", lambda _key: b"0123456789abcdef"), "segment_bad"),
    Case("key: 15 bytes", "aes", _file("/key.bin", lambda key: key[:15]), "key_bad"),
    Case("key: 17 bytes", "aes", _file("/key.bin", lambda key: key + b"\n"), "key_bad"),
    Case("vector: 17 bytes", "aes", _file("/index.m3u8", _iv(b"0x" + b"0" * 34)), "playlist_bad"),
    Case("vector: wrong", "aes", _file("/index.m3u8", _iv(b"0x" + b"ab" * 16)), "segment_bad"),
    Case("segment: bad padding", "aes", _segment(origin.changed(lambda body: body[:-16] + b"\x5a" * 16)),
         "segment_bad"),
    Case("map: login page", "fmp4", _at("/init.mp4", origin.sends(LOGIN)), "segment_bad"),
    Case("map: missing", "fmp4", _at("/init.mp4", origin.status(404)), "segment_missing"),
    Case("segment: cut fMP4", "fmp4", _segment(origin.changed(lambda body: body[: len(body) // 2]), "m4s"),
         "segment_bad"),
    Case("segments: swapped fMP4", "fmp4", _swap("/seg2.m4s", "/seg3.m4s"), "segment_bad"),
    Case("segment: another fMP4 twice", "fmp4", _instead("/seg3.m4s", "/seg2.m4s"), "segment_bad"),
    Case("range: whole file with 200", "ranges", _no_ranges, IDENTICAL),
    Case("range: 416", "ranges", _at("/film.ts", _no_later_range), "segment_unreachable"),
    Case("range: another one", "ranges", _at("/film.ts", _ranged(_other_range)), "segment_unreachable"),
    Case("range: other bytes than it says", "ranges", _at("/film.ts", _ranged(_lies)), "segment_bad"),
    Case("file: cut short", "mp4", _file("/film.mp4", lambda body: body[:-1000]), "segment_bad"),
    Case("file: length too large", "mp4", _at("/film.mp4", _claims_always(500)), "segment_unreachable"),
    Case("file: login page as video/mp4", "mp4", _at("/film.mp4", origin.sends(LOGIN, {"Content-Type": "video/mp4"})),
         "not_media"),
    Case("file: ranges from its beginning", "mp4", _at("/film.mp4", _ranged(_from_the_start)), "segment_bad"),
    Case("file: a page as a range", "mp4", _at("/film.mp4", _ranged(_page)), "segment_bad"),
    Case("file: length changed meanwhile", "mp4", _at("/film.mp4", _ranged(_longer_meanwhile)), "segment_bad"),
    Case("file: ETag changed meanwhile", "mp4", _at("/film.mp4", _new_version), "segment_bad"),
    Case("file: WebM cut short", "webm", _file("/film.webm", lambda body: body[: len(body) // 2]), "segment_bad"),
    Case("DASH", "dash", lambda _host: None, IDENTICAL),
    Case("DASH, manifest: login page", "dash", _file("/manifest.mpd", lambda _text: LOGIN), "playlist_bad"),
    Case("DASH, manifest: cut", "dash", _file("/manifest.mpd", lambda text: text[:1500]), "playlist_bad"),
    Case("DASH, manifest: live", "dash", _file("/manifest.mpd", lambda text: text.replace(b"static", b"dynamic")),
         "live_playlist"),
    Case("DASH, init: login page", "dash", _at("/init-stream0.m4s", origin.sends(LOGIN)), "segment_bad"),
    Case("DASH, init: missing", "dash", _at("/init-stream1.m4s", origin.status(404)), "segment_missing"),
    Case("DASH, segment: login page", "dash", _chunk(origin.sends(LOGIN)), "segment_bad"),
    Case("DASH, segment: empty", "dash", _chunk(origin.sends(b"")), "segment_bad"),
    Case("DASH, segment: cut", "dash", _chunk(origin.changed(lambda body: body[: len(body) // 2])), "segment_bad"),
    Case("DASH, segment: cut once", "dash", _chunk(origin.times(1, origin.cut(0.5))), IDENTICAL),
    Case("DASH, segment: gzip", "dash", _chunk(origin.changed(origin.zipped)), IDENTICAL),
    Case("DASH, segment: 503 once", "dash", _chunk(origin.times(1, origin.status(503))), IDENTICAL),
    Case("DASH, segment: 404 for ever", "dash", _chunk(origin.status(404)), "segment_missing"),
    Case("DASH, segment: another one twice", "dash", _instead("/chunk-stream0-00004.m4s", "/chunk-stream0-00003.m4s"),
         "segment_bad"),
    Case("DASH, segments: swapped", "dash", _swap("/chunk-stream1-00002.m4s", "/chunk-stream1-00003.m4s"),
         "segment_bad"),
    Case("DASH, segment: sound in place of the picture", "dash",
         _instead("/chunk-stream0-00003.m4s", "/chunk-stream1-00003.m4s"), "segment_bad"),
    Case("DASH, periods", "periods", lambda _host: None, IDENTICAL),
    Case("DASH, periods: one without a sound", "half-silent", lambda _host: None, IDENTICAL),
    Case("DASH, periods: two sizes", "two-sizes", lambda _host: None, IDENTICAL),
    Case("DASH, periods: init of the second a login page", "periods", _at("/p1/init-stream0.m4s", origin.sends(LOGIN)),
         "segment_bad"),
    Case("DASH, periods: init of the second the sound's", "periods",
         _instead("/p1/init-stream0.m4s", "/p1/init-stream1.m4s"), "packaging_failed"),
    Case("DASH, periods: the second is missing", "periods", _at("/p1/chunk-stream1-00001.m4s", origin.status(404)),
         "segment_missing"),
    Case("DASH, periods: the second without a picture", "periods", _file("/manifest.mpd", _no_second_picture),
         "playlist_refused"),
)  # fmt: skip
