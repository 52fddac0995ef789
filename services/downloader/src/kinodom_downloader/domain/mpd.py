"""DASH manifests (ISO 23009-1) read into a plan: templates, timelines, lists and single files; finished films only.

What a DRM system locks is left out as long as the film can be had without it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kinodom_downloader.domain.faults import DrmProtected, LivePlaylist, PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.hls_text import MAX_PLAYLIST_BYTES, joined
from kinodom_downloader.domain.mpd_periods import Part, in_a_row
from kinodom_downloader.domain.mpd_segments import Place, offset_of_s, segments_of
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from kinodom_downloader.domain.variants import height_choice

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from kinodom_downloader.domain.fetched import Role

    _Pair = tuple[Element, Element]  # an adaptation set and one of its representations

_MAX_TRACKS: Final = 20
_MAX_FILES: Final = 200  # each is asked for its index before anything is fetched
_DURATION: Final = re.compile(r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7}(?:\.\d{1,9})?)S)?)?")
_SOUNDS: Final = ("mp4a", "ac-3", "ec-3", "opus", "flac", "dts")
_TEXTS: Final = ("text/vtt", "application/ttml+xml")
_TEXT_CODECS: Final = ("wvtt", "stpp")


def parse_mpd(
    text: str,
    base_url: str,
    wanted_height_px: int | None,
    *,
    cut: Callable[[TrackPlan], TrackPlan] = lambda track: track,
) -> Plan:
    """Return the plan for a manifest: one video track, all audio languages, subtitles.

    Args:
        text: the whole manifest.
        base_url: where it came from, after redirects.
        wanted_height_px: chosen as in HLS.
        cut: gives a track that is one single file cut into pieces; into its segments, if the file lists them.

    Raises:
        PlaylistBad, PlaylistRefused, LivePlaylist, DrmProtected.
    """
    root = _root(text)
    if root.get("type") == "dynamic":
        raise LivePlaylist(
            "The manifest describes a live broadcast. Only finished films and episodes can be downloaded."
        )
    place = Place(base_url).inside(root)
    parts = [
        _part(period, place.inside(period, duration_s=length_s), wanted_height_px)
        for period, length_s in _periods(root)
    ]
    if sum(one.shape == "file" for part in parts for one in part.media) > _MAX_FILES:
        raise PlaylistRefused(f"The manifest is made of more than {_MAX_FILES} single files.")
    tracks = in_a_row([part.each(cut) for part in parts])
    return Plan(tracks=tracks, duration_s=sum(part.length_s for part in parts) or None)


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


def _part(period: Element, place: Place, wanted_height_px: int | None) -> Part:
    """Return what a period lists and no DRM system locks.

    Raises:
        DrmProtected: all of its pictures or all of its sounds are locked.
    """
    sets = [(item, _kind(item)) for item in period.findall("AdaptationSet") if not _is_trick(item)]
    videos = _open([item for item, kind in sets if kind == "video"])
    picture = _best_video(videos, wanted_height_px) if videos else None
    sounds = [
        max(pairs, key=_sound_rank)
        for pairs in _by_set(_open([item for item, kind in sets if kind == "audio"]))[:_MAX_TRACKS]
    ]
    texts = [(item, each) for item, kind in sets if kind == "subtitles" for each in item.findall("Representation")[:1]]
    return Part(
        duration_s=place.duration_s,
        picture=None if picture is None else _track("video", *picture, place),
        sound_inside=picture is not None and any(name in _codecs(*picture).lower() for name in _SOUNDS),
        sounds=tuple(_track("audio", *pair, place) for pair in sounds),
        texts=tuple(_track("subtitles", *pair, place) for pair in texts[:_MAX_TRACKS] if not _is_locked(*pair)),
    )


def _open(items: list[Element]) -> list[_Pair]:
    """Return the representations of sets of one kind that are not locked; none is no lock."""
    every = [(item, each) for item in items for each in item.findall("Representation")]
    found = [pair for pair in every if not _is_locked(*pair)]
    if every and not found:
        raise DrmProtected("The film is locked by a DRM system. The house does not open such locks.")
    return found


def _is_locked(item: Element, representation: Element) -> bool:
    return item.find("ContentProtection") is not None or representation.find("ContentProtection") is not None


def _by_set(pairs: list[_Pair]) -> list[list[_Pair]]:
    found: dict[int, list[_Pair]] = {}
    for pair in pairs:
        found.setdefault(id(pair[0]), []).append(pair)
    return list(found.values())


def _track(role: Role, item: Element, representation: Element, place: Place) -> TrackPlan:
    inner = place.inside(item).inside(representation)
    segments = segments_of(inner, representation)
    if role == "subtitles":  # their times are counted from the beginning of the period
        offset_s = offset_of_s(inner)
        whole = segments or (Segment(url=joined(inner.base_url, "")),)
        segments = tuple(replace(one, shift_s=-offset_s) for one in whole)
    label = item.findtext("Label") or item.get("label")
    single = segments is None
    return TrackPlan(
        role=role,
        segments=segments or (Segment(url=joined(inner.base_url, ""), duration_s=inner.duration_s or 0.0),),
        shape="file" if single else "segments",
        height_px=_number(representation.get("height") or item.get("height")),
        bandwidth=_number(representation.get("bandwidth")),
        language=item.get("lang") or None,
        name=label.strip() if label else None,
    )


def _kind(item: Element) -> str:
    first = item.find("Representation")
    mime = item.get("mimeType") or (first.get("mimeType") if first is not None else "") or ""
    kind = item.get("contentType") or mime.partition("/")[0]
    codecs = "" if first is None else _codecs(item, first)
    if mime in _TEXTS or codecs.startswith(_TEXT_CODECS):
        return "subtitles"
    return kind if kind in ("video", "audio") else ""


def _is_trick(item: Element) -> bool:
    return any("trickmode" in each.get("schemeIdUri", "") for each in item.findall("EssentialProperty"))


def _best_video(videos: list[_Pair], wanted_height_px: int | None) -> _Pair:
    heights = [_number(each.get("height") or item.get("height")) for item, each in videos]
    height = height_choice(heights, wanted_height_px)
    fitting = [pair for pair, its in zip(videos, heights, strict=True) if its == height]
    return max(fitting, key=lambda pair: ("avc1" in _codecs(*pair), _number(pair[1].get("bandwidth")) or 0))


def _sound_rank(pair: _Pair) -> tuple[bool, int]:
    return "mp4a" in (_codecs(*pair) or "mp4a"), _number(pair[1].get("bandwidth")) or 0


def _codecs(item: Element, representation: Element) -> str:
    return representation.get("codecs") or item.get("codecs") or ""


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else None
