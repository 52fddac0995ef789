"""Reads values of foreign JSON that may have any type. What does not fit is `None`, never an error."""

from __future__ import annotations

import html
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)")
YEAR = re.compile(r"\s*(\d{4})(?!\d)")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def mapping_of(value: object) -> Mapping[str, object]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def mappings_of(value: object) -> list[Mapping[str, object]]:
    """Return the objects in a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts_of(value: object) -> list[str]:
    """Return the texts of a field that is a string or a list of strings, without empty ones."""
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := text_of(item)) is not None]


def text_of(value: object, *, longest: int = 10_000) -> str | None:
    """Return a string or number as trimmed text, a list as its first text; None when nothing is left."""
    if isinstance(value, list):
        return next(iter(texts_of(value)), None) if not any(isinstance(item, list) for item in value) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) > 10**18:
        return None
    # Half of a surrogate pair is legal in JSON and cannot be sent on as UTF-8.
    clean = str(value).encode("utf-8", "replace").decode()
    return clean.replace("\x00", "").strip()[:longest] or None


def float_of(value: object) -> float | None:
    """Return a number, or a text that is one; None for what is not finite."""
    text = text_of(value, longest=40)
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def count_of(value: object) -> int | None:
    """Return a whole number from 1 up (a height, a size); None for anything else."""
    number = float_of(value)
    return int(number) if number is not None and 1 <= number <= 2**53 and number == int(number) else None


def seconds_of(value: object) -> float | None:
    """Return a length above zero, from seconds or from `MM:SS` or `H:MM:SS`."""
    text = text_of(value, longest=40) or ""
    if match := CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        length = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    else:
        length = float_of(text) or 0.0
    return length if 0 < length < 10**7 else None


def year_of(value: object) -> int | None:
    """Return the year that a number, a text or a date begins with; None when no film was made in it."""
    match = YEAR.match(text_of(value) or "")
    year = int(match[1]) if match else 0
    return year if 1880 <= year <= 2200 else None


def address_of(base: str, value: object) -> str | None:
    """Return an http(s) address, completed from `base` when it is relative."""
    text = text_of(value, longest=4001)
    try:
        address = urljoin(base, text or "")
        fits = text is not None and len(address) <= 2000 and urlsplit(address).scheme in ("http", "https")
    except ValueError:  # such as a bracket without its partner
        return None
    return address if fits else None


def plain_text(value: object, *, longest: int) -> str | None:
    """Return the words of a text that may be HTML: no tags, no scripts, paragraphs as lines."""
    text = "\n".join(texts_of(value))
    if "<" in text:
        page = BeautifulSoup(text[:50_000], "lxml")
        for tag in page(["script", "style"]):
            tag.decompose()
        for tag in page(["p", "br", "li", "div"]):
            tag.insert_before("\n")
            tag.insert_after("\n")
        text = page.get_text()
    elif "&" in text:
        text = html.unescape(text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return text_of("\n".join(line for line in lines if line), longest=longest)


def language_of(value: object) -> str | None:
    """Return a BCP 47 tag such as `en` or `pt-BR`; None for anything else."""
    text = text_of(value, longest=36) or ""
    return text if LANGUAGE.fullmatch(text) else None


def words_of(query: str) -> list[str]:
    """Return the words that somebody typed, folded; signs that search engines obey are not words."""
    return [word.strip("'’-_").casefold() for word in re.findall(r"[\w'’-]+", query) if word.strip("'’-_")]
