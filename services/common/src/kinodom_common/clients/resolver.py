"""Typed client of the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_common.contracts.offers import OfferList
from kinodom_common.contracts.sources import CookieNames, SourceTrial, TrialIn
from kinodom_common.contracts.titles import SearchLine, SearchReply, SourceCard, SourceList, SourceTitle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kinodom_common.contracts.offers import OfferOutcome
    from kinodom_common.contracts.sources import CookieIn, SourceChange
    from kinodom_common.http import HttpClient


class ResolverClient:
    """What others ask of the resolver."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def search(self, query: str) -> SearchReply:
        """Return what the sources know under these words or at this address, and who stayed silent."""
        return self._http.get("/search", SearchReply, params={"q": query})

    def search_lines(self, query: str) -> Iterator[SearchLine]:
        """Return what each source knows as soon as it has answered; the last line has `done`."""
        return self._http.lines("/search/stream", SearchLine, params={"q": query})

    def title(self, external_id: str) -> SourceTitle:
        """Return a title with its translations and episodes; raises NotFound, UpstreamFailed."""
        # Quoted once more: the id holds percent signs of its own, and they have to arrive.
        return self._http.get(f"/titles/{quote(external_id, safe='')}", SourceTitle)

    def offers(
        self,
        external_id: str,
        *,
        season: int | None = None,
        episode: int | None = None,
        translation_id: str,
        fresh: bool = False,
        probe: bool = False,
        also: Sequence[str] = (),
    ) -> OfferList:
        """Return addresses of one episode, the best first; empty: the source has none.

        Args:
            external_id: of the title, as the next three are of the episode.
            season: None for a film.
            episode: None for a film.
            translation_id: of the dub or version.
            fresh: the source is asked again, because an address that was kept did not work.
            probe: only an address that was tried and plays comes back, alone.
            also: ids of the same title at other sources, tried with `probe` too.
        """
        params: dict[str, object] = {"external_id": external_id, "season": season, "episode": episode}
        params |= {"translation_id": translation_id, "fresh": fresh or None, "probe": probe or None}
        return self._http.get("/offers", OfferList, params={**params, "also": " ".join(also) or None})

    def tell_outcome(self, outcome: OfferOutcome) -> None:
        """Tell what came of an offer, so that the next ones come in a better order."""
        self._http.tell("/offers/outcomes", outcome)

    def sources(self) -> SourceList:
        """Return the sources known there, switched on or off, and how they are."""
        return self._http.get("/sources", SourceList)

    def change_source(self, name: str, wanted: SourceChange) -> SourceCard:
        """Change what is set for a source; a field that is left out stays as it is."""
        return self._http.put(f"/sources/{quote(name, safe='')}", wanted, SourceCard)

    def cookie(self, name: str) -> CookieNames:
        """Return the names of a source's cookies."""
        return self._http.get(f"/sources/{quote(name, safe='')}/cookie", CookieNames)

    def set_cookie(self, name: str, cookie: CookieIn) -> CookieNames:
        """Keep cookies for a source in place of those it had."""
        return self._http.put(f"/sources/{quote(name, safe='')}/cookie", cookie, CookieNames)

    def forget_cookie(self, name: str) -> None:
        """Delete the cookies of a source."""
        self._http.delete(f"/sources/{quote(name, safe='')}/cookie")

    def try_source(self, name: str, query: str) -> SourceTrial:
        """Return what comes of asking one source just now."""
        return self._http.post(f"/sources/{quote(name, safe='')}/try", TrialIn(query=query), SourceTrial)
