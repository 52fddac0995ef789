"""Master playlists: qualities, alternative tracks, and which of them is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kinodom_downloader.domain.faults import PlaylistBad, PlaylistRefused
from kinodom_downloader.domain.hls_text import attributes_of, joined, number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One quality of a master playlist."""

    url: str
    bandwidth: int
    height_px: int | None = None
    codecs: str = ""
    audio_group: str | None = None
    subtitles_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One alternative audio or subtitle track. Without an address it lies inside the variants."""

    kind: str  # AUDIO or SUBTITLES
    group: str
    url: str | None
    name: str | None
    language: str | None
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A list of qualities and renditions."""

    variants: tuple[Variant, ...]
    renditions: tuple[Rendition, ...]


def height_choice(heights_px: list[int | None], wanted_px: int | None) -> int | None:
    """Return the height to fetch: the wanted one, else the nearest below, else the lowest; None wanted: the highest.

    Heights nobody states count as lower than any other. None comes back when no height is stated.
    """
    known = sorted({height for height in heights_px if height is not None})
    if not known or wanted_px is None:
        return known[-1] if known else None
    return max((height for height in known if height <= wanted_px), default=known[0])


def chosen_variant(master: Master, wanted_px: int | None) -> Variant:
    """Return the variant to fetch. At one height H.264 is preferred, every browser plays it; then the bandwidth."""
    height = height_choice([variant.height_px for variant in master.variants], wanted_px)
    fitting = [variant for variant in master.variants if variant.height_px == height]
    return max(fitting, key=lambda variant: ("avc1" in variant.codecs or not variant.codecs, variant.bandwidth))


def chosen_renditions(master: Master, variant: Variant, kind: str) -> tuple[Rendition, ...]:
    """Return the audio or subtitle tracks of a variant's group, the default one first."""
    group = variant.audio_group if kind == "AUDIO" else variant.subtitles_group
    found = [item for item in master.renditions if item.kind == kind and group is not None and item.group == group]
    return tuple(sorted(found, key=lambda item: not item.is_default))


def parse_master(lines: list[str], base_url: str) -> Master:
    """Return what the lines of a master playlist list. Keys in it are not looked at: each track names its own.

    Raises:
        PlaylistBad, PlaylistRefused.
    """
    variants: list[Variant] = []
    renditions: list[Rendition] = []
    pending: dict[str, str] | None = None
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-STREAM-INF":
            pending = attributes_of(value)
        elif tag == "#EXT-X-MEDIA":
            renditions.append(_rendition(attributes_of(value), base_url))
        elif not line.startswith("#") and pending is not None:
            variants.append(_variant(pending, joined(base_url, line)))
            pending = None
        if len(variants) + len(renditions) > 1000:
            raise PlaylistRefused("The playlist lists more than 1000 qualities and tracks.")
    if not variants:
        raise PlaylistBad("The playlist lists no quality.")
    return Master(variants=tuple(variants), renditions=tuple(renditions))


def _variant(attributes: dict[str, str], url: str) -> Variant:
    size = re.fullmatch(r"\d{1,5}[xX](\d{1,5})", attributes.get("RESOLUTION", ""))
    return Variant(
        url=url,
        bandwidth=number_of(attributes.get("BANDWIDTH", "0")) or 0,
        height_px=int(size[1]) or None if size else None,
        codecs=attributes.get("CODECS", ""),
        audio_group=attributes.get("AUDIO"),
        subtitles_group=attributes.get("SUBTITLES"),
    )


def _rendition(attributes: dict[str, str], base_url: str) -> Rendition:
    reference = attributes.get("URI")
    return Rendition(
        kind=attributes.get("TYPE", "").upper(),
        group=attributes.get("GROUP-ID", ""),
        url=joined(base_url, reference) if reference else None,
        name=attributes.get("NAME") or None,
        language=attributes.get("LANGUAGE") or None,
        is_default=attributes.get("DEFAULT", "").upper() == "YES",
    )
