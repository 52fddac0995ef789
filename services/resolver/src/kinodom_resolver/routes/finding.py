"""Search, titles, offers, sources."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from flask import Blueprint
from pydantic import Field

from kinodom_common.contracts import Request
from kinodom_common.contracts.offers import OfferList, OfferOutcome
from kinodom_common.contracts.titles import ExternalId, SearchLine, SearchReply, SourceTitle
from kinodom_common.openapi import answer, body_of, describes, form_of, lines, query_of
from kinodom_resolver.domain import finding, playing, probing
from kinodom_resolver.domain.probing import Episode
from kinodom_resolver.wiring import deps

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("finding", __name__)


class SearchQuery(Request):
    """`?q=`: words of a title, or an address."""

    q: Annotated[str, Field(max_length=2000)]


class TitleQuery(Request):
    """The id of a title at its source."""

    external_id: ExternalId


class OffersQuery(TitleQuery):
    """One episode in one translation. A film has neither season nor episode."""

    season: Annotated[int, Field(ge=0)] | None = None
    episode: Annotated[int, Field(ge=0)] | None = None
    translation_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    fresh: bool = False  # the source is asked again, because an address that was kept did not work
    probe: bool = False  # only an address that was tried and plays is given
    also: Annotated[str, Field(max_length=20_000)] = ""  # ids of the same title elsewhere, for `probe`; spaces between

    def wanted(self) -> Episode:
        """Return what is to be found."""
        others = tuple(form_of(TitleQuery, {"external_id": one}).external_id for one in self.also.split()[:10])
        return Episode(
            external_ids=(self.external_id, *others),
            season=self.season,
            episode=self.episode,
            translation_id=self.translation_id,
        )


@bp.get("/search")
@describes(reply=SearchReply, query=SearchQuery, problems=("empty_query", "bad_request"))
def search() -> Response:
    """Ask all sources at once."""
    here = deps()
    query = query_of(SearchQuery).q
    return answer(finding.search(query, listed=here.shown(), wall=here.wall, deadline_s=here.search_deadline_s))


@bp.get("/search/stream")
@describes(reply=SearchLine, query=SearchQuery, problems=("empty_query", "bad_request"))
def search_stream() -> Response:
    """Ask all sources at once, and tell each answer on a line of its own as it comes."""
    here = deps()
    query = query_of(SearchQuery).q
    found = finding.search_lines(query, listed=here.shown(), wall=here.wall, deadline_s=here.search_deadline_s)
    return lines(found)


@bp.get("/titles/<path:external_id>")
@describes(reply=SourceTitle, problems=("no_such_source", "no_such_title", "source_silent", "source_broke"))
def title(external_id: str) -> Response:
    """Open a title at its source."""
    here = deps()
    asked = form_of(TitleQuery, {"external_id": external_id}).external_id
    return answer(finding.title(asked, listed=here.shown(), wall=here.wall, deadline_s=here.open_deadline_s))


@bp.get("/offers")
@describes(
    reply=OfferList, query=OffersQuery, problems=("no_such_source", "no_such_title", "source_silent", "no_offer_plays")
)
def offers() -> Response:
    """Get addresses of one episode, or with `probe` one that plays."""
    here, q = deps(), query_of(OffersQuery)
    if q.probe:
        return answer(probing.playing(q.wanted(), here.probing()))
    asked = (q.external_id, q.season, q.episode, q.translation_id)
    sources, wait_s = here.shown(), here.open_deadline_s
    reply = finding.offers(*asked, listed=sources, wall=here.wall, deadline_s=wait_s, fresh=q.fresh)
    return answer(playing.in_order(reply, here.plays.of(q.external_id)))


@bp.post("/offers/outcomes")
@describes(status=204, body=OfferOutcome, problems=("bad_request",))
def tell_outcome() -> tuple[str, int]:
    """Hear what came of an offer; those that played come first from now on."""
    here = deps()
    playing.note(body_of(OfferOutcome), book=here.plays, now_s=time.time())
    return "", 204
