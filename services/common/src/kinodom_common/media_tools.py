"""Commands for ffmpeg and ffprobe from a closed vocabulary.

Every word of a command is ours or a number; the only foreign thing is the path of a local file, given as `file:` and
an absolute path, so that it can be neither an option nor an address. The programs get no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kinodom_common.processes import Command, most_open_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Demuxer = Literal["mpegts", "mov", "matroska", "hls", "aac"]
Treatment = Literal["copy", "h264", "aac"]
Tag = Literal["avc1", "hvc1"]
BitstreamFilter = Literal["aac_adtstoasc"]
Encoder = Literal["libx264", "h264_vaapi", "h264_qsv", "h264_nvenc"]

QUIET = ("-nostdin", "-v", "error")
# Only what the house plays or transcodes is ever decoded: a hostile file cannot pick an exotic decoder.
_DECODERS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx-vp9,mpeg1video,mpeg2video,mpegvideo,mpeg4,msmpeg4,msmpeg4v2,"
    "vc1,wmv3,theora,prores,mjpeg,aac,aac_latm,ac3,eac3,dca,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,"
    "flac,alac,truehd,mlp,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_f32le,pcm_u8,pcm_bluray,"
    "subrip,srt,ass,ssa,webvtt,mov_text"
)
_SAFE = ("-protocol_whitelist", "file,pipe", "-codec_whitelist", _DECODERS)
_SAFE_LIST = ("-protocol_whitelist", "file,concatf")  # takes the place of the one before
# One CMAF track with its index in front. `delay_moov`: without it the audio configuration is missing and Chromium
# refuses the track. `frag_discont`: without it each output starts at 0 and the offset of sound to picture is lost.
# `skip_trailer`: without it a box follows the last indexed byte.
_CMAF = (
    *("-avoid_negative_ts", "disabled", "-strict", "-2"),  # FLAC in MP4 counts as an experiment in ffmpeg 5
    *("-movflags", "+dash+cmaf+global_sidx+frag_discont+delay_moov+skip_trailer"),
    *("-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"),
)
_AUDIO_FRAGMENT_US = 6_000_000
_KEEP_JUMPS = ("-dts_delta_threshold", "1000000")  # else ffmpeg closes every hole of more than 10 s


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInput:
    """What is read: a local file, the files of a list, or standard input when `path` is None."""

    path: Path | None
    demuxer: Demuxer  # stated, so that content cannot choose a playlist reader
    seek_s: float | None = None
    one_clock: bool = False  # its times are right as they are, also where they jump
    listed: bool = False  # the path is a list, as `file_list` makes it, of files that are read as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A picture in H.264 with the key frames of its source alone, so that players may change between the two."""

    height_px: int
    most_bit_s: int
    timescale: int  # of the source: the times of its frames stay exact


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackOutput:
    """One stream of the input as one CMAF file."""

    path: Path
    kind: Literal["video", "audio"]
    stream: int  # number of the stream in the input, from 0
    treatment: Treatment = "copy"
    encoder: Encoder = "libx264"  # for a picture that is transcoded
    tag: Tag | None = None
    bitstream: BitstreamFilter | None = None
    channels: int | None = None  # for a transcode
    rendition: Rendition | None = None  # the picture made anew beside its source
    fill: bool = False  # a sound that is transcoded: with silence where it has nothing, and cut where it overlaps


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleOutput:
    """One text subtitle stream of the input as a WebVTT file."""

    path: Path
    stream: int


def probe(source: MediaInput) -> Command:
    """Return the command that lists streams, the container and the packets of the first 2 s as JSON."""
    return Command(
        "ffprobe",
        (
            *("-v", "error", *_SAFE),
            *("-show_entries", _PROBED, "-read_intervals", "%+2", "-of", "json"),
            *_input(source),
        ),
    )


_PROBED = (
    "format=start_time,duration:"
    "stream=index,codec_type,codec_name,profile,pix_fmt,width,height,channels,sample_rate,start_time,duration,"
    "avg_frame_rate:stream_tags=language,title:stream_disposition=attached_pic:packet=stream_index,pts_time,flags"
)


def package(source: MediaInput, outputs: Sequence[TrackOutput | SubtitleOutput]) -> Command:
    """Return the command that writes each output in one pass; progress goes to standard output as `key=value`."""
    encoders = {one.encoder for one in outputs if isinstance(one, TrackOutput) and one.treatment == "h264"}
    words = [*QUIET, "-y", "-progress", "pipe:1", "-stats_period", "0.5", *(w for e in encoders for w in _DEVICE[e])]
    words += [*_SAFE, *(_KEEP_JUMPS if source.one_clock else ()), *_input(source)]
    for output in outputs:
        words += ["-map", f"0:{output.stream}"]
        if isinstance(output, SubtitleOutput):
            words += ["-c:s", "webvtt", "-f", "webvtt"]
        else:
            words += [*_codec(output), *_CMAF]
            if output.kind == "audio":
                words += ["-frag_duration", str(_AUDIO_FRAGMENT_US)]
        words.append(local_file(output.path))
    return Command("ffmpeg", tuple(words))


