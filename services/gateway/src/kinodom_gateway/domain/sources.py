"""Rules of the sources page: one step up or down in the order of asking, on and off, which cookies there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kinodom_common.contracts.sources import CookieNames, SourceChange, SourceTrial
from kinodom_common.contracts.titles import SourceCard, SourceList
from kinodom_common.errors import KinodomError, NotFound, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.sources import CookieIn

HEAVIEST = 1000
STEP = 10  # between the weights of neighbours when all are set anew


class NoCookieGiven(Rejected):
    """The form was sent with neither text nor a file."""

    code = "cookie_not_given"
    title = "No cookie was given"


class NoSuchSource(NotFound):
    """The list has no source of this name, or it is off and has no place in the order."""

    code = "unknown_source"


class Sources(Protocol):
    """The resolver, as far as this page needs it."""

    def sources(self) -> SourceList:
        """Return the sources known there, the heaviest first."""

    def change_source(self, name: str, wanted: SourceChange) -> SourceCard:
        """Change what is set for a source."""

    def cookie(self, name: str) -> CookieNames:
        """Return the names of a source's cookies."""

    def set_cookie(self, name: str, cookie: CookieIn) -> CookieNames:
        """Keep cookies for a source in place of those it had."""

    def forget_cookie(self, name: str) -> None:
        """Delete the cookies of a source."""

    def try_source(self, name: str, query: str) -> SourceTrial:
        """Return what comes of asking one source just now."""


def move(name: str, *, earlier: bool, sources: Sources) -> None:
    """Ask a source one place earlier or later; at the end of the list nothing changes.

    Raises:
        NoSuchSource: it has no place in the order.
    """
    for changed, weight in weights_after(sources.sources().sources, name, earlier=earlier).items():
        sources.change_source(changed, SourceChange(weight=weight))


def weights_after(cards: Sequence[SourceCard], name: str, *, earlier: bool) -> Mapping[str, int]:
    """Return the weights that must change so that a source swaps places with its neighbour; weight 0 has no place.

    Raises:
        NoSuchSource: it has no place in the order.
    """
    order = [one for one in cards if one.weight > 0]
    here = next((number for number, one in enumerate(order) if one.name == name), None)
    if here is None:
        raise NoSuchSource("This source is off or gone, so it has no place in the order. Load the page again.")
    there = here - 1 if earlier else here + 1
    if not 0 <= there < len(order):
        return {}
    one, other = order[here], order[there]
    if one.weight != other.weight:
        return {one.name: other.weight, other.name: one.weight}
    order[here], order[there] = other, one
    step = min(STEP, HEAVIEST // len(order))
    wanted = {card.name: step * (len(order) - number) for number, card in enumerate(order)}
    return {card.name: wanted[card.name] for card in order if card.weight != wanted[card.name]}


def switch(name: str, *, on: bool, sources: Sources) -> None:
    """Switch a source on or off. One whose weight was 0 gets its own weight back: it would stay off with 0."""
    card = next((one for one in sources.sources().sources if one.name == name), None)
    weightless = on and card is not None and card.weight == 0
    sources.change_source(name, SourceChange(enabled=on, weight=None) if weightless else SourceChange(enabled=on))


def cookie_names(cards: Sequence[SourceCard], *, sources: Sources) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the cookies of each source that has some; left out when they cannot be had now."""
    found: dict[str, tuple[str, ...]] = {}
    for card in cards:
        if card.cookies:
            try:
                found[card.name] = sources.cookie(card.name).names
            except KinodomError:
                continue
    return found


def cookie_text(pasted: str, filed: bytes) -> str:
    """Return the cookie that was given, a file before what was pasted; raises NoCookieGiven."""
    text = filed.decode("utf-8", errors="replace") if filed.strip() else pasted
    if not text.strip():
        raise NoCookieGiven("Paste the cookie, or choose the file that your browser wrote.")
    return text
