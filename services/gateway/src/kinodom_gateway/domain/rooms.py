"""Making a room around a video: its items are the episodes of the title in the same dub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.contracts.rooms import RoomItem, RoomRequest

if TYPE_CHECKING:
    from kinodom_common.contracts.videos import TitlePage, Video


def room_request(page: TitlePage, video: Video, *, owner: str, pos_ms: float) -> RoomRequest:
    """Return the request for a room that starts, paused, where its maker is."""
    items = tuple(
        RoomItem(video_id=one.video_id, label=label_of(page, one), duration_ms=max(1.0, one.duration_s * 1000))
        for one in playlist(page, video)
    )
    return RoomRequest(
        title_id=page.title.title_id,
        name=page.title.name,
        items=items,
        item=video.video_id,
        pos_ms=min(max(0.0, pos_ms), video.duration_s * 1000),
        owner=owner,
    )


def playlist(page: TitlePage, video: Video) -> list[Video]:
    """Return the episodes that follow each other: one video each, in the dub of `video`, the highest picture first.

    An episode that this dub lacks is left out rather than taken from another dub.
    """
    best: dict[tuple[int, int], Video] = {}
    for one in page.videos:
        if one.translation_id != video.translation_id:
            continue
        place = (one.season or 0, one.episode or 0)
        held = best.get(place)
        if (
            held is None
            or one.video_id == video.video_id
            or (held.video_id != video.video_id and (one.height_px or 0) > (held.height_px or 0))
        ):
            best[place] = one
    return [best[place] for place in sorted(best)]


def label_of(page: TitlePage, video: Video) -> str:
    """Return the name of an item inside its title."""
    if video.episode is None:
        return page.title.name
    name = f": {video.episode_name}" if video.episode_name else ""
    return f"{page.title.name}, {video.episode}{name}"
