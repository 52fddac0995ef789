"""Fresh addresses from the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinodom_common.clients.resolver import ResolverClient
    from kinodom_common.contracts.offers import OfferList
    from kinodom_common.contracts.wishes import WishRequest


class ResolverOffers:
    """The port `Resolver` over the resolver's typed client."""

    def __init__(self, client: ResolverClient) -> None:
        self._client = client

    def offers(self, request: WishRequest) -> OfferList:
        """Return what sources offer now; an address that was kept may be the one that just died."""
        return self._client.offers(
            request.external_id,
            season=request.season,
            episode=request.episode,
            translation_id=request.translation_id,
            fresh=True,
        )
