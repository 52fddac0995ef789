"""The browser's and scripts' API, version 1."""

from __future__ import annotations

from flask import Blueprint, Response

from kinodom_common.contracts.rooms import Room, RoomList
from kinodom_common.contracts.titles import SearchLine
from kinodom_common.contracts.videos import RemovedVideo, RestoredVideo
from kinodom_common.contracts.wishes import DiskRoom, Wish, WishList, WishMove
from kinodom_common.openapi import answer, body_of, describes, lines, part_of_path, query_of
from kinodom_gateway.domain import finding, wishing
from kinodom_gateway.routes import forms
from kinodom_gateway.routes.access import VIDEO_ID, film_page, link_reply
from kinodom_gateway.routes.rooms import make_room
from kinodom_gateway.viewer import viewer
from kinodom_gateway.wiring import deps

CHOICE_PROBLEMS = ("no_such_translation", "no_such_title", "bad_range", "season_needed", "too_many_at_once")

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.get("/search")
@describes(reply=forms.FoundReply, query=forms.SearchQuery, problems=("empty_query",))
def search() -> Response:
    """Find a name or an address in the house and at the sources."""
    tools, query = deps(), query_of(forms.SearchQuery)
    found = finding.search(query.q, shelf=tools.catalogue, sources=tools.resolver, wait_s=tools.settings.search_wait_s)
    silent = {part: error.detail for part, error in found.silent}
    reply = forms.FoundReply(query=found.query, home=found.home, away=found.away, silent=silent)
    return answer(reply)


@bp.get("/search/stream")
@describes(reply=SearchLine, query=forms.SearchQuery, problems=("empty_query",))
def search_stream() -> Response:
    """Tell what each source has on a line of its own, as it answers; the last line has `done`."""
    return lines(finding.away_lines(query_of(forms.SearchQuery).q, sources=deps().resolver))


@bp.get("/wishes")
@describes(reply=WishList, query=forms.WishQuery)
def list_wishes() -> Response:
    """List wishes by id, or the newest."""
    query = query_of(forms.WishQuery)
    ids = tuple(one for one in query.ids.split(",") if one)
    return answer(deps().downloader.wishes(ids, part=query.part, limit=query.limit))


@bp.post("/wishes")
@describes(reply=forms.WishesReply, status=202, body=forms.WishForm, problems=CHOICE_PROBLEMS)
def make_wishes() -> Response:
    """Ask for episodes on the disk; what is there already, or is asked for already, is not made twice."""
    tools, form = deps(), body_of(forms.WishForm)
    made = wishing.wish(form.choice(), viewer_id=viewer().viewer_id, sources=tools.resolver, queue=tools.downloader)
    return answer(forms.WishesReply.of(made), 202)


@bp.get("/wishes/<wish_id>")
@describes(reply=Wish, problems=("no_such_wish",))
def one_wish(wish_id: str) -> Response:
    """Show one wish."""
    return answer(deps().downloader.one(wish_id))


@bp.post("/wishes/<wish_id>/retry")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def retry_wish(wish_id: str) -> Response:
    """Let a stopped wish try again now."""
    return answer(deps().downloader.retry(wish_id), 202)


@bp.post("/wishes/<wish_id>/pause")
@describes(reply=Wish, status=202, problems=("no_such_wish", "wish_busy", "nothing_to_pause"))
def pause_wish(wish_id: str) -> Response:
    """Stop working on a wish until it is resumed."""
    return answer(deps().downloader.pause(wish_id), 202)


@bp.post("/wishes/<wish_id>/resume")
@describes(reply=Wish, status=202, problems=("no_such_wish",))
def resume_wish(wish_id: str) -> Response:
    """Let a paused wish go on."""
    return answer(deps().downloader.resume(wish_id), 202)


@bp.post("/wishes/<wish_id>/move")
@describes(reply=Wish, status=202, body=WishMove, problems=("no_such_wish", "not_in_queue"))
def move_wish(wish_id: str) -> Response:
    """Put a wish before another one in the queue, or behind all."""
    return answer(deps().downloader.move(wish_id, body_of(WishMove).before), 202)


@bp.get("/disk")
@describes(reply=DiskRoom, problems=("media_folder_unusable",))
def disk() -> Response:
    """Show how full the disk of the films is."""
    return answer(deps().downloader.disk())


@bp.delete("/wishes/<wish_id>")
@describes(status=204, problems=("no_such_wish", "wish_busy"))
def delete_wish(wish_id: str) -> tuple[str, int]:
    """Take a wish off the list and cancel it when it runs; a published film stays."""
    deps().downloader.forget(wish_id)
    return "", 204


@bp.delete("/videos/<video_id>")
@describes(reply=RemovedVideo, problems=("bad_request", "wish_busy"))
def delete_video(video_id: str) -> Response:
    """Take a video off the disk; it can be brought back until the instant in the answer."""
    return answer(deps().downloader.remove_video(part_of_path(VIDEO_ID, video_id)))


@bp.post("/videos/<video_id>/restore")
@describes(reply=RestoredVideo, problems=("bad_request", "not_in_trash"))
def restore_video(video_id: str) -> Response:
    """Bring a removed video back to the shelf."""
    return answer(deps().downloader.restore_video(part_of_path(VIDEO_ID, video_id)))


@bp.post("/links")
@describes(reply=forms.LinkReply, body=forms.LinkForm, problems=("no_such_video",))
def make_link() -> Response:
    """Sign a fresh link to a video for this browser."""
    _page, video, is_there = film_page(body_of(forms.LinkForm).video_id)
    return answer(link_reply(video, is_there=is_there))


@bp.get("/rooms")
@describes(reply=RoomList)
def list_rooms() -> Response:
    """List the rooms that are open."""
    return answer(deps().sync.rooms())


@bp.post("/rooms")
@describes(reply=Room, status=201, body=forms.RoomForm, problems=("no_such_video",))
def create_room() -> Response:
    """Make a room around a video."""
    return answer(make_room(body_of(forms.RoomForm)), 201)


@bp.post("/demo")
@describes(reply=forms.DemoReply, status=202, problems=("no_demo",))
def make_demo() -> Response:
    """Ask for the demo films, through the whole real path."""
    tools = deps()
    made = wishing.make_demo(viewer_id=viewer().viewer_id, sources=tools.resolver, queue=tools.downloader)
    return answer(forms.DemoReply(wishes=tuple(one.wish.wish_id for one in made if one.wish)), 202)


@bp.get("/me")
@describes(reply=forms.MeReply)
def me() -> Response:
    """Say who this browser is, with a token for the socket."""
    seen = viewer()
    token = deps().gate.member_token(seen, seen.name)
    return answer(forms.MeReply(viewer_id=seen.viewer_id, name=seen.name, member_token=token))
