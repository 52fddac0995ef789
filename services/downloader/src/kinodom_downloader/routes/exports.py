"""Films leave the house as files: a ticket for the one who asks, and the file for who holds the ticket.

The file goes out through Nginx, which holds no key of the house; so its path carries the ticket and is open without.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote

from flask import Blueprint, Response, request
from pydantic import TypeAdapter
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import FileWrapper

from kinodom_common.contracts.videos import ExportTicket, VideoId
from kinodom_common.openapi import answer, describes, part_of_path
from kinodom_downloader.wiring import deps

if TYPE_CHECKING:
    from kinodom_downloader.domain.exporting import Export

bp = Blueprint("exports", __name__)
VIDEO_ID: TypeAdapter[str] = TypeAdapter(VideoId)
BLOCK_BYTES = 1024 * 1024


@bp.post("/videos/<video_id>/export")
@describes(reply=ExportTicket, problems=("bad_request", "no_such_video"))
def make_ticket(video_id: str) -> Response:
    """Give a ticket for a film as one file, good for a minute."""
    deps().exports.check(part_of_path(VIDEO_ID, video_id))
    return answer(ExportTicket(ticket=deps().tickets.sign(video_id)))


@bp.get("/exports/<ticket>")
@describes(problems=("bad_ticket", "no_such_video", "export_busy"))
def send_film(ticket: str) -> Response:
    """Send the film of a ticket as one MP4, whole or by range."""
    return _sent(deps().exports.open(deps().tickets.read(ticket)))


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
