"""The text of HLS playlists: lines, attribute lists, addresses, and what locks them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

from kinodom_downloader.domain.faults import DrmProtected, PlaylistBad, PlaylistRefused

MAX_PLAYLIST_BYTES: Final = 8_000_000
_ATTRIBUTE: Final = re.compile(r'\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)')
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_MAX_NUMBER: Final = 2**63 - 1
_DRM_METHODS: Final = frozenset({"SAMPLE-AES", "SAMPLE-AES-CTR", "SAMPLE-AES-CENC", "ISO-23001-7"})


def lines_of(text: str) -> list[str]:
    """Return the lines that mean something: no mark at the beginning, no blanks, no comments.

    Raises:
        PlaylistBad: it is no playlist; says what it looks like.
        PlaylistRefused: it is far too long.
    """
    if len(text) > MAX_PLAYLIST_BYTES:
        raise PlaylistRefused(f"The playlist is longer than {MAX_PLAYLIST_BYTES} characters.")
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped.startswith("#EXTM3U"):
        looks = "a web page" if "<html" in stripped[:2000].lower() or stripped.startswith("<") else "something else"
        raise PlaylistBad(f"Instead of a playlist the source sent {looks if stripped else 'nothing'}.")
    lines = (line.strip() for line in re.split(r"\r\n|\n|\r", stripped))
    return [line for line in lines if line and (not line.startswith("#") or line.startswith("#EXT"))]


def attributes_of(text: str) -> dict[str, str]:
    """Return an attribute list (RFC 8216, 4.2); quotes are taken off, commas inside them kept."""
    found: dict[str, str] = {}
    position = 0
    while match := _ATTRIBUTE.match(text, position):
        found.setdefault(match[1].upper(), match[2].strip().strip('"'))
        position = match.end()
        if position >= len(text):
            break
    return found


def joined(base_url: str, reference: str) -> str:
    """Return a reference as a whole address.

    Raises:
        PlaylistRefused: it leads to another scheme than http and https, or cannot be joined.
    """
    if _SCHEME.match(reference) and not reference.lower().startswith(("http://", "https://")):
        raise PlaylistRefused(
            f"The playlist names an address that is not fetched ({reference.partition(':')[0][:20]}:)."
        )
    try:
        return urljoin(base_url, reference)
    except ValueError as exc:
        raise PlaylistRefused("The playlist names an address that cannot be read.") from exc


def number_of(text: str) -> int | None:
    """Return a whole number without a sign, below 2^63; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text.strip()) and int(text) <= _MAX_NUMBER else None


def check_lock(attributes: dict[str, str]) -> None:
    """Pass the attributes of a key that the house can use: none, or AES-128.

    Raises:
        DrmProtected, PlaylistRefused.
    """
    method = attributes.get("METHOD", "").upper()
    form = attributes.get("KEYFORMAT", "identity").lower()
    if method in _DRM_METHODS or (method not in ("", "NONE") and form != "identity"):
        raise DrmProtected(
            "The film is locked by a DRM system. The house does not open such locks; choose another source."
        )
    if method not in ("NONE", "AES-128"):
        raise PlaylistRefused(f"The playlist is encrypted in an unknown way ({method[:30]!r}).")
