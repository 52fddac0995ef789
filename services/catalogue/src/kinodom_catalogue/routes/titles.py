"""Titles: the shelf, the search, one title's page."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from kinodom_catalogue.domain import shelves, videos
from kinodom_catalogue.wiring import deps
from kinodom_common.contracts import Request
from kinodom_common.contracts.videos import TitleList, TitlePage
from kinodom_common.openapi import answer, describes, query_of

bp = Blueprint("titles", __name__)


class TitlesQuery(Request):
    """Which titles: those that fit `q`, or all, the newest first; from behind the title `after`."""

    q: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 48
    after: Annotated[str, Field(max_length=64)] | None = None


@bp.get("/titles")
@describes(reply=TitleList, query=TitlesQuery, problems=("bad_request", "list_changed", "store_unavailable"))
def list_titles() -> Response:
    """List titles: the best match first, or without a question the newest."""
    here, query = deps(), query_of(TitlesQuery)
    found = shelves.list_titles(query.q, limit=query.limit, after=query.after, shelf=here.shelf, index=here.index)
    return answer(found)


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
