"""The watch page and the room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_gateway.domain.rooms import label_of, playlist
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.presenters import words
from kinodom_gateway.presenters.holes import told

if TYPE_CHECKING:
    from kinodom_common.contracts.rooms import Room
    from kinodom_common.contracts.videos import TitlePage, Video
    from kinodom_gateway.domain.links import MediaLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Another episode."""

    label: str
    url: str
    video_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DubLink:
    """The same episode in another dub or height."""

    name: str
    label: str  # of its sound, where another film of the same picture has it too
    kind: str
    video_id: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoView:
    """What the player needs."""

    video_id: str
    heading: str
    subheading: str
    back_url: str
    duration_s: float
    poster_url: str
    manifest_url: str
    live_url: str | None  # of a film that is still coming
    link_expires_at: int
    sprites: bool  # there are small pictures for the seek bar
    skips: tuple[dict[str, object], ...]  # parts that most people pass over
    holes: tuple[dict[str, object], ...]  # parts that no source had
    holes_told: str  # the same in words; empty: all of it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchView:
    """Everything the watch page prints; a room has the same picture."""

    video: VideoView
    dubs: tuple[DubLink, ...]
    previous: Link | None
    next: Link | None
    keep: bool  # False: only watched, so there is a button to keep it
    series: bool  # there may be episodes before and after it, here or at its source
    csrf: str
    create_room_url: str
    member_token: str
    viewer_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomView:
    """What the room page prints beside the player."""

    room_id: str
    name: str
    invite_url: str
    qr_svg_url: str
    items: tuple[Link, ...]
    item: str


def watch_view(
    page: TitlePage,
    video: Video,
    link: MediaLink,
    *,
    is_there: bool,
    keep: bool,
    csrf: str,
    member_token: str,
    viewer_name: str,
) -> WatchView:
    """Return the player's page; a film that is not there plays while it comes."""
    order = playlist(page, video)
    index = next(number for number, one in enumerate(order) if one.video_id == video.video_id)
    return WatchView(
        video=_video(page, video, link, is_there=is_there),
        dubs=_dubs(page, video),
        previous=_link(page, order[index - 1]) if index else None,
        next=_link(page, order[index + 1]) if index + 1 < len(order) else None,
        series=video.episode is not None,
        keep=keep,
        csrf=csrf,
        create_room_url=url_for("rooms.create"),
        member_token=member_token,
        viewer_name=viewer_name,
    )


def room_view(room: Room, page: TitlePage, *, invite_url: str) -> RoomView:
    """Return what stands beside the player of a room."""
    videos = {one.video_id: one for one in page.videos}
    items = tuple(
        Link(label=item.label, url=url_for("watching.watch", video_id=item.video_id), video_id=item.video_id)
        for item in room.items
        if item.video_id in videos
    )
    return RoomView(
        room_id=room.room_id,
        name=room.name,
        invite_url=invite_url,
        qr_svg_url=url_for("rooms.qr", room_id=room.room_id),
        items=items,
        item=room.vec.item,
    )


def _video(page: TitlePage, video: Video, link: MediaLink, *, is_there: bool) -> VideoView:
    heading = video.episode_name or page.title.name
    below = (
        words.dub(video.translation_name)
        if video.episode is None
        else _(
            "%(name)s, episode %(number)d. %(dub)s",
            name=page.title.name,
            number=video.episode,
            dub=words.dub(video.translation_name),
        )
    )
    heights = words.heights(video)
    return VideoView(
        video_id=video.video_id,
        heading=heading,
        subheading=f"{below}, {heights}" if "," in heights else below,
        back_url=_back(page, video),
        duration_s=video.duration_s,
        poster_url=link.poster_url if is_there else "",
        manifest_url=link.manifest_url,
        live_url=None if is_there else link.live_url,
        link_expires_at=link.expires_at_s,
        sprites=video.sprites,
        skips=tuple(skip.model_dump() for skip in video.skips),
        holes=tuple(hole.model_dump() for hole in video.holes),
        holes_told=told(video.holes),
    )


def _back(page: TitlePage, video: Video) -> str:
    if page.title.title_id:
        return url_for("pages.title", title_id=page.title.title_id)
    return url_for("pages.external", external_id=video.external_id)


def _link(page: TitlePage, video: Video) -> Link:
    return Link(
        label=label_of(page, video), url=url_for("watching.watch", video_id=video.video_id), video_id=video.video_id
    )


def _dubs(page: TitlePage, video: Video) -> tuple[DubLink, ...]:
    same = [one for one in page.videos if (one.season, one.episode) == (video.season, video.episode)]
    several = len({one.height_px for one in same}) > 1
    return tuple(
        DubLink(
            name=words.dub(one.translation_name) + (f", {one.height_px}p" if several else ""),
            label=one.translation_name,
            kind=words.translation_kind(one.translation_kind),
            video_id=one.video_id,
            url=url_for("watching.watch", video_id=one.video_id),
            current=one.video_id == video.video_id,
        )
        for one in same
    )
