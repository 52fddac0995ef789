"""The shelf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_common.errors import KinodomError
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext
from kinodom_gateway.presenters import words

if TYPE_CHECKING:
    from kinodom_common.contracts.rooms import Room, RoomList
    from kinodom_common.contracts.videos import Title, TitleList
    from kinodom_common.contracts.wishes import Wish, WishList


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A poster on a shelf."""

    url: str
    name: str
    note: str
    cover_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLine:
    """One line of “Today”."""

    lead: str
    name: str
    facts: str
    url: str
    action: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """Everything the home page prints."""

    empty: bool
    cards: tuple[Card, ...]
    total: int
    board: tuple[BoardLine, ...]
    removed_id: str | None  # a video that was deleted just now and can be brought back


def home_view(
    newest: TitleList,
    coming: WishList | KinodomError,
    rooms: RoomList | KinodomError,
    *,
    removed_id: str | None = None,
) -> HomeView:
    """Return the home page; a part that could not be asked is left out, the shelf stands."""
    lines = [] if isinstance(rooms, KinodomError) else [_room_line(room) for room in rooms.rooms[:4]]
    wishes = () if isinstance(coming, KinodomError) else coming.wishes
    lines += [_wish_line(wish) for wish in wishes if wish.state in ("wanted", "running", "publishing", "waiting")][:6]
    return HomeView(
        empty=not newest.titles and not wishes,
        cards=tuple(card(title) for title in newest.titles),
        total=newest.total,
        board=tuple(lines),
        removed_id=removed_id,
    )


def _room_line(room: Room) -> BoardLine:
    return BoardLine(
        lead=_("Now"),
        name=room.name,
        facts=ngettext("%(num)d person watches", "%(num)d people watch", room.members),
        url=url_for("rooms.room", room_id=room.room_id),
        action=_("Join"),
    )


def _wish_line(wish: Wish) -> BoardLine:
    return BoardLine(
        lead=f"{words.percent(wish.progress.fraction)} %",
        name=wish.request.title.name,
        facts=_("comes to the disk"),
        url=url_for("pages.queue"),
        action=None,
    )


def card(title: Title) -> Card:
    """Return the poster of a title of the house."""
    note = words.kind(title.kind)
    if title.kind == "series" and title.episodes_count:
        note = f"{note}, {words.episodes(title.episodes_count)}"
    elif title.year:
        note = f"{note}, {title.year}"
    if not title.videos_count:
        note = f"{note}, {_('can be had')}"
    cover = f"/covers/{title.cover}" if title.cover else None
    return Card(url=url_for("pages.title", title_id=title.title_id), name=title.name, note=note, cover_url=cover)
