"""Videos on the disk, as the downloader tells of them."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import TypeAdapter

from kinodom_catalogue.domain import videos
from kinodom_catalogue.wiring import deps
from kinodom_common.contracts.videos import Video, VideoId, VideoIn
from kinodom_common.openapi import answer, body_of, describes, part_of_path

bp = Blueprint("videos", __name__)
_ID: TypeAdapter[str] = TypeAdapter(VideoId)


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
