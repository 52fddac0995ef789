"""Videos on the disk, as the downloader tells of them."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, TypeAdapter

from kinodom_catalogue.domain import shelves, videos
from kinodom_catalogue.wiring import deps
from kinodom_common.contracts import Request
from kinodom_common.contracts.videos import Video, VideoId, VideoIn, VideoList
from kinodom_common.openapi import answer, body_of, describes, part_of_path, query_of

bp = Blueprint("videos", __name__)
_ID: TypeAdapter[str] = TypeAdapter(VideoId)


class VideosQuery(Request):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 60
    after: VideoId | None = None


@bp.get("/videos")
@describes(reply=VideoList, query=VideosQuery, problems=("no_such_video", "store_unavailable"))
def list_videos() -> Response:
    """List the videos on the disk, the newest first."""
    query = query_of(VideosQuery)
    return answer(shelves.list_videos(limit=query.limit, after=query.after, shelf=deps().shelf))


@bp.put("/videos/<video_id>")
@describes(reply=Video, body=VideoIn, problems=("bad_request", "store_unavailable"))
def put_video(video_id: str) -> Response:
    """Register a published folder; 201 when it is new, 200 when it was known."""
    here, key, body = deps(), part_of_path(_ID, video_id), body_of(VideoIn)
    video, created = videos.register_video(key, body, shelf=here.shelf, hints=here.hints, now=here.clock())
    return answer(video, 201 if created else 200)


@bp.get("/videos/<video_id>")
@describes(reply=Video, problems=("no_such_video", "store_unavailable"))
def get_video(video_id: str) -> Response:
    """Give a video."""
    return answer(videos.video(video_id, shelf=deps().shelf))


@bp.delete("/videos/<video_id>")
@describes(status=204, problems=("no_such_video", "store_unavailable"))
def delete_video(video_id: str) -> Response:
    """Forget a video; its title goes with its last one."""
    videos.delete_video(video_id, shelf=deps().shelf)
    return Response(status=204)
