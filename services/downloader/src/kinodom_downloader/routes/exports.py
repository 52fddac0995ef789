"""Films leave the house as files, through Nginx, which asks for them when the gateway sends it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote

from flask import Blueprint, Response, request
from pydantic import TypeAdapter
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import FileWrapper

from kinodom_common.contracts.videos import VideoId
from kinodom_common.openapi import describes, part_of_path
from kinodom_downloader.wiring import deps

if TYPE_CHECKING:
    from kinodom_downloader.domain.exporting import Export

bp = Blueprint("exports", __name__)
VIDEO_ID: TypeAdapter[str] = TypeAdapter(VideoId)
BLOCK_BYTES = 1024 * 1024


@bp.get("/videos/<video_id>/file")
@describes(problems=("bad_request", "no_such_video", "export_busy"))
def send_film(video_id: str) -> Response:
    """Send a film as one plain MP4, whole or by range."""
    return _sent(deps().exports.open(part_of_path(VIDEO_ID, video_id)))


def _sent(export: Export) -> Response:
    reply = Response(
        FileWrapper(cast("IO[bytes]", export.stream), BLOCK_BYTES), content_type="video/mp4", direct_passthrough=True
    )
    reply.call_on_close(export.stream.close)
    plain = export.name.encode("ascii", "ignore").decode().replace("%", "")
    reply.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(export.name)}"
    reply.headers["Cache-Control"] = "private, no-cache"
    reply.content_length = export.size_bytes
    reply.set_etag(export.etag)
    try:
        reply.make_conditional(request, accept_ranges=True, complete_length=export.size_bytes)
    except HTTPException:
        export.stream.close()
        raise
    return reply
