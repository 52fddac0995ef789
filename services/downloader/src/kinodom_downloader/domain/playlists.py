"""HLS playlists (RFC 8216) read into plain values. Pure: text and the address it came from go in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from kinodom_downloader.domain.faults import LivePlaylist, PlaylistBad, PlaylistRefused, SegmentGap
from kinodom_downloader.domain.hls_text import attributes_of, check_lock, joined, lines_of, number_of
from kinodom_downloader.domain.plan import MAX_SEGMENTS, Segment
from kinodom_downloader.domain.variants import Master, parse_master

_MAX_DURATION_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One track: init sections stand in the list before the first segment that needs them."""

    segments: tuple[Segment, ...]


@dataclass(slots=True)
class _Key:
    url: str
    iv_hex: str | None


@dataclass(slots=True)
class _Reading:
    """Where the reading of a media playlist stands."""

    base_url: str
    found: list[Segment] = field(default_factory=list)
    sequence: int = 0
    duration_s: float | None = None
    span: tuple[int, int | None] | None = None  # length, offset of the next segment
    ends: dict[str, int] = field(default_factory=dict)  # address: where its last range ended
    key: _Key | None = None
    current_map: Segment | None = None
    map_is_new: bool = False
    breaks: bool = False
    gap: bool = False


def parse_playlist(text: str, base_url: str, *, is_whole: bool = False) -> Master | Media:
    """Return what a playlist lists.

    Args:
        text: the whole playlist.
        base_url: where it came from, after redirects.
        is_whole: nothing will come after it, though it does not say so.

    Raises:
        PlaylistBad, PlaylistRefused, LivePlaylist, DrmProtected.
        SegmentGap: it lists nothing but gaps.
    """
    lines = lines_of(text)
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return parse_master(lines, base_url)
    if not is_whole and "#EXT-X-ENDLIST" not in lines and "#EXT-X-PLAYLIST-TYPE:VOD" not in lines:
        raise LivePlaylist(
            "The playlist has no end, so it is a live broadcast. Only finished films and episodes can be downloaded."
        )
    reading = _Reading(base_url)
    for line in lines:
        if line.startswith("#"):
            _tag(reading, line)
        else:
            _segment(reading, line)
        if len(reading.found) > MAX_SEGMENTS:
            raise PlaylistRefused(f"The playlist lists more than {MAX_SEGMENTS} segments.")
    if not reading.found:
        raise PlaylistBad("The playlist lists no segment.")
    if all(segment.gap or segment.is_init for segment in reading.found):
        raise SegmentGap("The source itself says that all of the film is missing (gaps).")
    return Media(segments=tuple(reading.found))


def target_s(text: str) -> float:
    """Return what a playlist states as its target duration, else its longest segment."""
    stated = [line.partition(":")[2] for line in lines_of(text) if line.startswith("#EXT-X-TARGETDURATION:")]
    listed = [line.partition(":")[2] for line in lines_of(text) if line.startswith("#EXTINF:")]
    return max(map(_duration, stated or listed), default=0.0)


def _tag(reading: _Reading, line: str) -> None:
    tag, _, value = line.partition(":")
    if tag == "#EXTINF":
        reading.duration_s = _duration(value)
    elif tag == "#EXT-X-BYTERANGE":
        reading.span = _span(value)
    elif tag == "#EXT-X-KEY":
        reading.key = _key(reading, attributes_of(value))
    elif tag == "#EXT-X-MAP":
        _map(reading, attributes_of(value))
    elif tag == "#EXT-X-MEDIA-SEQUENCE":
        reading.sequence = number_of(value) or 0
    elif tag == "#EXT-X-DISCONTINUITY":
        reading.breaks = bool(reading.found)
    elif tag == "#EXT-X-GAP":
        reading.gap = True


def _duration(value: str) -> float:
    try:
        duration_s = float(value.partition(",")[0].strip() or "0")
    except ValueError:
        return 0.0
    return duration_s if 0 < duration_s <= _MAX_DURATION_S else 0.0  # 0: unknown, what comes will tell


def _span(value: str) -> tuple[int, int | None]:
    length, mark, offset = value.strip().strip('"').partition("@")
    sizes = (number_of(length), number_of(offset) if mark else None)
    if not sizes[0] or (mark and sizes[1] is None):
        raise PlaylistBad(f"The playlist names a byte range that is none ({value[:40]!r}).")
    return sizes[0], sizes[1]


def _key(reading: _Reading, attributes: dict[str, str]) -> _Key | None:
    check_lock(attributes)
    if attributes.get("METHOD", "").upper() == "NONE":
        return None
    if not attributes.get("URI"):
        raise PlaylistBad("The playlist names a key without its address.")
    iv = attributes.get("IV")
    if iv is not None and not re.fullmatch(r"0[xX][0-9A-Fa-f]{1,32}", iv):
        raise PlaylistBad("The playlist names an initialisation vector that is not 16 bytes.")
    return _Key(joined(reading.base_url, attributes["URI"]), iv[2:].lower().zfill(32) if iv else None)


def _map(reading: _Reading, attributes: dict[str, str]) -> None:
    if not attributes.get("URI"):
        raise PlaylistBad("The playlist names an init section without its address.")
    length, offset = _span(attributes["BYTERANGE"]) if "BYTERANGE" in attributes else (None, None)
    start = (offset or 0) if length is not None else None
    plain = Segment(url=joined(reading.base_url, attributes["URI"]), offset=start, length=length, is_init=True)
    section = _locked(reading, plain)
    reading.map_is_new = reading.map_is_new or section != reading.current_map
    reading.current_map = section


def _locked(reading: _Reading, segment: Segment) -> Segment:
    if reading.key is None:
        return segment
    iv_hex = reading.key.iv_hex or f"{reading.sequence:032x}"  # RFC 8216, 5.2: the media sequence number
    return replace(segment, key_url=reading.key.url, iv_hex=iv_hex)


def _segment(reading: _Reading, line: str) -> None:
    if reading.current_map is not None and reading.map_is_new:
        reading.found.append(replace(reading.current_map, breaks=bool(reading.found)))
        reading.breaks = False
    url = "" if reading.gap else joined(reading.base_url, line)
    length, offset = reading.span or (None, None)
    if length is not None:
        offset = reading.ends.get(url, 0) if offset is None else offset
        reading.ends[url] = offset + length
    segment = Segment(
        url=url,
        duration_s=reading.duration_s or 0.0,
        offset=offset,
        length=length,
        breaks=reading.breaks,
        gap=reading.gap,
    )
    reading.found.append(_locked(reading, segment))
    reading.sequence += 1
    reading.span = reading.duration_s = None
    reading.map_is_new = reading.breaks = reading.gap = False
