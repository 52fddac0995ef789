"""The offers of one run in the order in which they are tried; links that ran out are asked for once more, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_common.contracts.offers import Offer

log = get_log(__name__)


class Turns:
    """Gives one offer after another. Addresses that failed are not given again."""

    def __init__(self, ask: Callable[[bool], tuple[Offer, ...]], height_px: int | None, *, fresh: bool) -> None:
        """Ask for the offers; raises what asking raises.

        Args:
            ask: returns what sources offer now; `True`: an address that was kept will not do.
            height_px: the wanted one.
            fresh: for the first question.
        """
        self._ask = ask
        self._height_px = height_px
        self._left = suited(ask(fresh), height_px)
        self._given: set[str] = set()
        self._asked_again = False

    def __iter__(self) -> Iterator[Offer]:
        """Yield the offers; `ran_out` may be called in between."""
        while self._left:
            offer = self._left.pop(0)
            self._given.add(offer.url)
            yield offer

    def ran_out(self, offer: Offer) -> bool:
        """Ask for fresh links because those of this offer ran out, the first time; return whether there are any.

        Those of its source come first: what is fetched already most likely fits them.
        """
        if self._asked_again:
            return False
        self._asked_again = True
        try:
            fresh = suited(self._ask(True), self._height_px)
        except KinodomError as exc:
            log.warning("fresh_links_not_had", source=offer.source, code=exc.code)
            return False
        new = [one for one in fresh if one.url not in self._given]
        if new:
            self._left = sorted(new, key=lambda one: _kind(one) != _kind(offer))
        return any(one.source == offer.source for one in new)


def _kind(offer: Offer) -> tuple[object, ...]:
    return offer.source, offer.delivery, offer.height_px


def suited(offers: tuple[Offer, ...], height_px: int | None) -> list[Offer]:
    """Return the offers with those of the wanted height first; a manifest with several heights suits any."""
    if height_px is None:
        return list(offers)
    return sorted(offers, key=lambda offer: abs((offer.height_px or height_px) - height_px))
