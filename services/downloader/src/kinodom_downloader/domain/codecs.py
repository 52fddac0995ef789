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


# What browsers play of each codec, by the format of the pixels; the others are converted. With a mark: not on every
# screen of a house. H.264 and VP9 beyond 8 bits lack on many phones and televisions; HEVC lacks in many browsers. AV1
# with 10 bits belongs to the profile that every decoder has. Full-range "yuvj" is the same in another notation.
_PLAYED: dict[str, dict[str, bool]] = {
    "h264": {"yuv420p": False, "yuvj420p": False, "yuv420p10le": True},
    "hevc": {"yuv420p": True, "yuvj420p": True, "yuv420p10le": True},
    "av1": {"yuv420p": False, "yuvj420p": False, "yuv420p10le": False, "gray": False, "gray10le": False},
    "vp9": {"yuv420p": False, "yuvj420p": False, "yuv420p10le": True},
}
_H264_REFUSED = frozenset({"Extended"})  # of these profiles the pixels say nothing
_TAGS: dict[str, Literal["avc1", "hvc1"]] = {"h264": "avc1", "hevc": "hvc1"}
_VIDEO_CONVERTED = frozenset(
    {"mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v2", "msmpeg4v3", "vc1", "wmv3", "theora", "prores", "vp8", "mjpeg"}
)
_AAC_PLAYED = frozenset({"LC", "HE-AAC", "HE-AACv2"})
_AAC_CONVERTED = frozenset({"Main", "SSR", "LTP", "LD", "ELD"})
_AUDIO_COPIED = frozenset({"opus", "flac"})
# MP3 in MP4 is refused by Chromium (`mp4a.69`), so it is converted as well.
_AUDIO_CONVERTED = frozenset({"ac3", "eac3", "dts", "vorbis", "truehd", "mlp", "mp3", "mp2", "mp1", "alac", "aac_latm"})
_SUBTITLES_CONVERTED = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text"})


def video_handling(codec: str, pixel_format: str | None, profile: str | None = None) -> Handling:
    """Return what to do with a video stream, by ffmpeg's names; what it does not say is taken as usual.

    Raises:
        NotPlayable: a codec outside the table.
    """
    played = _PLAYED.get(codec)
    if played is not None:
        refused = codec == "h264" and profile in _H264_REFUSED
        if (pixel_format is None or pixel_format in played) and not refused:
            return Handling(
                treatment="copy", tag=_TAGS.get(codec), warning=played.get(pixel_format or "yuv420p", False)
            )
        return Handling(treatment="h264")
    if codec in _VIDEO_CONVERTED:
        return Handling(treatment="h264")
    raise NotPlayable(f"The picture is coded as {codec[:40]}, which no browser plays and we do not convert.")


def audio_handling(
    codec: str, container: Literal["ts", "fmp4", "mp4", "webm", "aac"], profile: str | None = None
) -> Handling:
    """Return what to do with an audio stream, by ffmpeg's names; what it does not say is taken as usual.

    Raises:
        NotPlayable: a codec outside the table.
    """
    if codec == "aac" and (profile is None or profile in _AAC_PLAYED):
        return Handling(treatment="copy", bitstream="aac_adtstoasc" if container in ("ts", "aac") else None)
    if codec in _AUDIO_COPIED:
        return Handling(treatment="copy")
    if codec in _AUDIO_CONVERTED or codec.startswith("pcm_") or (codec == "aac" and profile in _AAC_CONVERTED):
        return Handling(treatment="aac")
    name = f"{codec} {profile}" if codec == "aac" else codec
    raise NotPlayable(f"The sound is coded as {name[:40]}, which no browser plays and we do not convert.")


def is_text_subtitle(codec: str) -> bool:
    """Return whether a subtitle stream is text; pictures cannot become WebVTT."""
    return codec in _SUBTITLES_CONVERTED
