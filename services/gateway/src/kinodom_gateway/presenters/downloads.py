"""The downloads page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.presenters import reasons, words

if TYPE_CHECKING:
    from kinodom_common.contracts.videos import Title
    from kinodom_common.contracts.wishes import DiskRoom, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """One line of the downloads page."""

    wish_id: str
    name: str
    url: str
    cover_url: str | None  # known once the title is on the shelf
    facts: str
    state: str
    percent: int
    left: str
    right: str
    reason: str | None
    watch_url: str | None
    earlier: str | None = None  # before which wish it goes; None: it is the first
    later: str | None = None  # the same, empty: behind all; None: it is the last


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadsView:
    """Everything the downloads page prints."""

    now: tuple[WishRow, ...]
    needs: tuple[WishRow, ...]
    then: tuple[WishRow, ...]
    done: tuple[WishRow, ...]
    room: str | None  # how full the disk is; None: nobody could say


def downloads_view(wishes: tuple[Wish, ...], titles: tuple[Title, ...], disk: DiskRoom | None) -> DownloadsView:
    """Return the downloads page, each wish in the part that its state says; `titles` are those of the shelf."""
    covers = {one: title.cover for title in titles for one in title.external_ids}
    queued = sorted(wishes, key=lambda wish: wish.position)
    rows = [(wish.state, wish_row(wish, covers.get(wish.request.external_id))) for wish in queued]

    def of(*states: str) -> tuple[WishRow, ...]:
        return tuple(row for state, row in rows if state in states)

    return DownloadsView(
        now=of("running", "publishing"),
        needs=of("refused"),
        then=_placed(of("wanted", "waiting", "paused")),
        done=tuple(wish_row(one, covers.get(one.request.external_id)) for one in wishes if one.state == "ready")[:50],
        room=_room(disk) if disk else None,
    )


def _placed(rows: tuple[WishRow, ...]) -> tuple[WishRow, ...]:
    """Return the rows with where each goes when it is moved by one."""
    ids = [row.wish_id for row in rows]
    return tuple(
        replace(
            row,
            earlier=ids[index - 1] if index else None,
            later=None if index == len(ids) - 1 else (*ids, "")[index + 2],
        )
        for index, row in enumerate(rows)
    )


def _room(disk: DiskRoom) -> str:
    free, every, library = (words.size(one) for one in (disk.free_bytes, disk.total_bytes, disk.library_bytes))
    return _("%(free)s of %(all)s are free. Films take %(library)s.", free=free, all=every, library=library)


def wish_row(wish: Wish, cover: str | None) -> WishRow:
    """Return one line of the downloads page."""
    request, progress = wish.request, wish.progress
    name = request.title.name
    if request.episode is not None:
        name = _("%(name)s, episode %(number)d", name=name, number=request.episode)
    height = f"{request.height_px}p" if request.height_px else _("best picture")
    left = f"{words.percent(progress.fraction)} %"
    if progress.fetched_bytes:
        left = f"{left}, {words.size(progress.fetched_bytes)}"
    right = words.stage(progress.stage) if wish.state in ("running", "publishing") else ""
    return WishRow(
        wish_id=wish.wish_id,
        name=name,
        url=url_for("pages.external", external_id=request.external_id),
        cover_url=f"/covers/{cover}" if cover else None,
        facts=f"{words.dub(request.translation_name)}, {height}",
        state=wish.state,
        percent=words.percent(progress.fraction),
        left=left,
        right=right,
        reason=reasons.sentence(wish.reason_code, wish.reason) or None,
        watch_url=url_for("watching.watch", video_id=wish.wish_id) if wish.state == "ready" else None,
    )
