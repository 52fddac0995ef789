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
    *, size: str = "320x180", coder: tuple[str, ...] = H264, tone_hz: int | None = 440, language: str | None = None
) -> Path:
    """Return one file of 4 s, a key frame every 2 s; None: without sound."""
    name = "-".join(map(str, (size, coder[1], tone_hz, language)))
    path = media_folder() / f"take-{name}.mp4"
    sound = () if tone_hz is None else ("-f", "lavfi", "-i", f"sine=frequency={tone_hz}:sample_rate=48000")
    coded = () if tone_hz is None else ("-c:a", "aac", "-b:a", "64k")
    tagged = () if language is None else ("-metadata:s:a:0", f"language={language}")
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25")
    ffmpeg(*picture, *sound, *coder, *_KEYS, *coded, *tagged, "-t", str(TAKE_S), path)
    return path


def put_period(host: Origin, name: str, film: Path) -> str:
    """Serve a take as DASH segments of 2 s and return its period's XML."""
    folder = media_folder() / f"period-{film.stem}"
    if not folder.is_dir():
        folder.mkdir()
        ffmpeg("-i", film, "-c", "copy", "-f", "dash", "-seg_duration", "2", folder / "manifest.mpd")
    host.put(folder, at=f"/{name}")
    text = (folder / "manifest.mpd").read_text()
    inner = re.search(r"<Period[^>]*>(.*)</Period>", text, re.DOTALL)
    assert inner is not None
    return f'<Period duration="PT{TAKE_S}S"><BaseURL>{name}/</BaseURL>{inner[1]}</Period>'


def manifest(*periods: str) -> bytes:
    """Return a manifest of periods."""
    return f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">{"".join(periods)}</MPD>'.encode()


def put_parts(host: Origin, *films: Path) -> None:
    """Serve takes as one playlist of fragmented MP4, each with its own init section."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2"]
    for number, film in enumerate(films):
        folder = media_folder() / f"parts-{film.stem}"
        if not folder.is_dir():
            folder.mkdir()
            cut = ("-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4")
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
