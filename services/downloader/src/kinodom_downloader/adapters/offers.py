"""Fresh addresses from the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.contracts.offers import OfferOutcome
from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from kinodom_common.clients.resolver import ResolverClient
    from kinodom_common.contracts.offers import Offer, OfferList
    from kinodom_common.contracts.wishes import WishRequest

log = get_log(__name__)


class ResolverOffers:
    """The port `Resolver` over the resolver's typed client."""

    def __init__(self, client: ResolverClient) -> None:
        self._client = client

    def offers(self, request: WishRequest, *, fresh: bool) -> OfferList:
        """Return what sources offer now. An address that was kept will do for somebody who waits, the first time."""
        return self._client.offers(
            request.external_id,
            season=request.season,
            episode=request.episode,
            translation_id=request.translation_id,
            fresh=fresh,
        )

    def tell(self, request: WishRequest, offer: Offer, *, played: bool) -> None:
        """Tell the resolver what came of an offer; its order is worth no failure of ours."""
        outcome = OfferOutcome(
            external_id=request.external_id, translation_id=request.translation_id,
            url=offer.url, delivery=offer.delivery, height_px=offer.height_px, played=played,
        )  # fmt: skip
        try:
            self._client.tell_outcome(outcome)
        except KinodomError as exc:
            log.info("outcome_not_told", source=offer.source, code=exc.code)
