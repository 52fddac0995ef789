"""Anime of Shikimori: GraphQL by id or by name, and the old REST card when GraphQL does not work.

The site moves between domains: a base address and mirrors are settings, and an answer from any other host is thrown
away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from kinodom_catalogue.adapters.pace import Limit, Pace
from kinodom_catalogue.adapters.plain_text import plain_text, short_text
from kinodom_catalogue.domain.enrichment import fits
from kinodom_catalogue.domain.ports import ProviderFacts, Wanted
from kinodom_common.contracts.titles import Kind
from kinodom_common.egress import (
    OutsideBadAnswer,
    OutsideClient,
    OutsideNotFound,
    OutsideUnreachable,
)
from kinodom_common.errors import KinodomError, Rejected, UpstreamFailed
from kinodom_common.logs import get_log

log = get_log(__name__)

LABEL = "Shikimori"
LIMITS = (Limit(calls=5, seconds=1.0), Limit(calls=90, seconds=60.0))  # per address, from its own documentation
_SERIAL = frozenset({"tv", "ona", "ova", "tv_special", "special"})
_FIELDS = (
    "id name russian english synonyms licenseNameRu kind score episodes airedOn { year } "
    "poster { originalUrl mainUrl } genres { russian name } description"
)
_PAUSE_AFTER_429 = timedelta(minutes=1)


class ShikimoriTrouble(UpstreamFailed):
    """Shikimori answered, and not with what was asked for."""

    code = "shikimori_trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outsides:
    """The two ways out: reading may follow redirects (their end is checked), posting may not."""

    reading: OutsideClient
    posting: OutsideClient


class ShikimoriProvider:
    """The provider of facts about anime."""

    def __init__(self, outsides: Outsides, urls: Sequence[str], *, pace: Pace, clock: Callable[[], datetime]) -> None:
        self._outsides = outsides
        self._bases = tuple(dict.fromkeys(url.rstrip("/") for url in urls))
        self._hosts = {urlsplit(url).netloc.lower() for url in self._bases}
        self._pace = pace
        self._clock = clock

    def find(self, wanted: Wanted) -> ProviderFacts | None:
        """Return the facts by id, else by the first name that finds a fitting one."""
        if wanted.shikimori_id is not None:
            return self._by_id(wanted.shikimori_id)
        for name in wanted.names[:3]:
            for card in self._cards("search: $search, limit: 8", "$search: String!", {"search": name}):
                facts = facts_of(card, self._bases[0])
                if facts is not None and fits(wanted, facts):
                    return facts
        return None

    def _by_id(self, shikimori_id: int) -> ProviderFacts | None:
        try:
            cards = self._cards("ids: $ids, limit: 1", "$ids: String!", {"ids": str(shikimori_id)})
        except (OutsideBadAnswer, ShikimoriTrouble) as exc:
            log.warning("graphql_failed", provider=LABEL, code=exc.code, detail=exc.detail)
            cards = []
        # GraphQL leaves out what is under a claim or for adults; the REST card of the same id may be there.
        facts = facts_of(cards[0], self._bases[0]) if cards else None
        return facts or self._rest_card(shikimori_id)

    def _cards(self, arguments: str, types: str, variables: dict[str, str]) -> list[dict[str, Any]]:
        body = {"query": f"query({types}) {{ animes({arguments}) {{ {_FIELDS} }} }}", "variables": variables}
        try:
            reply = self._asked(lambda base: self._outsides.posting.post_json(f"{base}/api/graphql", body))
        except OutsideNotFound as exc:
            raise ShikimoriTrouble("Shikimori: there is no GraphQL at this address.") from exc
        if not isinstance(reply, dict) or reply.get("errors") or not isinstance(reply.get("data"), dict):
            raise ShikimoriTrouble("Shikimori: GraphQL answered with errors.")
        cards = reply["data"].get("animes")
        return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []

    def _rest_card(self, shikimori_id: int) -> ProviderFacts | None:
        def read(base: str) -> object:
            reply = self._outsides.reading.get(
                f"{base}/api/animes/{shikimori_id}", headers={"Accept": "application/json"}
            )
            if urlsplit(reply.url).netloc.lower() not in self._hosts:
                raise OutsideUnreachable("Shikimori has moved to a host that is not on the list of mirrors.")
            return reply.json()

        try:
            card = self._asked(read)
        except OutsideNotFound:
            return None
        return facts_of(card, self._bases[0]) if isinstance(card, dict) else None

    def _asked(self, call: Callable[[str], object]) -> Any:
        """Return the first host's answer; a host that cannot be reached, or has moved, gives way to the next."""
        last: KinodomError = ShikimoriTrouble("Shikimori: no address is set.")
        for base in self._bases:
            self._pace.wait()
            try:
                return call(base)
            except (UpstreamFailed, Rejected) as exc:  # Rejected: it leads home, or to another site
                if exc.facts.get("status") == 429:
                    raise self._pace.pause(self._clock() + _PAUSE_AFTER_429, "Shikimori: too many calls.") from exc
                last = exc
        if isinstance(last, UpstreamFailed):
            raise last
        raise ShikimoriTrouble(last.detail) from last


