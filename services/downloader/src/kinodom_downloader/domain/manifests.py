"""Manifests over the packaged tracks: one DASH `manifest.mpd` and HLS playlists that name the same bytes.

Both are written from each file's own index, so that listed times are the times in the file, however irregular the
key frames are. ISO/IEC 23009-1 (SegmentBase) and RFC 8216 (byte ranges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_downloader.domain.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinodom_downloader.domain.boxes import Index, Reference

HLS_SEGMENT_S = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTrack:
    """A packaged picture or sound track."""

    file: str
    index: Index
    codec: str
    size_bytes: int
    language: str = "und"
    label: str = ""
    width_px: int | None = None
    height_px: int | None = None
    sample_rate_hz: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTrack:
    """A WebVTT file."""

    file: str
    language: str
    label: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSet:
    """All tracks of one video. Without a picture it is a sound recording."""

    video: MediaTrack | None
    audio: tuple[MediaTrack, ...]
    text: tuple[TextTrack, ...] = ()
    renditions: tuple[MediaTrack, ...] = ()  # the picture again, smaller or in another codec, cut at the same moments
    least_s: float = 0.0  # its end may be missing

    @property
    def pictures(self) -> tuple[MediaTrack, ...]:
        """The picture, if there is one, and its further renditions."""
        return () if self.video is None else (self.video, *self.renditions)

    @property
    def media(self) -> tuple[MediaTrack, ...]:
        """The pictures and the sound tracks."""
        return (*self.pictures, *self.audio)

    @property
    def duration_s(self) -> float:
        """How long the film is: the longest track, and what is missing after it."""
        return max(self.least_s, *(track.index.end_s for track in self.media))


def average_bit_s(track: MediaTrack) -> int:
    """Return the mean rate over the track's own length."""
    length_s = track.index.end_s - track.index.start_s
    return max(1, round(sum(part.size for part in track.index.references) * 8 / length_s))


def peak_bit_s(track: MediaTrack) -> int:
    """Return the highest rate of the pieces a player fetches; never below the average."""
    rates = [
        sum(part.size for part in piece) * 8 * track.index.timescale / max(1, sum(part.duration for part in piece))
        for piece in pieces(track.index)
    ]
    return max(average_bit_s(track), round(max(rates)))


def pieces(index: Index, wanted_s: float = HLS_SEGMENT_S) -> list[tuple[Reference, ...]]:
    """Return the fragments joined to pieces of about the wanted length; a longer fragment stays alone."""
    joined: list[list[Reference]] = []
    length = 0
    for part in index.references:
        if joined and length + part.duration <= wanted_s * index.timescale * 1.05:
            joined[-1].append(part)
            length += part.duration
        else:
            joined.append([part])
            length = part.duration
    return [tuple(piece) for piece in joined]


def dash_manifest(tracks: TrackSet) -> str:
    """Return the text of `manifest.mpd`: pictures that a player may change between in mid-film stand in one set."""
    families = dict.fromkeys(map(_family, tracks.pictures))
    sets = [("video", [one for one in tracks.pictures if _family(one) == family]) for family in families]
    sets += [("audio", [track]) for track in tracks.audio]
    alternates = tracks.audio[1:]
    media = [_dash_set(same, kind, number, main=same[0] not in alternates) for number, (kind, same) in enumerate(sets)]
    text = [_dash_text(track, len(media) + number) for number, track in enumerate(tracks.text)]
    body = "".join([*media, *text])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" '
        f'type="static" mediaPresentationDuration="PT{tracks.duration_s:.6f}S" minBufferTime="PT2S">\n'
        f'  <Period id="0" start="PT0S">\n{body}  </Period>\n</MPD>\n'
    )


def _family(track: MediaTrack) -> str:
    return track.codec.partition(".")[0]


def _dash_set(same: Sequence[MediaTrack], kind: str, number: int, *, main: bool) -> str:
    role = "main" if main else "alternate"
    return (
        f'    <AdaptationSet id="{number}" contentType="{kind}" mimeType="{kind}/mp4"{_language(same[0].language)} '
        'subsegmentAlignment="true" subsegmentStartsWithSAP="1">\n'
        f"{_label(same[0].label)}"
        f'      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="{role}"/>\n'
        f"{''.join(_dash_track(track, kind) for track in same)}    </AdaptationSet>\n"
    )


def _dash_track(track: MediaTrack, kind: str) -> str:
    index = track.index
    size = f' width="{track.width_px}" height="{track.height_px}"' if kind == "video" else ""
    rate = f' audioSamplingRate="{track.sample_rate_hz}"' if track.sample_rate_hz else ""
    stem = track.file.rpartition(".")[0]
    return (
        f'      <Representation id={_quoted(stem)} codecs={_quoted(track.codec)} bandwidth="{peak_bit_s(track)}"'
        f"{size}{rate}>\n"
        f"        <BaseURL>{track.file}</BaseURL>\n"
        f'        <SegmentBase indexRange="{index.box.start}-{index.box.end - 1}" timescale="{index.timescale}">'
        f'<Initialization range="0-{index.box.start - 1}"/></SegmentBase>\n'
        "      </Representation>\n"
    )


