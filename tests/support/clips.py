"""Short films made once per run with ffmpeg: the shapes in which sources deliver them."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

KEY_FRAMES_S = (0.0, 1.0, 4.2, 11.0, 12.04, 20.0)
LENGTH_S = 24.0
AUDIO_LATE_S = 0.5
FRAME_S = 0.04

_PICTURE = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={LENGTH_S}")
_H264 = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params", "keyint=400:scenecut=0")
_KEYS = ("-force_key_frames", ",".join(str(at) for at in KEY_FRAMES_S))
_AAC = ("-c:a", "aac", "-b:a", "96k")


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kinodom-clips-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def ffmpeg(*words: str | Path) -> None:
    """Run ffmpeg and stop the test run when it fails."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, words)], check=True, timeout=100)


@functools.cache
def film_ts() -> Path:
    """Return 24 s of H.264 with irregular key frames and AAC that starts 0.5 s late, as MPEG-TS."""
    path = _folder() / "film.ts"
    sound = ("-itsoffset", str(AUDIO_LATE_S), "-f", "lavfi", "-i", "sine=440:d=23.5")
    ffmpeg(*_PICTURE, *sound, *_H264, *_KEYS, *_AAC, "-f", "mpegts", path)
    return path


@functools.cache
def film_ts_parts() -> tuple[Path, ...]:
    """Return the same film cut into five files at packet borders."""
    whole = film_ts().read_bytes()
    step = (len(whole) // 188 // 5 + 1) * 188
    paths = []
    for number in range(5):
        path = _folder() / f"film-{number}.ts"
        path.write_bytes(whole[number * step : (number + 1) * step])
        paths.append(path)
    return tuple(paths)


@functools.cache
def short_ts() -> Path:
    """Return 8 s of another take with the same settings, whose clock starts anew."""
    path = _folder() / "short.ts"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=8")
    ffmpeg(*picture, "-f", "lavfi", "-i", "sine=880:d=8", *_H264, *_AAC, "-f", "mpegts", path)
    return path


@functools.cache
def film_mp4() -> Path:
    """Return the film with sound from the start as MP4: its first audio frame lies before 0 (edit list)."""
    path = _folder() / "film.mp4"
    sound = ("-f", "lavfi", "-i", f"sine=440:d={LENGTH_S}")
    ffmpeg(*_PICTURE, *sound, *_H264, *_KEYS, *_AAC, "-movflags", "+faststart", path)
    return path


@functools.cache
def film_fmp4() -> tuple[Path, ...]:
    """Return the film of `film_ts` as an HLS fMP4 rendition: the init section, then segments."""
    folder = _folder() / "fmp4"
    folder.mkdir()
    hls = ("-hls_time", "4", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod")
    ffmpeg("-i", film_ts(), "-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "hls", *hls, folder / "f.m3u8")
    segments = sorted(folder.glob("*.m4s"), key=lambda path: int(path.stem[1:]))
    return (folder / "init.mp4", *segments)


def in_pieces(source: Path, name: str, *streams: str, more: tuple[str | Path, ...] = ()) -> Path:
    """Return a folder with a film as HLS: `master.m3u8`, each of these streams in fMP4 by itself.

    Args:
        source: the film.
        name: of the folder.
        streams: such as `v:0,agroup:a`, in the words of ffmpeg.
        more: words for ffmpeg.
    """
    folder = _folder() / name
    folder.mkdir()
    maps = (word for stream in streams for word in ("-map", f"0:{stream.partition(',')[0]}"))
    hls = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", *more)
    apart = ("-var_stream_map", " ".join(streams), "-master_pl_name", "master.m3u8")
    names = ("-hls_fmp4_init_filename", "init-%v.mp4", "-hls_segment_filename", folder / "s%v-%d.m4s")
    ffmpeg("-i", source, *maps, "-c", "copy", "-bsf:a", "aac_adtstoasc", *hls, *apart, *names, folder / "l%v.m3u8")
    return folder


@functools.cache
def film_apart() -> Path:
    """Return the film of `film_ts` as HLS, picture and sound in fMP4 by themselves."""
    return in_pieces(film_ts(), "apart", "v:0,agroup:a", "a:0,agroup:a")


@functools.cache
def heavy_apart() -> Path:
    """Return a film of 24 s and about 12 MB as HLS, picture and two sounds in fMP4 by themselves."""
    path = _folder() / "heavy.ts"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={LENGTH_S},noise=alls=60:allf=t")
    sounds = tuple(word for tone in (440, 660) for word in ("-f", "lavfi", "-i", f"sine={tone}:d={LENGTH_S}"))
    maps = ("-map", "0", "-map", "1", "-map", "2", "-g", "50", "-b:v", "4M", "-preset", "ultrafast")
    ffmpeg(*picture, *sounds, *maps, "-c:v", "libx264", *_AAC, path)
    voices = ("a:0,agroup:a,language:ru", "a:1,agroup:a,language:en")
    return in_pieces(path, "heavy", "v:0,agroup:a", *voices)


@functools.cache
def separate_fmp4() -> tuple[Path, Path]:
    """Return picture and sound of `film_ts` as two fragmented files with negative composition offsets."""
    video, audio = _folder() / "video.mp4", _folder() / "audio.mp4"
    flags = ("-avoid_negative_ts", "disabled", "-movflags", "+dash+cmaf+frag_discont+delay_moov+skip_trailer")
    picture = ("-map", "0:v:0", "-c", "copy", *flags, "-f", "mp4", video)
    ffmpeg("-i", film_ts(), *picture, "-map", "0:a:0", "-c", "copy", "-bsf:a", "aac_adtstoasc", *flags, audio)
    return video, audio


@functools.cache
def coded(name: str, *codec: str) -> Path:
    """Return 6 s of picture and stereo sound in other codecs; the name's end picks the container."""
    path = _folder() / name
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=6")
    ffmpeg(*picture, "-f", "lavfi", "-i", "sine=440:d=6", "-ac", "2", *codec, path)
    return path


def video_key_frames_s(path: Path, packet_flag: str = "K") -> list[float]:
    """Return the times of all key frames of a file's picture, as ffprobe sees them."""
    shown = ("-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0")
    reply = subprocess.run(["ffprobe", "-v", "error", *shown, path], check=True, capture_output=True, text=True)
    rows = (line.split(",") for line in reply.stdout.splitlines() if line)
    return sorted(float(row[0]) for row in rows if packet_flag in row[1])
