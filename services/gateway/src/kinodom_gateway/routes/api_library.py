"""The shelf, the downloads and the queue for scripts, version 1: each call with one clear answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from kinodom_common.contracts.videos import RenditionJob, RenditionList, Title, TitleList, TitlePage, Video, VideoList
from kinodom_common.contracts.wishes import ManyChanged, QueueStatus
from kinodom_common.openapi import answer, body_of, describes, part_of_path, query_of
from kinodom_gateway.domain import downloading, shelving
from kinodom_gateway.routes import forms, library_forms
from kinodom_gateway.routes.access import VIDEO_ID, video_page
from kinodom_gateway.viewer import viewer
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from kinodom_gateway.domain.wishing import Choice

bp = Blueprint("api_library", __name__, url_prefix="/api/v1")
ADD_PROBLEMS = ("title_there", "no_such_title", "unknown_source", "not_an_address", "upstream_failed")


@bp.get("/titles")
@describes(reply=TitleList, query=library_forms.TitlesQuery, problems=("list_changed",))
def list_titles() -> Response:
    """List the titles of the house: searched, sifted and sorted as asked, the newest first otherwise."""
    query = query_of(library_forms.TitlesQuery)
    return answer(deps().catalogue.titles(**query.model_dump()))


@bp.post("/titles")
@describes(reply=Title, status=201, body=library_forms.TitleForm, problems=ADD_PROBLEMS)
def add_title() -> Response:
    """Put a title on the shelf by its id or its page's address; nothing is downloaded."""
    tools, form = deps(), body_of(library_forms.TitleForm)
    title = shelving.add(form.address, form.source, shelf=tools.catalogue, sources=tools.resolver)
    return answer(title, 201, {"Location": f"/api/v1/titles/{title.title_id}"})


@bp.post("/titles/batch")
@describes(reply=library_forms.BatchReply, body=library_forms.BatchForm)
def change_titles() -> Response:
    """Add, refresh and delete many titles; the answer tells what came of each."""
    tools, form = deps(), body_of(library_forms.BatchForm)
    done = shelving.batch(form.acts(), shelf=tools.catalogue, sources=tools.resolver, disk=tools.downloader)
    return answer(library_forms.BatchReply.of(done))


@bp.get("/titles/<title_id>")
@describes(reply=TitlePage, problems=("no_such_title",))
def one_title(title_id: str) -> Response:
    """Show a title with its videos."""
    return answer(deps().catalogue.title(title_id))


@bp.post("/titles/<title_id>/refresh")
@describes(reply=Title, status=202, problems=("no_such_title", "upstream_failed"))
def refresh_title(title_id: str) -> Response:
    """Take over what the title's source says now; facts and cover are asked for again behind."""
    tools = deps()
    return answer(shelving.refresh(title_id, shelf=tools.catalogue, sources=tools.resolver), 202)


@bp.delete("/titles/<title_id>")
@describes(reply=library_forms.TitleRemoved, problems=("no_such_title", "wish_busy"))
def delete_title(title_id: str) -> Response:
    """Take a title off the shelf, with its films; these lie in the trash for a while."""
    tools = deps()
    removed = shelving.delete(title_id, shelf=tools.catalogue, disk=tools.downloader)
    return answer(library_forms.TitleRemoved(title_id=title_id, videos=tuple(removed)))


@bp.get("/videos")
@describes(reply=VideoList, query=forms.PageQuery, problems=("no_such_video",))
def list_videos() -> Response:
    """List what is on the disk, the newest first."""
    query = query_of(forms.PageQuery)
    return answer(deps().catalogue.videos(limit=query.limit, after=query.after))


@bp.get("/renditions")
@describes(reply=RenditionList)
def list_renditions() -> Response:
    """List the films that get further renditions, how far that is, and why one stopped."""
    return answer(deps().downloader.renditions())


@bp.post("/renditions/<video_id>/retry")
@describes(reply=RenditionJob, status=202, problems=("bad_request", "no_such_rendition"))
def retry_rendition(video_id: str) -> Response:
    """Let one that stopped try again."""
    return answer(deps().downloader.retry_rendition(part_of_path(VIDEO_ID, video_id)), 202)


@bp.post("/downloads")
@describes(
    reply=forms.WishesReply, status=202, body=library_forms.DownloadForm, problems=library_forms.DOWNLOAD_PROBLEMS
)
def download() -> Response:
    """Begin a download; 409 with what is there when all of it is on the disk or on its way."""
    return _begun(body_of(library_forms.DownloadForm).choice())


def _begun(choice: Choice) -> Response:
    tools = deps()
    asked = downloading.download(
        choice,
        viewer_id=viewer().viewer_id,
        shelf=tools.catalogue,
        sources=tools.resolver,
        queue=tools.downloader,
    )
    reply = forms.WishesReply.of(asked)
    return answer(reply, 202, {"Location": f"/api/v1/wishes/{reply.wishes[0].wish_id}"} if reply.wishes else None)


@bp.get("/videos/<video_id>")
@describes(reply=Video, problems=("no_such_video",))
def one_video(video_id: str) -> Response:
    """Show what is known of a video on the disk."""
    return answer(video_page(video_id)[1])


@bp.get("/queue")
@describes(reply=QueueStatus)
def queue_status() -> Response:
    """Say how the queue stands: how many run, wait, are paused, and how much room there is."""
    return answer(deps().downloader.queue())


@bp.post("/queue/retry")
@describes(reply=ManyChanged, status=202)
def retry_all() -> Response:
    """Let every refused or waiting wish try again now."""
    return answer(deps().downloader.change_all("retry"), 202)


@bp.post("/queue/pause")
@describes(reply=ManyChanged, status=202)
def pause_all() -> Response:
    """Pause every wish that is not done."""
    return answer(deps().downloader.change_all("pause"), 202)


@bp.post("/queue/resume")
@describes(reply=ManyChanged, status=202)
def resume_all() -> Response:
    """Let every paused wish go on."""
    return answer(deps().downloader.change_all("resume"), 202)
