"""Films on the disk over HTTP: taken away, and brought back."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import TypeAdapter

from kinodom_common.contracts.videos import RemovedVideo, RestoredVideo, VideoId
from kinodom_common.openapi import answer, describes, part_of_path
from kinodom_downloader.domain import removing
from kinodom_downloader.wiring import deps

bp = Blueprint("videos", __name__)
VIDEO_ID: TypeAdapter[str] = TypeAdapter(VideoId)


@bp.delete("/videos/<video_id>")
@describes(reply=RemovedVideo, problems=("bad_request", "wish_busy"))
def remove_video(video_id: str) -> Response:
    """Take a video off the disk; it can be brought back until the instant in the answer."""
    return answer(removing.remove(part_of_path(VIDEO_ID, video_id), desk=deps().removals, for_good=False))


@bp.post("/videos/<video_id>/restore")
@describes(reply=RestoredVideo, problems=("bad_request", "not_in_trash"))
def restore_video(video_id: str) -> Response:
    """Bring a removed video back to the shelf."""
    return answer(removing.restore(part_of_path(VIDEO_ID, video_id), desk=deps().removals))
