"""Further renditions of films over HTTP: what is made, and why something is not."""

from __future__ import annotations

import time

from flask import Blueprint, Response

from kinodom_common.contracts.videos import RenditionJob, RenditionList
from kinodom_common.openapi import answer, describes, part_of_path
from kinodom_downloader.domain import remaking
from kinodom_downloader.routes.videos import VIDEO_ID
from kinodom_downloader.wiring import deps

bp = Blueprint("renditions", __name__)


@bp.get("/renditions")
@describes(reply=RenditionList, problems=("store_unavailable",))
def list_renditions() -> Response:
    """List the films that get further renditions, in their order."""
    found = deps().remakes.every()
    return answer(RenditionList(renditions=tuple(remaking.wire(one) for one in found)))


@bp.post("/renditions/<video_id>/retry")
@describes(reply=RenditionJob, status=202, problems=("bad_request", "no_such_rendition"))
def retry_rendition(video_id: str) -> Response:
    """Let one that was refused or waits try again."""
    found = part_of_path(VIDEO_ID, video_id)
    return answer(remaking.wire(remaking.try_again(found, remakes=deps().remakes, now_s=time.time())), 202)
