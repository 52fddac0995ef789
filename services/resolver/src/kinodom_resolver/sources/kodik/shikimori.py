"""Titles of Shikimori by name, for a Kodik token that may open titles but not search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from pydantic import ValidationError

from kinodom_common.contracts.titles import TitleHit
from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.adapters.parsing import plain_text_apart
from kinodom_resolver.sources.kodik.typed import shikimori_number
from kinodom_resolver.sources.reading import count_of, mapping_of, mappings_of, text_of, year_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_resolver.domain.ports import Outside

log = get_log(__name__)

FIELDS: Final = (
    "id name russian kind episodes airedOn { year } poster { originalUrl mainUrl } genres { russian name } description"
)
MARKS: Final = re.compile(r"\[/?[a-z_]{1,20}(?:=[^\]]{0,200})?\]")  # of its BBCode


class ShikimoriTrouble(UpstreamFailed):
    """Shikimori did not answer, or not with what was asked for."""

    code = "shikimori_trouble"


class ShikimoriTitles:
    """Asks for names and single titles by GraphQL. A redirect to a host that was not asked is not followed."""

    def __init__(self, base_urls: Sequence[str], outside: Outside) -> None:
        self._bases = tuple(dict.fromkeys(url.rstrip("/") for url in base_urls))
        self._outside = outside

    def search(self, source: str, name: str) -> list[TitleHit]:
        """Return titles that go by a name, with ids `shikimori:<number>`."""
        cards = self._cards("search", name, limit=15)
        return [hit for card in cards if (hit := _hit(source, card)) is not None]

    def by_id(self, source: str, number: str) -> TitleHit | None:
        """Return one title; None when Shikimori does not tell of it."""
        return next((hit for card in self._cards("ids", number, limit=1) if (hit := _hit(source, card))), None)

    def _cards(self, by: Literal["search", "ids"], value: str, *, limit: int) -> list[Mapping[str, object]]:
        question = f"query(${by}: String!) {{ animes({by}: ${by}, limit: {limit}) {{ {FIELDS} }} }}"
        reply = self._asked({"query": question, "variables": {by: value}})
        cards = mapping_of(mapping_of(reply).get("data")).get("animes")
        if mapping_of(reply).get("errors") or not isinstance(cards, list):
            raise ShikimoriTrouble("Shikimori answered with errors instead of titles.")
        return mappings_of(cards)

    def _asked(self, body: object) -> object:
        failure: KinodomError | None = None
        for base in self._bases:
            try:
                return self._outside.post_json(f"{base}/api/graphql", body, follows=False)
            except KinodomError as exc:
                failure = exc
                if exc.facts.get("status") == 429:
                    raise ShikimoriTrouble("Shikimori has had too many questions. Try again in a minute.") from exc
                log.info("shikimori_gave_no_answer", base=base, code=exc.code)
        raise ShikimoriTrouble("Shikimori does not answer at any of its addresses. Try again later.") from failure


def _hit(source: str, card: Mapping[str, object]) -> TitleHit | None:
    number = shikimori_number(text_of(card.get("id")) or "")
    name, russian = text_of(card.get("name"), longest=300), text_of(card.get("russian"), longest=300)
    poster, kind = mapping_of(card.get("poster")), text_of(card.get("kind"))
    if number is None or (russian or name) is None:
        return None
    genres = (text_of(one.get("russian")) or text_of(one.get("name")) for one in mappings_of(card.get("genres")))
    try:
        return TitleHit(
            external_id=f"shikimori:{number}",
            source=source,
            name=russian or name or "",
            original_name=name,
            year=year_of(mapping_of(card.get("airedOn")).get("year")),
            kind="film" if kind == "movie" else "series" if kind is not None else "unknown",
            description=plain_text_apart(MARKS.sub("", text_of(card.get("description")) or ""), longest=5000),
            poster_url=text_of(poster.get("originalUrl"), longest=2000) or text_of(poster.get("mainUrl"), longest=2000),
            genres=tuple(genre.lower()[:60] for genre in genres if genre)[:24],
            shikimori_id=number,
            episodes=count_of(card.get("episodes")) if kind != "movie" else None,
        )
    except ValidationError:
        return None