def _dash_text(track: TextTrack, number: int) -> str:
    stem = track.file.rpartition(".")[0]
    return (
        f'    <AdaptationSet id="{number}" contentType="text" mimeType="text/vtt"{_language(track.language)}>\n'
        f'{_label(track.label)}      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>\n'
        f'      <Representation id={_quoted(stem)} bandwidth="256"><BaseURL>{track.file}</BaseURL></Representation>\n'
        "    </AdaptationSet>\n"
    )


def _language(tag: str) -> str:
    return "" if tag == "und" else f" lang={_quoted(tag)}"


def _label(text: str) -> str:
    plain = _escaped(one_line(text, 100))
    return f"      <Label>{plain}</Label>\n" if plain else ""


def hls_master(tracks: TrackSet) -> str:
    """Return the text of `master.m3u8`."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for number, track in enumerate(tracks.audio if tracks.video else ()):
        lines.append(_hls_media("AUDIO", "sound", track, default=number == 0))
    lines += [_hls_media("SUBTITLES", "text", track, default=False) for track in tracks.text]
    sound = tracks.audio[:1]
    for media in [(picture, *sound) for picture in tracks.pictures] or [sound]:
        lines += _hls_variant(media, tracks)
    return "\n".join(lines) + "\n"


def _hls_variant(media: tuple[MediaTrack, ...], tracks: TrackSet) -> list[str]:
    """Return the two lines of a picture with the sound that begins, or of a sound alone."""
    peak, mean = sum(peak_bit_s(track) for track in media), sum(average_bit_s(track) for track in media)
    codecs = ",".join(track.codec for track in media)
    words = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={mean}", f'CODECS="{codecs}"']
    if tracks.video:
        words.append(f"RESOLUTION={media[0].width_px}x{media[0].height_px}")
        words += ['AUDIO="sound"'] if tracks.audio else []
    words += ['SUBTITLES="text"'] if tracks.text else []
    return ["#EXT-X-STREAM-INF:" + ",".join(words), playlist_name(media[0].file)]


def playlist_name(file: str) -> str:
    """Return the name of a track's own playlist: `v.m3u8` for `v.mp4`."""
    return file.rpartition(".")[0] + ".m3u8"


def _hls_media(kind: str, group: str, track: MediaTrack | TextTrack, *, default: bool) -> str:
    # A quoted string of a playlist has no escapes: quotes and line ends may not occur in it (RFC 8216, 4.2).
    name = one_line(track.label, 100).replace('"', "'") or track.language
    words = [f"TYPE={kind}", f'GROUP-ID="{group}"', f'NAME="{name}"']
    words += [] if track.language == "und" else [f'LANGUAGE="{track.language}"']
    words += [f"DEFAULT={'YES' if default else 'NO'}", "AUTOSELECT=YES", f'URI="{playlist_name(track.file)}"']
    return "#EXT-X-MEDIA:" + ",".join(words)


def hls_playlist(track: MediaTrack) -> str:
    """Return the playlist of one media track: byte ranges of its file."""
    cut = pieces(track.index)
    scale = track.index.timescale
    longest = max(sum(part.duration for part in piece) / scale for piece in cut)
    lines = _hls_head(longest)
    lines.append(f'#EXT-X-MAP:URI="{track.file}",BYTERANGE="{track.index.box.start}@0"')
    for piece in cut:
        lines.append(f"#EXTINF:{sum(part.duration for part in piece) / scale:.6f},")
        lines.append(f"#EXT-X-BYTERANGE:{sum(part.size for part in piece)}@{piece[0].start}")
        lines.append(track.file)
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def hls_text_playlist(track: TextTrack, duration_s: float) -> str:
    """Return the playlist of one subtitle file: one segment as long as the video."""
    return "\n".join([*_hls_head(duration_s), f"#EXTINF:{duration_s:.6f},", track.file, "#EXT-X-ENDLIST"]) + "\n"


def _hls_head(longest_s: float) -> list[str]:
    # The target duration may not be below any EXTINF rounded to the nearest whole second.
    target = max(1, int(longest_s + 0.5))
    return ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-PLAYLIST-TYPE:VOD"]


def _quoted(text: str) -> str:
    from xml.sax.saxutils import quoteattr  # brings urllib.request along, and the fetch engine needs `pieces` only

    return quoteattr(text)


def _escaped(text: str) -> str:
    from xml.sax.saxutils import escape  # as above

    return escape(text)
