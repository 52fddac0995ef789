"""What to ask Kodik for: a title, or an id as people copy it from a page of Shikimori, Kinopoisk or IMDb."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

Field = Literal["title", "title_orig", "shikimori_id", "kinopoisk_id", "imdb_id", "id", "player_link"]

PREFIXED: Final = re.compile(r"(shikimori|shiki|sh|kinopoisk|kp|imdb)\s*:\s*(\S+)", re.IGNORECASE)
FIELD_OF_PREFIX: Final[dict[str, Field]] = {
    "shikimori": "shikimori_id",
    "shiki": "shikimori_id",
    "sh": "shikimori_id",
    "kinopoisk": "kinopoisk_id",
    "kp": "kinopoisk_id",
    "imdb": "imdb_id",
}
NUMBER: Final = re.compile(r"\d{1,9}")
IMDB: Final = re.compile(r"tt\d{5,10}")
CLAIMED: Final = re.compile(r"[yz]{1,3}\d{1,9}")  # Shikimori puts letters before the id of a title under a claim
RECORD: Final = re.compile(r"(?:serial|movie)-\d{1,10}")
BY_NAME: Final = re.compile(r"(\d{4})\.(\S+)")
SHIKIMORI_PAGE: Final = re.compile(r"/animes/([a-z]{0,3}\d{1,9})(?:[-/].*)?")
KINOPOISK_PAGE: Final = re.compile(r"/(?:film|series)/(\d{1,9})(?:/.*)?")
IMDB_PAGE: Final = re.compile(r"(?:/[a-z]{2})?/title/(tt\d{5,10})(?:/.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question to the catalogue."""

    field: Field
    value: str
    year: int | None = None  # only with `title_orig`


def lookups_of(query: str, player_hosts: Collection[str]) -> tuple[Lookup, ...]:
    """Return what a search may mean, the likeliest first; empty for an address of some other site.

    A bare number may be a title (`1917`) as well as an id.
    """
    text = query.strip()
    if (page := _page(text)) is not None:
        found = _from_page(page, player_hosts)
        return (found,) if found is not None else () if "://" in text else (Lookup(field="title", value=text),)
    if (match := PREFIXED.fullmatch(text)) and (found := _id(FIELD_OF_PREFIX[match[1].lower()], match[2])) is not None:
        return (found,)
    if IMDB.fullmatch(text):
        return (Lookup(field="imdb_id", value=text),)
    if CLAIMED.fullmatch(text):
        return (Lookup(field="shikimori_id", value=str(shikimori_number(text))),)
    words = Lookup(field="title", value=text)
    if NUMBER.fullmatch(text):
        return (words, Lookup(field="shikimori_id", value=text), Lookup(field="kinopoisk_id", value=text))
    return (words,)


def lookup_of_id(external_id: str) -> Lookup | None:
    """Return the question that an external id stands for; None for one that nobody gave out."""
    scheme, _, value = external_id.partition(":")
    if scheme != "kodik":
        return _id(FIELD_OF_PREFIX[scheme], value) if scheme in ("shikimori", "kinopoisk", "imdb") else None
    if RECORD.fullmatch(value):
        return Lookup(field="id", value=value)
    if match := BY_NAME.fullmatch(value):
        return Lookup(field="title_orig", value=unquote(match[2]), year=int(match[1]))
    return None


def shikimori_number(text: str) -> int | None:
    """Return the number in `20`, `z20`, `zz20` or `z20-naruto`."""
    match = re.fullmatch(r"[a-z]*(\d{1,9})", text.partition("-")[0])
    return int(match[1]) if match else None


def _id(field: Field, value: str) -> Lookup | None:
    if field == "shikimori_id":
        number = shikimori_number(value)
        return Lookup(field=field, value=str(number)) if number is not None else None
    pattern = IMDB if field == "imdb_id" else NUMBER
    return Lookup(field=field, value=value) if pattern.fullmatch(value) else None


def _page(text: str) -> SplitResult | None:
    """Return a typed address taken apart, also one without `https://`; None when it is none."""
    if re.search(r"\s", text) or not re.match(r"https?://|[\w-]+(\.[\w-]+)+/", text, re.IGNORECASE):
        return None
    try:
        return urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return None


def _from_page(page: SplitResult, player_hosts: Collection[str]) -> Lookup | None:
    host = page.hostname or ""
    names = host.split(".")
    if ("shikimori" in names or "shiki" in names) and (match := SHIKIMORI_PAGE.fullmatch(page.path)):
        return _id("shikimori_id", match[1])
    if "kinopoisk" in names and (match := KINOPOISK_PAGE.fullmatch(page.path)):
        return Lookup(field="kinopoisk_id", value=match[1])
    if "imdb" in names and (match := IMDB_PAGE.fullmatch(page.path)):
        return Lookup(field="imdb_id", value=match[1])
    if is_among(host, player_hosts):
        return Lookup(field="player_link", value=f"//{page.netloc.rpartition('@')[2]}{page.path}")
    return None


def is_among(host: str, allowed: Collection[str]) -> bool:
    """Return whether a host is one of these, or below one of them."""
    return any(host == one or host.endswith(f".{one}") for one in allowed)
