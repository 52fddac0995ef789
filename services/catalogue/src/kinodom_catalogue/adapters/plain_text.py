"""Text of other sites as plain text: no tags, no BBCode, no control characters."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup

LONGEST = 5000
_LONGEST_MARKUP = 200_000
_BBCODE = re.compile(
    r"\[/?(?:b|i|u|s|url|img|quote|spoiler|size|color|right|center|list|\*|hr|br|div|span|poster|video|"
    r"character|person|anime|manga|ranobe|entry|comment|topic|user|club|mention|replies)(?:[ =][^\[\]]{0,300})?\]",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")


def plain_text(markup: object) -> str | None:
    """Return the text of HTML or BBCode, at most 5000 characters; `None` when there is none."""
    if not isinstance(markup, str) or not markup.strip():
        return None
    # Inside a tag, so that a text which is only an address is not taken for one that should be fetched.
    soup = BeautifulSoup(f"<div>{markup[:_LONGEST_MARKUP].replace(chr(0), '')}</div>", "lxml")
    for tag in soup(["script", "style", "template", "noscript", "iframe", "object"]):
        tag.decompose()
    for line_break in soup.find_all(["br", "p", "div", "li"]):
        line_break.append("\n")
    text = _BBCODE.sub("", soup.get_text())
    text = "".join(char for char in text if char == "\n" or char.isprintable() or char.isspace())
    text = _LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()
    return text[:LONGEST] or None


def short_text(value: object, longest: int = 300) -> str | None:
    """Return one line of text; `None` for anything else, for nothing and for `N/A`."""
    if not isinstance(value, str):
        return None
    text = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return text[:longest] if text and text != "N/A" else None
