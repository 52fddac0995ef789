"""Typed client of the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_common.contracts.offers import OfferList
from kinodom_common.contracts.titles import SearchReply, SourceList, SourceTitle

if TYPE_CHECKING:
    from kinodom_common.http import HttpClient


class ResolverClient:
    """What others ask of the resolver."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def search(self, query: str) -> SearchReply:
        """Return what the sources know under these words or at this address, and who stayed silent."""
        return self._http.get("/search", SearchReply, params={"q": query})

    def title(self, external_id: str) -> SourceTitle:
        """Return a title with its translations and episodes; raises NotFound, UpstreamFailed."""
        # Quoted once more: the id holds percent signs of its own, and they have to arrive.
        return self._http.get(f"/titles/{quote(external_id, safe='')}", SourceTitle)

    def offers(
        self, external_id: str, *, season: int | None = None, episode: int | None = None, translation_id: str
    ) -> OfferList:
        """Return fresh addresses of one episode, the best first; empty: the source has none."""
        params = {"external_id": external_id, "season": season, "episode": episode, "translation_id": translation_id}
        return self._http.get("/offers", OfferList, params=params)

    def sources(self) -> SourceList:
        """Return the sources known there, switched on or off."""
        return self._http.get("/sources", SourceList)