# Chips want their frames in their own memory, so each has words before the input and a filter that brings them there.
_KEYS_EACH_2_S = ("-force_key_frames", "expr:gte(t,n_forced*2)")
_DEVICE: dict[Encoder, tuple[str, ...]] = {
    "libx264": (),
    "h264_vaapi": ("-vaapi_device", "/dev/dri/renderD128"),
    "h264_qsv": ("-init_hw_device", "qsv=hw", "-filter_hw_device", "hw"),
    "h264_nvenc": (),
}
_ENCODE: dict[Encoder, tuple[str, ...]] = {
    "libx264": ("-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-profile:v", "high", "-pix_fmt", "yuv420p"),
    "h264_vaapi": ("-vf", "format=nv12,hwupload", "-c:v", "h264_vaapi", "-rc_mode", "CQP", "-qp", "23"),
    "h264_qsv": (
        *("-vf", "format=nv12,hwupload=extra_hw_frames=64", "-c:v", "h264_qsv"),
        *("-global_quality", "23", "-look_ahead", "0"),
    ),
    "h264_nvenc": ("-c:v", "h264_nvenc", "-preset", "p4", "-rc", "vbr", "-cq", "23", "-pix_fmt", "yuv420p"),
}


def encoder_probe(encoder: Encoder) -> Command:
    """Return the command that encodes a fifth of a second of nothing: it ends well where the encoder works."""
    picture = ("-f", "lavfi", "-i", "color=s=320x180:d=0.2")
    return Command("ffmpeg", (*QUIET, *_DEVICE[encoder], *picture, *_ENCODE[encoder], "-f", "null", "-"))


_NO_OTHER_KEYS: dict[Encoder, tuple[str, ...]] = {
    "libx264": ("-sc_threshold", "0"),
    "h264_vaapi": (),
    "h264_qsv": ("-forced_idr", "1"),
    "h264_nvenc": ("-no-scenecut", "1", "-forced-idr", "1"),
}
_CAPPED: frozenset[Encoder] = frozenset({"libx264", "h264_nvenc"})  # the others know no cap beside their quality


def _rendition(encoder: Encoder, one: Rendition) -> list[str]:
    words, fit = list(_ENCODE[encoder]), f"scale=-2:{int(one.height_px)}"
    if "-vf" in words:
        place = words.index("-vf") + 1
        words[place] = f"{fit},{words[place]}"
    else:
        words = ["-vf", fit, *words]
    if encoder in _CAPPED:
        words += ["-maxrate", str(int(one.most_bit_s)), "-bufsize", str(2 * int(one.most_bit_s))]
    words += ["-force_key_frames", "source", "-g", "1000000", *_NO_OTHER_KEYS[encoder]]
    clock = ("-enc_time_base", f"1/{int(one.timescale)}", "-video_track_timescale", str(int(one.timescale)))
    return [*words, "-fps_mode", "passthrough", *clock]


def _codec(output: TrackOutput) -> list[str]:
    if output.rendition is not None:
        return _rendition(output.encoder, output.rendition)
    if output.treatment == "h264":
        return [*_ENCODE[output.encoder], *_KEYS_EACH_2_S]
    if output.treatment == "aac":
        channels = min(output.channels or 2, 6)
        fill = ["-af", "aresample=async=1:min_hard_comp=0.02"] if output.fill else []
        return [*fill, "-c:a", "aac", "-ac", str(channels), "-b:a", f"{96 * channels}k"]
    words = ["-c", "copy"]
    if output.tag is not None:
        words += [f"-tag:{output.kind[0]}", output.tag]
    if output.bitstream is not None:
        words += [f"-bsf:{output.kind[0]}", output.bitstream]
    return words


def decoded(source: MediaInput) -> list[str]:
    """Return the words that open one input of several, with the decoders of the house alone."""
    return [*_SAFE, *_input(source)]


def _input(source: MediaInput) -> list[str]:
    words = [*(_SAFE_LIST if source.listed else ()), "-f", source.demuxer]
    if source.seek_s is not None:
        words += ["-ss", f"{source.seek_s:.3f}"]
    name = "pipe:0" if source.path is None else local_file(source.path)
    return [*words, "-i", f"concatf:{name}" if source.listed else name]


def most_listed() -> int:
    """Return how many files a list may name: ffmpeg keeps them all open, beside its libraries and outputs."""
    return most_open_files() - 64


def file_list(paths: Iterable[Path]) -> str:
    """Return what a list of at most `most_listed` files holds."""
    quoted = (local_file(path).replace("'", "'\\''") for path in paths)
    return "".join(f"'{name}'\n" for name in quoted)


def local_file(path: Path) -> str:
    """Return the path as ffmpeg's file protocol takes it: never an option, never another protocol."""
    return f"file:{path.absolute()}"
