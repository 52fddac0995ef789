"""Shown texts, as clean WebVTT: what every reader of subtitles makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": "\N{NO-BREAK SPACE}", "&quot;": '"'}
_ENTITY: Final = re.compile("|".join(_ENTITIES))
_TAG: Final = re.compile(r"<(/?)([a-zA-Z]{1,10})[^<>]{0,200}>")
_BRACES: Final = re.compile(r"\{\\[^{}]{0,200}\}")  # ASS commands that SRT files carry
_KEPT_TAGS: Final = frozenset({"i", "b", "u"})


@dataclass(frozen=True, slots=True)
class Cue:
    """One shown text, as clean WebVTT."""

    start_ms: int
    end_ms: int
    text: str


def clean(row: str) -> str:
    """Return one row with nothing but text and paired-looking i, b, u tags; the rest is escaped or dropped."""
    row = _BRACES.sub("", printable(row))
    out, last = [], 0
    for tag in _TAG.finditer(row):
        out.append(_unescaped_once(row[last : tag.start()]))
        if tag[2].lower() in _KEPT_TAGS:
            out.append(f"<{tag[1]}{tag[2].lower()}>")
        last = tag.end()
    out.append(_unescaped_once(row[last:]))
    return "".join(out).strip()


def clean_rows(text: str) -> str:
    """Return the rows of a text, each clean; empty ones are dropped."""
    return "\n".join(filter(None, map(clean, text.split("\n"))))


def printable(text: str) -> str:
    """Return a text without signs that do something."""
    return "".join(sign for sign in text if sign.isprintable() or sign == "\t")


def escaped(text: str) -> str:
    """Return plain text so that no reader of WebVTT finds a tag in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped_once(text: str) -> str:
    return escaped(_ENTITY.sub(lambda seen: _ENTITIES[seen[0]], text))
