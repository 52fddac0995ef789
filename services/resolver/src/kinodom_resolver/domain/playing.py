"""What played last, and what did not: kept for a day for each title, so that the next one is found at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kinodom_common.contracts.offers import Offer, OfferList, OfferOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of an offer of one kind when it was tried last."""

    at_s: float  # seconds since 1970
    played: bool


class PlayBook(Protocol):
    """Where it is kept, for all replicas. When it is away nothing is known of any title."""

    def of(self, external_id: str) -> Mapping[str, Tried]:
        """Return what is known of a title, by the marks of its offers."""

    def note(self, external_id: str, mark: str, tried: Tried) -> None:
        """Keep what came of an offer, in place of what came of it before."""


def mark_of(offer: Offer | OfferOutcome, translation_id: str) -> str:
    """Return what offers of one kind have in common, over all episodes of a title."""
    host = urlsplit(offer.url).hostname or ""
    return f"{translation_id} {offer.delivery} {offer.height_px} {host}"


def played_at_s(known: Mapping[str, Tried]) -> float:
    """Return when something of a title played last; 0: it is not known that anything did."""
    return max((one.at_s for one in known.values() if one.played), default=0.0)


def in_order(reply: OfferList, known: Mapping[str, Tried]) -> OfferList:
    """Return the offers with those that failed last behind the others, and of one height those first that played."""
    if not known:
        return reply
    heights = [offer.height_px for offer in reply.offers]

    def place(offer: Offer) -> tuple[bool, int, bool]:
        tried = known.get(mark_of(offer, reply.translation_id))
        failed, played = tried is not None and not tried.played, tried is not None and tried.played
        return failed, heights.index(offer.height_px), not played

    return reply.model_copy(update={"offers": tuple(sorted(reply.offers, key=place))})


def note(outcome: OfferOutcome, *, book: PlayBook, now_s: float) -> None:
    """Keep what somebody who fetched an offer says of it."""
    mark = mark_of(outcome, outcome.translation_id)
    book.note(outcome.external_id, mark, Tried(at_s=now_s, played=outcome.played))
