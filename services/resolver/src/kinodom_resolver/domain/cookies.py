"""Cookies as an operator has them at hand: a line of text, a browser's cookie file, or an extension's JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from kinodom_common.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e \",]{0,4096}")  # no line breaks, no semicolon
DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?")
MOST: Final = 200


class CookieNotRead(Rejected):
    """What was given is no cookie in any of the three forms."""

    code = "cookie_not_read"
    title = "That is no cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie of one site."""

    name: str
    value: str
    domain: str  # it goes there and below
    path: str = "/"
    secure: bool = False
    ends_s: float | None = None  # seconds since 1970; None: it has no end of its own


def parse_cookies(text: str, *, domain: str | None) -> tuple[Cookie, ...]:
    """Return the cookies in a text.

    Args:
        text: `a=1; b=2`, a Netscape cookie file, or a list of objects as browsers' extensions export it.
        domain: whom cookies in plain text are for; the other two forms name it themselves.

    Raises:
        CookieNotRead: there is none in it, or nobody said whom it is for.
    """
    text = text.strip()
    if text.startswith(("[", "{")):
        found = _from_json(text)
    elif "\t" in text:
        found = _from_file(text)
    else:
        found = _from_line(text, domain)
    good = tuple(one for one in found if _is_sound(one))[:MOST]
    if not good:
        raise CookieNotRead(
            "There is no cookie in it. Paste `name=value; name=value`, a cookies.txt, or a browser's export in JSON."
        )
    return good


def header_for(cookies: Sequence[Cookie], url: str, *, now_s: float) -> str | None:
    """Return the Cookie header for an address (RFC 6265, section 5.4); None: none of them goes there."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    going = [
        f"{one.name}={one.value}"
        for one in cookies
        if host == one.domain or host.endswith(f".{one.domain}")
        if _is_below(parts.path or "/", one.path)
        if not one.secure or parts.scheme == "https"
        if one.ends_s is None or one.ends_s > now_s
    ]
    return "; ".join(going) or None


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top if top.endswith("/") else f"{top}/")


def _from_line(text: str, domain: str | None) -> Iterable[Cookie]:
    if not domain:
        raise CookieNotRead("Say in `domain` whom this cookie is for, such as films.example; it goes nowhere else.")
    text = text.removeprefix("Cookie:").strip()
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return [Cookie(name=name, value=value, domain=_plain(domain)) for name, sign, value in pairs if sign]


def _from_file(text: str) -> Iterable[Cookie]:
    found = []
    for line in text.splitlines():
        fields = line.removeprefix("#HttpOnly_").split("\t")
        if len(fields) == 7 and not fields[0].startswith("#"):
            domain, _, path, secure, ends, name, value = fields
            ends_s = float(ends) if ends.isascii() and ends.isdigit() and len(ends) < 16 and ends != "0" else None
            found.append(
                Cookie(name=name, value=value, domain=_plain(domain), path=path, secure=secure == "TRUE", ends_s=ends_s)
            )
    return found


def _from_json(text: str) -> Iterable[Cookie]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return []
    rows = content.get("cookies") if isinstance(content, dict) else content
    return [
        Cookie(
            name=str(row.get("name")),
            value=str(row.get("value")),
            domain=_plain(str(row.get("domain"))),
            path=str(row.get("path") or "/"),
            secure=row.get("secure") is True,
            ends_s=ends if isinstance(ends := row.get("expirationDate") or row.get("expires"), int | float) else None,
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


def _plain(domain: str) -> str:
    return domain.strip().lower().lstrip(".")


def _is_sound(one: Cookie) -> bool:
    return bool(
        NAME.fullmatch(one.name)
        and VALUE.fullmatch(one.value)
        and DOMAIN.fullmatch(one.domain)
        and "." in one.domain.strip(".")
        and one.path.startswith("/")
        and one.path.isprintable()
        and (one.ends_s is None or one.ends_s > 0)
    )
