"""What several routes ask of the services: a video with its title, and a signed link to it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flask import request
from pydantic import TypeAdapter

from kinodom_common.contracts.titles import ExternalId
from kinodom_common.contracts.videos import VideoId
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_common.openapi import part_of_path
from kinodom_gateway.domain.coming import page_of
from kinodom_gateway.domain.links import media_link
from kinodom_gateway.routes.forms import LinkReply
from kinodom_gateway.viewer import viewer
from kinodom_gateway.wiring import deps

if TYPE_CHECKING:
    from kinodom_common.contracts.videos import TitlePage, Video
    from kinodom_common.contracts.wishes import Wish
    from kinodom_gateway.domain.links import MediaLink

VIDEO_ID: TypeAdapter[str] = TypeAdapter(VideoId)
EXTERNAL_ID: TypeAdapter[str] = TypeAdapter(ExternalId)


def video_page(video_id: str) -> tuple[TitlePage, Video]:
    """Return a video of the house with its title; raises NotFound, or BadRequest for an id of no video."""
    tools = deps()
    video = tools.catalogue.video(part_of_path(VIDEO_ID, video_id))
    return tools.catalogue.title(video.title_id), video


def film_page(video_id: str) -> tuple[TitlePage, Video, bool]:
    """Return a film with its title, and whether it is on the disk; one that is still coming is there to be watched.

    Raises:
        NotFound: it is neither there nor coming.
    """
    try:
        return *video_page(video_id), True
    except NotFound as gone:
        wish = _wish(video_id)
        if wish is None:
            raise gone from None
    return *page_of(wish, title_known(wish.request.external_id)), False


def is_kept(video_id: str) -> bool:
    """Tell whether a film stays on the disk; one that was only watched goes when such films need its room."""
    wish = _wish(video_id)
    return wish is None or wish.keep


def _wish(video_id: str) -> Wish | None:
    try:
        return deps().downloader.one(video_id)
    except (NotFound, UpstreamFailed):
        return None


def title_known(external_id: str) -> TitlePage | None:
    """Return the house's page of a source's title; None when it has nothing of it, or cannot be asked now."""
    try:
        return deps().catalogue.title_by_external(part_of_path(EXTERNAL_ID, external_id))
    except (NotFound, UpstreamFailed):
        return None


def just_removed() -> str | None:
    """Return the video that the page was told to offer back, if any; what is no id of a video is none."""
    with suppress(KinodomError):
        return part_of_path(VIDEO_ID, request.args.get("removed", ""))
    return None


def link_reply(video: Video, *, is_there: bool) -> LinkReply:
    """Return a signed link for the viewer of this request, as players take it."""
    link = link_for(video.video_id)
    return LinkReply(
        video_id=video.video_id,
        manifest_url=link.manifest_url,
        live_url=None if is_there else link.live_url,
        poster_url=link.poster_url,
        sprites=video.sprites,
        skips=video.skips,
        holes=video.holes,
        expires_at=link.expires_at_s,
    )


def link_for(video_id: str) -> MediaLink:
    """Return a signed link for the viewer of this request."""
    tools = deps()
    return media_link(
        video_id,
        viewer_cookie=viewer().cookie,
        key=tools.settings.media_key.get_secret_value(),
        now_s=tools.clock(),
        life_s=tools.settings.link_life_s,
    )