def facts_of(card: dict[str, Any], base: str) -> ProviderFacts | None:
    """Return the facts in a GraphQL or REST card; `None` when it has no name."""
    name = short_text(card.get("name"))
    russian = short_text(card.get("russian"))
    if name is None and russian is None:
        return None
    score = _score(card.get("score"))
    others = [card.get("licenseNameRu"), card.get("license_name_ru"), *_texts(card.get("english"))]
    others += _texts(card.get("synonyms"))
    return ProviderFacts(
        provider=LABEL,
        name=russian or name or "",
        original_name=name,
        other_names=tuple(dict.fromkeys(text for other in others if (text := short_text(other))))[:12],
        year=_year(card),
        kind=_kind(card),
        description=plain_text(card.get("description")) or plain_text(card.get("description_html")),
        genres=_genres(card.get("genres")),
        score=score,
        score_by=LABEL if score is not None else None,
        shikimori_id=plain_id(card.get("id")),
        poster_url=_poster(card, base),
    )


def plain_id(value: object) -> int | None:
    """Return the number in `20`, `"20"`, `z20` or `/animes/z20-naruto`; titles under a claim get letters in front."""
    found = re.fullmatch(r"[a-z]*(\d{1,9})", str(value).rsplit("/", 1)[-1].partition("-")[0])
    return int(found[1]) if found else None


def _texts(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _score(value: object) -> float | None:
    """Return the score; a number in GraphQL, a text in REST, 0 when nobody has voted."""
    try:
        score = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return None
    return score if 0 < score <= 10 else None


def _year(card: dict[str, Any]) -> int | None:
    aired = card.get("airedOn")
    if isinstance(aired, dict):
        year = aired.get("year")
        return year if isinstance(year, int) and 1880 <= year <= 2200 else None
    found = re.match(r"(\d{4})-", str(card.get("aired_on")))
    return int(found[1]) if found and 1880 <= int(found[1]) <= 2200 else None


def _kind(card: dict[str, Any]) -> Kind:
    kind = card.get("kind")
    if kind == "movie":
        return "film"
    return "series" if kind in _SERIAL and card.get("episodes") != 1 else "unknown"


def _genres(value: object) -> tuple[str, ...]:
    entries = [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
    names = (short_text(entry.get("russian"), 60) or short_text(entry.get("name"), 60) for entry in entries)
    return tuple(name for name in names if name)[:12]


def _poster(card: dict[str, Any], base: str) -> str | None:
    poster, image = card.get("poster"), card.get("image")
    if isinstance(poster, dict):
        return short_text(poster.get("originalUrl"), 2000) or short_text(poster.get("mainUrl"), 2000)
    path = short_text(image.get("original"), 2000) if isinstance(image, dict) else None
    return urljoin(f"{base}/", path) if path and "missing_" not in path else None
