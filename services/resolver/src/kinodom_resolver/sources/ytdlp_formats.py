"""From yt-dlp's formats to offers. A format is one rendition; a master playlist stands for all that name it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.offers import Offer, SubtitleOffer
from kinodom_resolver.sources.reading import (
    address_of,
    count_of,
    float_of,
    mapping_of,
    mappings_of,
    seconds_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.contracts.offers import Delivery

DELIVERY_OF: Final[dict[str, Delivery]] = {
    "m3u8": "hls",
    "m3u8_native": "hls",
    "http_dash_segments": "dash",
    "http": "progressive",
    "https": "progressive",
}
CONTAINERS: Final = frozenset({"mp4", "m4v", "mov", "webm", "mkv"})
SUBTITLES: Final = ("vtt", "srt")  # the first is liked better
CARRIED: Final = {name.lower(): name for name in ("Referer", "Origin", "User-Agent", "Accept-Language")}
EXPIRY: Final = ("expire", "expires", "exp", "e")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
EARLIEST_S: Final = 1_600_000_000  # numbers outside of these are no instants
LATEST_S: Final = 4_000_000_000
LONGEST: Final = 4000


def offers_of(facts: Mapping[str, object], source: str) -> list[Offer]:
    """Return playlists, manifests, then whole files, the tallest first. Broadcasts and locked films are left out."""
    if facts.get("is_live") is True or facts.get("live_status") in ("is_live", "is_upcoming"):
        return []
    formats = mappings_of(facts.get("formats")) or [facts]
    subtitles = subtitles_of(facts)
    found: dict[str, Offer] = {}
    for one in formats:
        offer = _offer(one, facts, source, subtitles)
        if offer is not None and offer.url not in found:
            found[offer.url] = offer
    order = {"hls": 0, "dash": 1, "progressive": 2}
    return sorted(found.values(), key=lambda offer: (order[offer.delivery], -(offer.height_px or 10_000)))


def heights_of(facts: Mapping[str, object]) -> tuple[int, ...]:
    """Return the heights of all renditions with a picture, the greatest first."""
    heights = {count_of(one.get("height")) for one in mappings_of(facts.get("formats")) if one.get("vcodec") != "none"}
    return tuple(sorted((height for height in heights if height is not None), reverse=True))


def language_of(value: object) -> str | None:
    """Return a BCP 47 tag, or None for anything else."""
    text = text_of(value, longest=35)
    return text if text and LANGUAGE.fullmatch(text) else None


def subtitles_of(facts: Mapping[str, object]) -> tuple[SubtitleOffer, ...]:
    """Return one file for each language, without those a machine made."""
    found: list[SubtitleOffer] = []
    for language, files in mapping_of(facts.get("subtitles")).items():
        by_ending = {text_of(one.get("ext")): one for one in mappings_of(files)}
        best = next((by_ending[ending] for ending in SUBTITLES if ending in by_ending), None)
        address = address_of("", best.get("url")) if best is not None else None
        if best is not None and address is not None:
            name = text_of(best.get("name"), longest=100)
            found.append(SubtitleOffer(url=address, language=language_of(language), name=name))
    return tuple(found)[:50]


def _offer(
    one: Mapping[str, object], facts: Mapping[str, object], source: str, subtitles: tuple[SubtitleOffer, ...]
) -> Offer | None:
    delivery = DELIVERY_OF.get(text_of(one.get("protocol")) or "")
    if delivery is None or one.get("has_drm"):
        return None
    master = _http_address(one.get("manifest_url"))
    address = _http_address(one.get("url"))
    if delivery == "progressive":
        # Picture and sound apart are two films to our engine; yt-dlp says "none" for what is absent.
        whole = "none" not in (one.get("vcodec"), one.get("acodec"))
        if not whole or text_of(one.get("ext")) not in CONTAINERS:
            return None
        master = None
    elif delivery == "dash" and master is None:
        return None  # a list of pieces without a manifest
    chosen = master or address
    if chosen is None:
        return None
    try:
        return Offer(
            source=source,
            url=chosen,
            delivery=delivery,
            height_px=count_of(one.get("height")) if master is None else None,
            size_bytes=count_of(one.get("filesize")) if delivery == "progressive" else None,
            duration_s=seconds_of(facts.get("duration")),
            expires_at=expires_at(chosen),
            headers=_headers(one, facts, chosen),
            subtitles=subtitles,
        )
    except ValidationError:
        return None


def _http_address(value: object) -> str | None:
    """Return an http(s) address of up to 4000 characters: signed ones are long."""
    text = text_of(value, longest=LONGEST + 1)
    return text if text and len(text) <= LONGEST and re.match(r"https?://[^/]", text) else None


def expires_at(address: str) -> datetime | None:
    """Return the instant that a signed address names as its end; None: it names none."""
    try:
        asked = parse_qs(urlsplit(address).query, max_num_fields=100)
    except ValueError:
        return None
    for name, values in asked.items():
        number = float_of(values[0])
        if name.lower() in EXPIRY and number is not None and EARLIEST_S < number < LATEST_S:
            return datetime.fromtimestamp(number, UTC)
    return None


def _headers(one: Mapping[str, object], facts: Mapping[str, object], address: str) -> dict[str, str]:
    told = {**mapping_of(facts.get("http_headers")), **mapping_of(one.get("http_headers"))}
    headers = {
        CARRIED[name.lower()]: text
        for name, value in told.items()
        if name.lower() in CARRIED and (text := text_of(value, longest=1000)) and text.isascii() and text.isprintable()
    }
    cookies = _cookies(text_of(one.get("cookies")) or text_of(facts.get("cookies")) or "", address)
    return {**headers, "Cookie": cookies} if cookies else headers


def _cookies(text: str, address: str) -> str:
    """Return the cookies that are meant for the host of an address, as a request carries them."""
    try:
        host = urlsplit(address).hostname or ""
        jar: SimpleCookie = SimpleCookie(text)
    except (CookieError, ValueError):
        return ""
    fits = []
    for name, morsel in jar.items():
        domain = morsel["domain"].lstrip(".").lower()
        if domain and (host == domain or host.endswith(f".{domain}")):
            fits.append(f"{name}={morsel.coded_value}")
    return "; ".join(fits)[:4000]
