"""Wishes over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from flask import Blueprint, Response
from pydantic import Field

from kinodom_common.contracts import Request
from kinodom_common.contracts.titles import ExternalId
from kinodom_common.contracts.wishes import (
    DiskRoom,
    ManyChanged,
    QueueStatus,
    Wish,
    WishList,
    WishMove,
    WishPart,
    WishReply,
    WishRequest,
)
from kinodom_common.logs import request_id
from kinodom_common.openapi import answer, body_of, describes, query_of
from kinodom_downloader.domain import asking, many
from kinodom_downloader.wiring import deps

if TYPE_CHECKING:
    from kinodom_downloader.domain.wishes import StoredWish

bp = Blueprint("wishes", __name__)


class WishQuery(Request):
    """Which wishes."""

    ids: Annotated[str, Field(max_length=40_000)] = ""  # separated by commas; empty: see the other fields
    external_id: ExternalId | None = None  # those of one title
    part: WishPart = "newest"
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@bp.post("/wishes")
@describes(reply=WishReply, status=202, body=WishRequest, problems=("bad_request", "store_unavailable"))
def make_wish() -> Response:
    """Store a wish; the same content asked for again is the same wish."""
    wish, created = asking.ask(body_of(WishRequest), desk=deps().desk, request_id=request_id())
    reply = WishReply(wish=asking.wire(wish), created=created)
    return answer(reply, 202, {"Location": f"/wishes/{wish.wish_id}"})


@bp.get("/wishes")
@describes(reply=WishList, query=WishQuery)
def list_wishes() -> Response:
    """List wishes by id, of a title, or a part of them."""
    found = _listed(query_of(WishQuery), deps().desk)
    return answer(WishList(wishes=tuple(asking.wire(wish) for wish in found)))


def _listed(query: WishQuery, desk: asking.Desk) -> list[StoredWish]:
    ids = [one for one in query.ids.split(",") if one]
    if ids:
        return desk.wishes.some(ids[: asking.MAX_LISTED])
    if query.external_id is not None:
        return desk.wishes.of_title(query.external_id, query.limit)
    return asking.listed(query.part, query.limit, desk=desk)


@bp.get("/disk")
@describes(reply=DiskRoom, problems=("media_folder_unusable",))
def disk() -> Response:
    """Show how full the disk of the films is."""
    return answer(asking.disk_room(desk=deps().desk))


@bp.get("/queue")
@describes(reply=QueueStatus, problems=("store_unavailable",))
def queue_status() -> Response:
    """Say how the queue stands."""
    desk = deps().desk
    return answer(asking.queue_status(wishes=desk.wishes, library=desk.library, parallel=desk.parallel))


@bp.get("/wishes/<wish_id>")
@describes(reply=Wish, problems=("no_such_wish",))
def one_wish(wish_id: str) -> Response:
    """Show one wish."""
    return answer(asking.wire(deps().desk.wishes.get(wish_id)))


@bp.post("/wishes/<wish_id>/retry")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def retry_wish(wish_id: str) -> Response:
    """Let a refused or waiting wish try again now."""
    return answer(asking.wire(asking.try_again(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/view")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def view_wish(wish_id: str) -> Response:
    """Take note that somebody watches this film just now."""
    return answer(asking.wire(asking.view(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/keep")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def keep_wish(wish_id: str) -> Response:
    """Keep a film that was only watched so far."""
    return answer(asking.wire(asking.keep(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/holes")
@describes(reply=Wish, status=202, problems=("no_such_wish", "nothing_missing"))
def keep_wish_with_holes(wish_id: str) -> Response:
    """Fetch a film without what no source has of it, and publish it with its holes."""
    return answer(asking.wire(asking.keep_with_holes(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/pause")
@describes(reply=Wish, status=202, problems=("no_such_wish", "wish_busy", "nothing_to_pause"))
def pause_wish(wish_id: str) -> Response:
    """Stop working on a wish until it is resumed; what was fetched stays."""
    return answer(asking.wire(asking.pause(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/resume")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def resume_wish(wish_id: str) -> Response:
    """Let a paused wish go on."""
    return answer(asking.wire(asking.resume(wish_id, desk=deps().desk)), 202)


@bp.post("/wishes/<wish_id>/move")
@describes(reply=Wish, status=202, body=WishMove, problems=("no_such_wish", "not_in_queue"))
def move_wish(wish_id: str) -> Response:
    """Put a wish in another place in the queue."""
    return answer(asking.wire(asking.move(wish_id, body_of(WishMove).before, desk=deps().desk)), 202)


@bp.delete("/wishes/<wish_id>")
@describes(status=204, problems=("no_such_wish", "wish_busy"))
def delete_wish(wish_id: str) -> tuple[str, int]:
    """Delete a wish with its unfinished files; one that runs is cancelled, a published film stays."""
    asking.forget(wish_id, desk=deps().desk)
    return "", 204


@bp.post("/queue/retry")
@describes(reply=ManyChanged, status=202, problems=("store_unavailable",))
def retry_all() -> Response:
    """Let every refused or waiting wish try again now."""
    return answer(ManyChanged(changed=many.do_all("retry", desk=deps().desk)), 202)


@bp.post("/queue/pause")
@describes(reply=ManyChanged, status=202, problems=("store_unavailable",))
def pause_all() -> Response:
    """Pause every wish that is not done."""
    return answer(ManyChanged(changed=many.do_all("pause", desk=deps().desk)), 202)


@bp.post("/queue/resume")
@describes(reply=ManyChanged, status=202, problems=("store_unavailable",))
def resume_all() -> Response:
    """Let every paused wish go on."""
    return answer(ManyChanged(changed=many.do_all("resume", desk=deps().desk)), 202)
