"""DASH manifests (ISO 23009-1) read into a plan: templates, timelines, lists and single files; finished films only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.faults import DrmProtected, LivePlaylist, PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.hls_text import MAX_PLAYLIST_BYTES, joined
from kinodom_downloader.domain.mpd_segments import Place, segments_of
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from kinodom_downloader.domain.variants import height_choice

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from kinodom_downloader.domain.fetched import Role

_MAX_TRACKS: Final = 20
_DURATION: Final = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7}(?:\.\d{1,9})?)S)?)?")

_Key = tuple["Role", str | None, str | None]  # role, language, name: what a track is from period to period


def parse_mpd(text: str, base_url: str, wanted_height_px: int | None) -> Plan:
    """Return the plan for a manifest: one video track, all audio languages, subtitles as WebVTT.

    Args:
        text: the whole manifest.
        base_url: where it came from, after redirects.
        wanted_height_px: chosen as in HLS.

    Raises:
        PlaylistBad, PlaylistRefused, LivePlaylist, DrmProtected.
    """
    root = _root(text)
    if root.get("type") == "dynamic":
        raise LivePlaylist(
            "The manifest describes a live broadcast. Only finished films and episodes can be downloaded."
        )
    tracks: dict[_Key, list[TrackPlan]] = {}
    place = Place(base_url).inside(root)
    for period, duration_s in _periods(root):
        for key, track in _tracks(period, place.inside(period, duration_s=duration_s), wanted_height_px).items():
            tracks.setdefault(key, []).append(track)
    if not any(key[0] in ("video", "muxed") for key in tracks):
        raise PlaylistBad("The manifest lists no video.")
    joined_tracks = tuple(_in_a_row(parts) for parts in tracks.values())
    return Plan(tracks=joined_tracks, duration_s=sum(length or 0 for _, length in _periods(root)) or None)


def _root(text: str) -> Element:
    """Return the tree. Nothing but elements and attributes can be in it: a document type is refused before parsing."""
    if len(text) > MAX_PLAYLIST_BYTES or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PlaylistRefused("The manifest is too long, or holds declarations that no manifest needs.")
    from xml.etree import ElementTree as ET  # most films come as playlists, which are no XML

    try:
        root = ET.fromstring(text.lstrip("\ufeff \t\r\n"))  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as exc:
        raise PlaylistBad("The manifest cannot be read (broken XML).") from exc
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "MPD":
        raise PlaylistBad("The manifest is some other XML document.")
    return root


def _periods(root: Element) -> list[tuple[Element, float | None]]:
    """Return the periods, each with its length in seconds (None: not said)."""
    periods = root.findall("Period")
    if not periods or len(periods) > 1000:
        raise PlaylistBad("The manifest lists no period, or far too many.")
    whole_s = duration_s(root.get("mediaPresentationDuration"))
    found: list[tuple[Element, float | None]] = []
    at_s = 0.0
    for index, period in enumerate(periods):
        start_s = duration_s(period.get("start"))
        at_s = at_s if start_s is None else start_s
        following = periods[index + 1].get("start") if index + 1 < len(periods) else None
        end_s = duration_s(following) if following else whole_s if index + 1 == len(periods) else None
        length_s = duration_s(period.get("duration"))
        if length_s is None and end_s is not None:
            length_s = max(0.0, end_s - at_s)
        found.append((period, length_s))
        at_s += length_s or 0.0
    return found


def duration_s(text: str | None) -> float | None:
    """Return an ISO 8601 duration in seconds; None for none, or for one with months."""
    match = _DURATION.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds


def _tracks(period: Element, place: Place, wanted_height_px: int | None) -> dict[_Key, TrackPlan]:
    sets = [(item, _kind(item)) for item in period.findall("AdaptationSet") if not _is_trick(item)]
    videos = [(item, each) for item, kind in sets if kind == "video" for each in item.findall("Representation")]
    has_sound = any(kind == "audio" for _, kind in sets)
    found: dict[_Key, TrackPlan] = {}
    if videos:
        role: Role = "video" if has_sound else "muxed"
        found[role, None, None] = _track(role, *_best_video(videos, wanted_height_px), place)
    for item, kind in sets:
        each = max(item.findall("Representation"), key=_sound_rank, default=None)
        if each is None or kind not in ("audio", "subtitles") or len(found) >= _MAX_TRACKS:
            continue
        role = "audio" if kind == "audio" else "subtitles"
        track = _track(role, item, each, place)
        found.setdefault((role, track.language, track.name), track)
    return found


def _track(role: Role, item: Element, representation: Element, place: Place) -> TrackPlan:
    if item.find("ContentProtection") is not None or representation.find("ContentProtection") is not None:
        raise DrmProtected("The film is locked by a DRM system. The house does not open such locks.")
    inner = place.inside(item).inside(representation)
    segments = segments_of(inner, representation)
    label = item.findtext("Label") or item.get("label")
    single = segments is None
    return TrackPlan(
        role=role,
        segments=segments or (Segment(url=joined(inner.base_url, ""), duration_s=inner.duration_s or 0.0),),
        shape="file" if single and role != "subtitles" else "segments",
        height_px=_number(representation.get("height") or item.get("height")),
        bandwidth=_number(representation.get("bandwidth")),
        language=item.get("lang") or None,
        name=label.strip() if label else None,
    )


def _kind(item: Element) -> str:
    first = item.find("Representation")
    mime = item.get("mimeType") or (first.get("mimeType") if first is not None else "") or ""
    kind = item.get("contentType") or mime.partition("/")[0]
    if mime == "text/vtt":
        return "subtitles"
    return kind if kind in ("video", "audio") else ""


def _is_trick(item: Element) -> bool:
    return any("trickmode" in each.get("schemeIdUri", "") for each in item.findall("EssentialProperty"))


def _best_video(videos: list[tuple[Element, Element]], wanted_height_px: int | None) -> tuple[Element, Element]:
    heights = [_number(each.get("height") or item.get("height")) for item, each in videos]
    height = height_choice(heights, wanted_height_px)
    fitting = [pair for pair, its in zip(videos, heights, strict=True) if its == height]
    return max(fitting, key=lambda pair: ("avc1" in _codecs(*pair), _number(pair[1].get("bandwidth")) or 0))


def _sound_rank(representation: Element) -> tuple[bool, int]:
    return "mp4a" in (representation.get("codecs") or "mp4a"), _number(representation.get("bandwidth")) or 0


def _codecs(item: Element, representation: Element) -> str:
    return representation.get("codecs") or item.get("codecs") or ""


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else None


def _in_a_row(parts: list[TrackPlan]) -> TrackPlan:
    """Return one track from those of several periods; each new period is a discontinuity."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if any(part.shape == "file" for part in parts):
        raise PlaylistRefused("The manifest is made of several single files in a row, which cannot be joined.")
    segments = list(first.segments)
    for part in parts[1:]:
        head, *rest = part.segments
        segments += [_broken(head), *rest]
    values = {name: getattr(first, name) for name in ("role", "height_px", "bandwidth", "language", "name")}
    return TrackPlan(segments=tuple(segments), **values)


def _broken(segment: Segment) -> Segment:
    return Segment(
        url=segment.url, duration_s=segment.duration_s, offset=segment.offset, length=segment.length,
        is_init=segment.is_init, breaks=True,
    )  # fmt: skip
