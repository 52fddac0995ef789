"""Kodik: a catalogue of voices and subtitles whose films are watched through its player. Needs the operator's token.

`source` is the whole; `typed` reads what somebody typed, `api` asks the catalogue, `records` reads its results,
`titles` groups them, `player` and `page` open a player page, `decoding` reads its links, `shikimori` finds titles for
a token that may not search.
"""

from __future__ import annotations

from kinodom_resolver.sources.kodik.source import Kodik

__all__ = ["Kodik"]
