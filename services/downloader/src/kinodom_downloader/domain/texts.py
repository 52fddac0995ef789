"""Foreign text made fit for one line."""

from __future__ import annotations


def one_line(text: str, most: int = 1000) -> str:
    """Return the text on one line, without control characters, cut after this many characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:most]
