"""What browsers play: which stream is copied, which is transcoded, which is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kinodom_common.errors import Rejected

Treatment = Literal["copy", "h264", "aac"]


class NotPlayable(Rejected):
    """No browser plays this, and we do not convert it."""

    code = "codec_not_supported"
    title = "A kind of video we cannot play"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What to do with one stream."""

    treatment: Treatment
    tag: Literal["avc1", "hvc1"] | None = None
    bitstream: Literal["aac_adtstoasc"] | None = None
    warning: bool = False  # not every screen of a house plays it


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """What the operator wants of pictures that are converted."""

    encoder: Literal["libx264", "h264_vaapi", "h264_qsv", "h264_nvenc"] = "libx264"


_H264_PLAYED = frozenset({"yuv420p", "yuvj420p", "yuv420p10le"})  # 10 bit: not on every phone or television
_VIDEO_COPIED = frozenset({"av1", "vp9"})
_VIDEO_CONVERTED = frozenset(
    {"mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v2", "msmpeg4v3", "vc1", "wmv3", "theora", "prores", "vp8", "mjpeg"}
)
_AUDIO_COPIED = frozenset({"opus", "flac"})
# MP3 in MP4 is refused by Chromium (`mp4a.69`), so it is converted as well.
_AUDIO_CONVERTED = frozenset({"ac3", "eac3", "dts", "vorbis", "truehd", "mlp", "mp3", "mp2", "mp1", "alac", "aac_latm"})
_SUBTITLES_CONVERTED = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text"})


def video_handling(codec: str, pixel_format: str | None) -> Handling:
    """Return what to do with a video stream, by ffmpeg's names.

    Raises:
        NotPlayable: a codec outside the table.
    """
    if codec == "h264":
        if pixel_format is None or pixel_format in _H264_PLAYED:
            return Handling(treatment="copy", tag="avc1", warning=pixel_format == "yuv420p10le")
        return Handling(treatment="h264")
    if codec == "hevc":
        return Handling(treatment="copy", tag="hvc1", warning=True)
    if codec in _VIDEO_COPIED:
        return Handling(treatment="copy")
    if codec in _VIDEO_CONVERTED:
        return Handling(treatment="h264")
    raise NotPlayable(f"The picture is coded as {codec[:40]}, which no browser plays and we do not convert.")


def audio_handling(codec: str, container: Literal["ts", "fmp4", "mp4", "webm", "aac"]) -> Handling:
    """Return what to do with an audio stream, by ffmpeg's names.

    Raises:
        NotPlayable: a codec outside the table.
    """
    if codec == "aac":
        return Handling(treatment="copy", bitstream="aac_adtstoasc" if container in ("ts", "aac") else None)
    if codec in _AUDIO_COPIED:
        return Handling(treatment="copy")
    if codec in _AUDIO_CONVERTED or codec.startswith("pcm_"):
        return Handling(treatment="aac")
    raise NotPlayable(f"The sound is coded as {codec[:40]}, which no browser plays and we do not convert.")


def is_text_subtitle(codec: str) -> bool:
    """Return whether a subtitle stream is text; pictures cannot become WebVTT."""
    return codec in _SUBTITLES_CONVERTED
