"""The addresses in a video-info reply: plain, or base64 with its letters rotated by a number that changes."""

from __future__ import annotations

import base64
import binascii
import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

LETTERS: Final = 26
SURE: Final = "mp4:hls:manifest"
LONGEST: Final = 8000
STAMP: Final = re.compile(r":(20\d{8})/")
# The hour in an address has no time zone; of those it may be in, Moscow's ends first, and early does no harm.
STAMP_ZONE: Final = timezone(timedelta(hours=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """An address, and what turned it into one."""

    address: str
    rotation: int | None  # None: it was not encoded


def decoded(src: str, last_rotation: int) -> Decoded | None:
    """Return the address in a `src`: as it is, else by the last rotation that worked, else by any; None for rubbish."""
    text = src.strip()
    if _looks_plain(text):
        return Decoded(address=text, rotation=None)
    if not text or len(text) > LONGEST:
        return None
    order = [last_rotation, *(number for number in range(LETTERS) if number != last_rotation)]
    tried = [(rotation, found) for rotation in order if (found := _by(rotation, text)) is not None]
    for is_right in (_is_sure, _is_likely):
        for rotation, found in tried:
            if is_right(found):
                return Decoded(address=found, rotation=rotation)
    return None


def rotated(text: str, by: int) -> str:
    """Return a text with its Latin letters moved on in the alphabet; digits and signs stay."""
    lower, upper = string.ascii_lowercase, string.ascii_uppercase
    by %= LETTERS
    return text.translate(str.maketrans(lower + upper, lower[by:] + lower[:by] + upper[by:] + upper[:by]))


def expiry_of(address: str) -> datetime | None:
    """Return the instant from which an address may be dead; None when it does not say."""
    stamps = STAMP.findall(address)
    try:
        return datetime.strptime(stamps[-1], "%Y%m%d%H").replace(tzinfo=STAMP_ZONE).astimezone(UTC) if stamps else None
    except ValueError:
        return None


def _by(rotation: int, text: str) -> str | None:
    packed = rotated(text, rotation).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("ascii").strip()
    except (binascii.Error, ValueError):
        return None


def _looks_plain(text: str) -> bool:
    return text.startswith(("//", "http://", "https://"))


def _is_sure(text: str) -> bool:
    return _looks_plain(text) and SURE in text


def _is_likely(text: str) -> bool:
    return _looks_plain(text) and (".mp4" in text or ".m3u8" in text)
