"""Titles: the shelf, the search, one title's page."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from kinodom_catalogue.domain import shelves, videos
from kinodom_catalogue.domain.ports import Which
from kinodom_catalogue.wiring import deps
from kinodom_common.contracts import Request
from kinodom_common.contracts.titles import Kind
from kinodom_common.contracts.videos import Title, TitleIn, TitleList, TitleOrder, TitlePage, TitleReply
from kinodom_common.openapi import answer, body_of, describes, query_of

bp = Blueprint("titles", __name__)


class TitlesQuery(Request):
    """Which titles: those that fit `q`, or all; in which order, from behind the title `after`."""

    q: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 48
    after: Annotated[str, Field(max_length=64)] | None = None
    sort: TitleOrder | None = None  # None: the best match first, without `q` the newest
    on_disk: bool | None = None
    kind: Kind | None = None

    def which(self) -> Which:
        """Return the titles that are asked for."""
        return Which(order=self.sort, on_disk=self.on_disk, kind=self.kind)


@bp.get("/titles")
@describes(reply=TitleList, query=TitlesQuery, problems=("bad_request", "list_changed", "store_unavailable"))
def list_titles() -> Response:
    """List titles: the best match first, or without a question the newest, or as asked."""
    here, query = deps(), query_of(TitlesQuery)
    found = shelves.list_titles(
        query.q, which=query.which(), limit=query.limit, after=query.after, shelf=here.shelf, index=here.index
    )
    return answer(found)


@bp.post("/titles")
@describes(reply=TitleReply, status=201, body=TitleIn, problems=("bad_request", "store_unavailable"))
def add_title() -> Response:
    """Put a title on the shelf, to stay without a video; 200 when it is there already."""
    here, card = deps(), body_of(TitleIn).card
    title, created = videos.add_title(card, shelf=here.shelf, hints=here.hints, now=here.clock())
    return answer(TitleReply(title=title, created=created), 201 if created else 200)


@bp.put("/titles/<title_id>")
@describes(reply=Title, body=TitleIn, problems=("no_such_title", "store_unavailable"))
def refresh_title(title_id: str) -> Response:
    """Take over what the title's source says now, and ask for its facts anew."""
    here, card = deps(), body_of(TitleIn).card
    return answer(videos.refresh_title(title_id, card, shelf=here.shelf, hints=here.hints, now=here.clock()))


@bp.delete("/titles/<title_id>")
@describes(status=204, problems=("no_such_title", "title_has_videos", "store_unavailable"))
def delete_title(title_id: str) -> Response:
    """Take a title without videos off the shelf."""
    videos.delete_title(title_id, shelf=deps().shelf)
    return Response(status=204)


@bp.get("/titles/<title_id>")
@describes(reply=TitlePage, problems=("no_such_title", "store_unavailable"))
def get_title(title_id: str) -> Response:
    """Give a title with its videos."""
    return answer(videos.title_page(title_id, shelf=deps().shelf))


@bp.get("/titles/by-external/<path:external_id>")
@describes(reply=TitlePage, problems=("no_such_title", "store_unavailable"))
def get_title_by_external(external_id: str) -> Response:
    """Give the title that a source calls by this id."""
    return answer(videos.title_page_by_alias(external_id, shelf=deps().shelf))
