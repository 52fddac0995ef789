"""Forms about films on the disk. Each works without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, url_for

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_common.openapi import part_of_path
from kinodom_gateway.routes.access import VIDEO_ID, video_page
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Redirect

bp = Blueprint("videos", __name__)


@bp.post("/videos/<video_id>/delete")
def delete(video_id: str) -> Redirect:
    """Take a film off the disk, and show where it was with the way back."""
    page, video = video_page(video_id)
    removed = deps().downloader.remove_video(video.video_id)
    undo = video.video_id if removed.restorable_until else None
    if len(page.videos) > 1:
        return redirect(url_for("pages.title", title_id=page.title.title_id, removed=undo), 303)
    return redirect(url_for("pages.home", removed=undo), 303)


@bp.post("/videos/<video_id>/restore")
def restore(video_id: str) -> Redirect:
    """Bring a deleted film back, and show it."""
    restored = deps().downloader.restore_video(part_of_path(VIDEO_ID, video_id))
    return redirect(_page_of(restored.video_id), 303)


@bp.get("/export/<video_id>.mp4")
def export(video_id: str) -> Response:
    """Send a film as one file to keep. Nginx fetches it from the downloader; no byte of it comes through here."""
    _page, video = video_page(video_id)
    return Response(status=200, headers={"X-Accel-Redirect": f"/_export/{video.video_id}"}, mimetype="video/mp4")


def _page_of(video_id: str) -> str:
    """Return the address of a film's title; the home page while the catalogue does not know it yet."""
    try:
        return url_for("pages.title", title_id=deps().catalogue.video(video_id).title_id)
    except (NotFound, UpstreamFailed):
        return url_for("pages.home")
