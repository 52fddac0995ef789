"""Films and series of OMDb, with the operator's own key. Every value is a text there, and `N/A` is nothing.

A reply is judged by its `Response` field, not by its status.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from kinodom_catalogue.adapters.pace import Pace
from kinodom_catalogue.adapters.plain_text import plain_text, short_text
from kinodom_catalogue.domain.enrichment import fits
from kinodom_catalogue.domain.ports import ProviderFacts, Wanted
from kinodom_common.contracts.titles import Kind
from kinodom_common.egress import OutsideBadAnswer, OutsideBadStatus, OutsideClient
from kinodom_common.errors import NotFound, Rejected, UpstreamFailed

LABEL = "OMDb"
_TYPES: dict[str, Kind] = {"movie": "film", "series": "series"}
_NOTHING = ("not found", "incorrect imdb id", "too many results")
_SPENT = "request limit"


class OmdbTrouble(UpstreamFailed):
    """OMDb answered, and says that something is wrong on its side or with the key."""

    code = "omdb_trouble"


class OmdbProvider:
    """OMDb's `?i=`, `?t=` and `?s=`."""

    def __init__(
        self, outside: OutsideClient, url: str, key: str, *, pace: Pace, clock: Callable[[], datetime]
    ) -> None:
        self._outside = outside
        self._url = url
        self._key = key
        self._pace = pace
        self._clock = clock

    def find(self, wanted: Wanted) -> ProviderFacts | None:
        """Return the facts by IMDb id, else by the exact name, else by the search's likeliest hits."""
        if wanted.imdb_id is not None:
            reply = self._ask({"i": wanted.imdb_id, "plot": "full"})
            return facts_of(reply) if reply is not None else None
        for name in wanted.names[:2]:
            if not name.isascii() and not re.search(r"[a-zA-Z]", name):
                continue  # OMDb knows Latin names only
            found = self._by_name(name, wanted) or self._by_search(name, wanted)
            if found is not None:
                return found
        return None

    def _by_name(self, name: str, wanted: Wanted) -> ProviderFacts | None:
        reply = self._ask({"t": name, "plot": "full", **_kind(wanted), **_year(wanted)})
        facts = facts_of(reply) if reply is not None else None
        return facts if facts is not None and fits(wanted, facts) else None

    def _by_search(self, name: str, wanted: Wanted) -> ProviderFacts | None:
        reply = self._ask({"s": name, **_kind(wanted)})
        hits = reply.get("Search") if reply is not None else None
        for hit in [hit for hit in hits if isinstance(hit, dict)][:10] if isinstance(hits, list) else []:
            facts = facts_of(hit)
            if facts is None or facts.imdb_id is None or hit.get("Type") not in _TYPES or not fits(wanted, facts):
                continue
            whole = self._ask({"i": facts.imdb_id, "plot": "full"})
            return facts_of(whole) if whole is not None else None
        return None

    def _ask(self, params: dict[str, str]) -> dict[str, Any] | None:
        """Return OMDb's object; `None` when it says that there is none."""
        self._pace.wait()
        try:
            reply = self._outside.get_json(self._url, params={"apikey": self._key, **params})
        except (NotFound, Rejected):  # Rejected: the address leads home, or in circles
            raise OmdbTrouble("OMDb: this is not its address. Check KINODOM_OMDB_URL and the name server.") from None
        except OutsideBadStatus as exc:
            if exc.facts.get("status") in (401, 403):
                raise self._until_tomorrow("OMDb refused the key, or its calls of the day are used up.") from None
            raise
        if not isinstance(reply, dict):
            raise OutsideBadAnswer(f"{urlsplit(self._url).hostname}: the answer is no object.")
        if reply.get("Response") == "True":
            return reply
        self._raise_unless_nothing(str(reply.get("Error", ""))[:200])
        return None

    def _raise_unless_nothing(self, words: str) -> None:
        if any(said in words.lower() for said in _NOTHING):
            return
        if _SPENT in words.lower() or "api key" in words.lower():
            raise self._until_tomorrow(f"OMDb says: {words}")
        raise OmdbTrouble(f"OMDb says: {words or 'nothing that can be read'}")

    def _until_tomorrow(self, detail: str) -> UpstreamFailed:
        now = self._clock()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return self._pace.pause(midnight, detail)


def facts_of(reply: dict[str, Any]) -> ProviderFacts | None:
    """Return the facts in an object of OMDb; `None` when it has no name."""
    name = short_text(reply.get("Title"))
    if name is None:
        return None
    imdb_id = short_text(reply.get("imdbID"))
    score = _score(reply.get("imdbRating"))
    return ProviderFacts(
        provider=LABEL,
        name=name,
        original_name=name,
        year=_first_year(reply.get("Year")),
        kind=_TYPES.get(str(reply.get("Type")), "unknown"),
        description=plain_text(short_text(reply.get("Plot"), 5000)),
        genres=_list(reply.get("Genre")),
        score=score,
        score_by="IMDb" if score is not None else None,
        imdb_id=imdb_id if imdb_id and re.fullmatch(r"tt\d{5,10}", imdb_id) else None,
        poster_url=short_text(reply.get("Poster"), 2000),
    )


def _kind(wanted: Wanted) -> dict[str, str]:
    return {"type": {"film": "movie", "series": "series"}[wanted.kind]} if wanted.kind != "unknown" else {}


def _year(wanted: Wanted) -> dict[str, str]:
    return {"y": str(wanted.year)} if wanted.year is not None else {}


def _first_year(value: object) -> int | None:
    """Return the first year of `2017`, `1997–2007` (en dash) or `2017–`."""
    found = re.match(r"(18[89]\d|19\d\d|20\d\d|21\d\d)(?!\d)", value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _score(value: object) -> float | None:
    found = re.fullmatch(r"\d{1,2}(?:\.\d+)?", value) if isinstance(value, str) else None
    return float(found[0]) if found and 0 < float(found[0]) <= 10 else None


def _list(value: object) -> tuple[str, ...]:
    parts = (short_text(part, 60) for part in value.split(",")) if isinstance(value, str) else ()
    return tuple(part for part in parts if part)[:12]
