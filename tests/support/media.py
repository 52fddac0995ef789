"""Small films made by ffmpeg, once per test run: one picture and one sound, in every packing the house meets."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

DURATION_S = 12
KEY = bytes(range(16))


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; its words are shown when it fails."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


@cache
def media_folder() -> Path:
    """Return a folder for this test run; it is removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="kinodom-media-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def film_mp4() -> Path:
    """Return 12 s of 320x180 H.264 and AAC in one MP4 file, a key frame every 2 s."""
    path = media_folder() / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={DURATION_S}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={DURATION_S}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-keyint_min", "50"),
        *("-sc_threshold", "0", "-b:v", "300k", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"),
        path,
    )
    return path


def _hls(name: str, *options: str | Path) -> Path:
    folder = media_folder() / name
    folder.mkdir()
    ffmpeg(
        *("-i", film_mp4(), "-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", *options),
        folder / "index.m3u8",
    )
    return folder


@cache
def hls_ts() -> Path:
    """Return a folder with `index.m3u8` and six MPEG-TS segments `seg0.ts` to `seg5.ts`."""
    return _hls("ts", "-hls_segment_filename", media_folder() / "ts" / "seg%d.ts")


@cache
def hls_aes() -> Path:
    """Return the same film, each segment locked with AES-128; the key is `key.bin`."""
    folder = media_folder() / "aes"
    key = media_folder() / "key.bin"
    key.write_bytes(KEY)
    words = media_folder() / "keyinfo.txt"
    words.write_text(f"key.bin\n{key}\n")
    _hls("aes", "-hls_key_info_file", words, "-hls_segment_filename", folder / "seg%d.ts")
    (folder / "key.bin").write_bytes(KEY)
    return folder


@cache
def hls_fmp4() -> Path:
    """Return the same film as fragmented MP4: `init.mp4`, `seg0.m4s` to `seg5.m4s`, `index.m3u8`."""
    folder = media_folder() / "fmp4"
    return _hls("fmp4", "-hls_segment_type", "fmp4", "-hls_segment_filename", folder / "seg%d.m4s")


@cache
def dash_template() -> Path:
    """Return the same film as DASH with a timeline: `manifest.mpd`, one init and several chunks per track."""
    folder = media_folder() / "dash"
    folder.mkdir()
    ffmpeg("-i", film_mp4(), "-c", "copy", "-f", "dash", "-seg_duration", "2", folder / "manifest.mpd")
    return folder


@cache
def indexed_mp4() -> Path:
    """Return the picture of the film as one fragmented MP4 file with an index in front, a fragment every 2 s."""
    path = media_folder() / "indexed.mp4"
    flags = "+dash+cmaf+global_sidx+frag_discont+delay_moov+skip_trailer"
    ffmpeg("-i", film_mp4(), "-map", "0:v:0", "-c", "copy", "-movflags", flags, "-f", "mp4", path)
    return path


@cache
def webm() -> Path:
    """Return 2 s of VP8 in one WebM file."""
    path = media_folder() / "film.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10:duration=2", "-c:v", "libvpx", "-b:v", "100k", path)
    return path


@cache
def long_webm() -> Path:
    """Return 40 s of VP8 in one WebM file of a few megabytes."""
    path = media_folder() / "long.webm"
    source = "testsrc2=size=320x180:rate=25:duration=40"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-minrate", "1M", path)
    return path


def streams_of(*paths: Path) -> list[str]:
    """Return what ffprobe sees in files joined in this order: `codec,packets` per stream."""
    joined = media_folder() / "joined.bin"
    joined.write_bytes(b"".join(path.read_bytes() for path in paths))
    command = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets"]
    ended = subprocess.run(
        [*command, "-of", "csv=p=0", str(joined)], capture_output=True, text=True, timeout=60, check=True
    )
    return sorted({line.strip().rstrip(",") for line in ended.stdout.splitlines() if line.strip()})


def packets_of(*paths: Path) -> list[str]:
    """Return every packet of files joined in this order: stream, decode and presentation time, length, size, MD5."""
    joined = b"".join(path.read_bytes() for path in paths)
    command = ["ffmpeg", "-v", "error", "-copyts", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", "framemd5", "-"]
    ended = subprocess.run(command, input=joined, capture_output=True, timeout=60, check=True)
    return [line for line in ended.stdout.decode().splitlines() if not line.startswith("#")]


LONG_S = 60


@cache
def long_mp4() -> Path:
    """Return 60 s of 320x180 H.264 and AAC in one MP4 file, a key frame every 2 s."""
    path = media_folder() / "long.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={LONG_S}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={LONG_S}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-keyint_min", "50"),
        *("-sc_threshold", "0", "-b:v", "800k", "-c:a", "aac", "-b:a", "64k", path),
    )
    return path


def _long(name: str, *options: str | Path) -> Path:
    folder = media_folder() / name
    folder.mkdir()
    ffmpeg("-i", long_mp4(), "-c", "copy", *options, folder / "index.m3u8")
    return folder


@cache
def long_hls_other() -> Path:
    """Return the same 60 s as another host has them: fifteen segments of 4 s."""
    names = media_folder() / "long-other" / "seg%d.ts"
    cut = ("-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_filename")
    return _long("long-other", *("-f", "hls", *cut), names)


@cache
def long_hls_ts() -> Path:
    """Return 60 s as HLS: thirty MPEG-TS segments `seg0.ts` to `seg29.ts`."""
    names = media_folder() / "long-ts" / "seg%d.ts"
    return _long(
        "long-ts", *("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename"), names
    )


@cache
def film_mkv() -> Path:
    """Return the film of 60 s as one Matroska file of several megabytes."""
    path = media_folder() / "film.mkv"
    ffmpeg("-i", long_mp4(), "-c", "copy", path)
    return path


TONED_S = 40


@cache
def toned_ts() -> Path:
    """Return 40 s as HLS: twenty MPEG-TS segments of 2 s, in `v/` and `a/` picture and sound apart.

    The sound is another tone each second: 400 Hz, 600 Hz and so on, so that it tells where it belongs.
    """
    folder = media_folder() / "toned"
    tone = f"aevalsrc=0.5*sin(2*PI*(400+200*floor(t))*t):d={TONED_S}:s=48000"
    cut = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename")
    for part in (folder, folder / "v", folder / "a"):
        part.mkdir()
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={TONED_S}", "-f", "lavfi", "-i", tone),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-keyint_min", "50"),
        *("-sc_threshold", "0", "-c:a", "aac", *cut, folder / "seg%d.ts", folder / "index.m3u8"),
    )
    for name, stream in (("v", "0:v"), ("a", "0:a")):
        place = folder / name
        ffmpeg(
            "-i", folder / "index.m3u8", "-map", stream, "-c", "copy", *cut, place / "seg%d.ts", place / "index.m3u8"
        )
    return folder
