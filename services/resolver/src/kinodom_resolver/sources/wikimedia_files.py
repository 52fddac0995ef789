"""The renditions of a video on Wikimedia Commons: which can be played, which is the best, and its subtitles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_resolver.sources.reading import address_of, count_of, language_of, mappings_of, seconds_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# The lower, the sooner it is offered. Renditions made for browsers first; what they cannot play last.
MADE_WEBM: Final = 0
OWN_WEBM: Final = 1  # the upload itself: the best picture there is, and often huge
REST: Final = 2
BROWSER_TYPES: Final = ("video/webm", "video/mp4")
TEXT_TYPES: Final = {"text/vtt": 0, "text/x-srt": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One file that can be fetched."""

    url: str
    rank: int
    height_px: int | None
    size_bytes: int | None


def renditions_of(info: Mapping[str, object], base: str) -> list[Rendition]:
    """Return the files with a picture, the best to play first."""
    listed = [made for raw in mappings_of(info.get("derivatives")) if (made := _derivative(raw, info, base))]
    own = address_of(f"{base}/", info.get("url"))
    if own is not None and all(one.rank == MADE_WEBM or one.rank == REST for one in listed):
        kind = text_of(info.get("mime"), longest=100) or ""
        listed.append(_original(_bare(own), kind, info, count_of(info.get("height"))))
    unique = {one.url: one for one in reversed(listed)}
    return sorted(unique.values(), key=lambda one: (one.rank, -(one.height_px or 0)))


def heights_of(info: Mapping[str, object], base: str) -> tuple[int, ...]:
    """Return the heights a video can be had in, the greatest first."""
    heights = {one.height_px for one in renditions_of(info, base) if one.height_px is not None}
    return tuple(sorted(heights, reverse=True))


def offers_of(info: Mapping[str, object], base: str, *, source: str) -> list[Offer]:
    """Return the renditions of a video as offers."""
    subtitles = _subtitles(info, base)
    offers = []
    for one in renditions_of(info, base):
        try:
            offer = Offer(
                source=source,
                url=one.url,
                delivery="progressive",
                height_px=one.height_px,
                size_bytes=one.size_bytes,
                duration_s=seconds_of(info.get("duration")),
                subtitles=subtitles,
            )
        except ValidationError:
            continue
        offers.append(offer)
    return offers


def _derivative(raw: Mapping[str, object], info: Mapping[str, object], base: str) -> Rendition | None:
    kind = (text_of(raw.get("type"), longest=200) or "").partition(";")[0].strip().lower()
    url = address_of(f"{base}/", raw.get("src"))
    if url is None or not (kind.startswith("video/") or kind == "application/ogg"):
        return None
    if text_of(raw.get("transcodekey")) is None:
        return _original(_bare(url), kind, info, count_of(raw.get("height")))
    rank = MADE_WEBM if kind in BROWSER_TYPES else REST
    return Rendition(url=_bare(url), rank=rank, height_px=count_of(raw.get("height")), size_bytes=None)


def _original(url: str, kind: str, info: Mapping[str, object], height_px: int | None) -> Rendition:
    rank = OWN_WEBM if kind in BROWSER_TYPES else REST
    return Rendition(url=url, rank=rank, height_px=height_px, size_bytes=count_of(info.get("size")))


def _bare(url: str) -> str:
    """Return the address without its query, in which the site counts where its visitors come from."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _subtitles(info: Mapping[str, object], base: str) -> tuple[SubtitleOffer, ...]:
    """Return one file for each language, WebVTT before SRT."""
    found: dict[str, tuple[int, SubtitleOffer]] = {}
    for raw in mappings_of(info.get("timedtext")):
        url = address_of(f"{base}/", raw.get("src"))
        rank = TEXT_TYPES.get(text_of(raw.get("type"), longest=100) or "text/vtt")
        if url is None or rank is None or (text_of(raw.get("kind")) or "subtitles") not in ("subtitles", "captions"):
            continue
        language = language_of(raw.get("srclang"))
        key = language or url
        if key not in found or rank < found[key][0]:
            name = text_of(raw.get("label"), longest=100)
            found[key] = (rank, SubtitleOffer(url=url, language=language, name=name))
    return tuple(offer for _, offer in found.values())
