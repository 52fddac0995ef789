"""Short takes made by ffmpeg, put behind each other as the periods of a DASH manifest or the parts of a playlist."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from tests.support.media import ffmpeg, media_folder
from tests.support.origin import Origin

TAKE_S = 4.0
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-tag:v", "hvc1")
_KEYS = ("-g", "50", "-keyint_min", "50", "-sc_threshold", "0")


@cache
def take(
    *,
    size: str = "320x180",
    coder: tuple[str, ...] = H264,
    tone_hz: int | None = 440,
    language: str | None = None,
    rate_hz: int = 48_000,
) -> Path:
    """Return one file of 4 s, a key frame every 2 s; None: without sound."""
    name = "-".join(map(str, (size, coder[1], tone_hz, language, rate_hz)))
    path = media_folder() / f"take-{name}.mp4"
    sound = () if tone_hz is None else ("-f", "lavfi", "-i", f"sine=frequency={tone_hz}:sample_rate={rate_hz}")
    coded = () if tone_hz is None else ("-c:a", "aac", "-b:a", "64k")
    tagged = () if language is None else ("-metadata:s:a:0", f"language={language}")
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25")
    ffmpeg(*picture, *sound, *coder, *_KEYS, *coded, *tagged, "-t", str(TAKE_S), path)
    return path


@cache
def _dash(film: Path) -> Path:
    """Return a folder with a take as DASH segments of 2 s: stream 0 is the picture, 1 the sound if there is one."""
    folder = media_folder() / f"period-{film.stem}"
    folder.mkdir()
    ffmpeg("-i", film, "-c", "copy", "-f", "dash", "-seg_duration", "2", folder / "manifest.mpd")
    return folder


def put_period(host: Origin, name: str, film: Path) -> str:
    """Serve a take as DASH and return its period's XML."""
    folder = _dash(film)
    host.put(folder, at=f"/{name}")
    inner = re.search(r"<Period[^>]*>(.*)</Period>", (folder / "manifest.mpd").read_text(), re.DOTALL)
    assert inner is not None
    return f'<Period duration="PT{TAKE_S}S"><BaseURL>{name}/</BaseURL>{inner[1]}</Period>'


def manifest(*periods: str) -> bytes:
    """Return a manifest of periods."""
    return f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">{"".join(periods)}</MPD>'.encode()


PERIODS = {  # films of two takes, by name
    "periods": ({"tone_hz": 440}, {"tone_hz": 660}),
    "half-silent": ({"tone_hz": None}, {"tone_hz": 660}),
    "two-sizes": ({"tone_hz": 440}, {"tone_hz": 660, "size": "640x360"}),
}


def takes(name: str) -> list[Path]:
    """Return the takes of a film of two periods."""
    return [take(**words) for words in PERIODS[name]]  # type: ignore[arg-type]  # they are its own words


def put_periods(host: Origin, name: str) -> None:
    """Serve a film of two periods: `/manifest.mpd`, its pieces below `/p0` and `/p1`."""
    host.files["/manifest.mpd"] = manifest(
        *(put_period(host, f"p{number}", film) for number, film in enumerate(takes(name)))
    )


def period_bytes(name: str) -> bytes:
    """Return what a whole download of such a film has: all of the picture, then all of the sound."""
    folders = [_dash(film) for film in takes(name)]
    return b"".join(stream_bytes(folder, stream) for stream in (0, 1) for folder in folders)


def stream_bytes(folder: Path, stream: int) -> bytes:
    """Return the init section and the chunks of one stream of a folder that ffmpeg wrote; nothing if it has none."""
    names = (f"init-stream{stream}.m4s", f"chunk-stream{stream}-*.m4s")
    return b"".join(path.read_bytes() for name in names for path in sorted(folder.glob(name)))


def put_parts(host: Origin, *films: Path, kind: str = "fmp4") -> None:
    """Serve takes as one playlist of segments, of fragmented MP4 each with its own init section."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2"]
    for number, film in enumerate(films):
        folder = media_folder() / f"{kind}-parts-{film.stem}"
        if not folder.is_dir():
            folder.mkdir()
            cut = ("-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", kind)
            ffmpeg("-i", film, "-c", "copy", "-f", "hls", *cut, folder / "index.m3u8")
        host.put(folder, at=f"/{number}")
        rows = (folder / "index.m3u8").read_text().splitlines()
        listed = [row for row in rows if row.startswith(("#EXT-X-MAP", "#EXTINF")) or not row.startswith("#")]
        lines += ["#EXT-X-DISCONTINUITY"] if number else []
        lines += [
            row.replace('URI="', f'URI="{number}/') if row.startswith("#") else f"{number}/{row}" for row in listed
        ]
    host.files["/index.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST"]).encode()


def errors_of(*paths: Path) -> list[str]:
    """Return what ffmpeg has to say about files when it decodes them to their end."""
    found = []
    for path in paths:
        command = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        found += ended.stderr.splitlines()
    return found


def frames_of(path: Path) -> int:
    """Return how many pictures of a file can be decoded."""
    words = ["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
    ended = subprocess.run(
        ["ffprobe", "-v", "error", *words, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    return int(ended.stdout)


def level_db(path: Path, from_s: float, to_s: float) -> float:
    """Return how loud a sound is between two moments; silence is about -91."""
    words = ["-af", f"atrim={from_s}:{to_s},volumedetect", "-f", "null", "-"]
    ended = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "info", "-i", str(path), *words],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = re.search(r"mean_volume: (-?[0-9.]+) dB", ended.stderr)
    assert found is not None, ended.stderr
    return float(found[1])
