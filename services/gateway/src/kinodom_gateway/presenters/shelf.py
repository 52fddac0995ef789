"""The shelf and the search page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_common.errors import KinodomError
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext
from kinodom_gateway.presenters import reasons, words

if TYPE_CHECKING:
    from kinodom_common.contracts.rooms import Room, RoomList
    from kinodom_common.contracts.titles import SourceOutcome, TitleHit
    from kinodom_common.contracts.videos import Title, TitleList
    from kinodom_common.contracts.wishes import Wish, WishList
    from kinodom_gateway.domain.finding import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A poster on a shelf."""

    url: str
    name: str
    note: str
    cover_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """A title that a source has."""

    url: str
    name: str
    year: int | None
    facts: str
    source: str
    licence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One line of “Who answered”."""

    label: str
    mark: str  # class of the window: home, ok, bad
    facts: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """Everything the search page prints."""

    query: str
    count: str
    cards: tuple[Card, ...]
    offers: tuple[OfferRow, ...]
    answered: tuple[Answered, ...]


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


def home_view(newest: TitleList, coming: WishList | KinodomError, rooms: RoomList | KinodomError) -> HomeView:
    """Return the home page; a part that could not be asked is left out, the shelf stands."""
    lines = [] if isinstance(rooms, KinodomError) else [_room_line(room) for room in rooms.rooms[:4]]
    wishes = () if isinstance(coming, KinodomError) else coming.wishes
    lines += [_wish_line(wish) for wish in wishes if wish.state in ("wanted", "running", "publishing", "waiting")][:6]
    return HomeView(
        empty=not newest.titles and not wishes,
        cards=tuple(card(title) for title in newest.titles),
        total=newest.total,
        board=tuple(lines),
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
    cover = f"/covers/{title.cover}" if title.cover else None
    return Card(url=url_for("pages.title", title_id=title.title_id), name=title.name, note=note, cover_url=cover)


def search_view(found: Found) -> SearchView:
    """Return the search page."""
    home = found.home.titles if found.home else ()
    known = {one for title in home for one in title.external_ids}
    hits = [hit for hit in (found.away.hits if found.away else ()) if hit.external_id not in known]
    outcomes = found.away.sources if found.away else ()
    labels = {one.source: one.label for one in outcomes}
    disk = _("does not answer") if found.home is None else words.films(len(home))
    answered = [
        Answered(label=_("Your disk"), mark="home" if found.home is not None else "bad", facts=disk, reason=None)
    ]
    answered += [_answered(one) for one in outcomes]
    answered += [
        Answered(
            label=_("Sources"), mark="bad", facts=_("no answer"), reason=reasons.sentence(error.code, error.detail)
        )
        for part, error in found.silent
        if part == "resolver"
    ]
    return SearchView(
        query=found.query,
        count=words.films(len(home) + len(hits)),
        cards=tuple(card(title) for title in home),
        offers=tuple(_offer(hit, labels) for hit in hits),
        answered=tuple(answered),
    )


def _offer(hit: TitleHit, labels: dict[str, str]) -> OfferRow:
    facts = [words.kind(hit.kind)]
    facts += [words.episodes(hit.episodes)] if hit.episodes else []
    facts += [", ".join(hit.dubs)] if hit.dubs else []
    facts += [_("up to %(height)dp", height=max(hit.heights_px))] if hit.heights_px else []
    return OfferRow(
        url=url_for("pages.external", external_id=hit.external_id),
        name=hit.name,
        year=hit.year,
        facts=". ".join(facts),
        source=labels.get(hit.source, hit.source),
        licence=hit.licence,
    )


def _answered(one: SourceOutcome) -> Answered:
    if one.state == "silent":
        reason = reasons.sentence(one.code, one.detail)
        return Answered(label=one.label, mark="bad", facts=_("no answer"), reason=reason or None)
    facts = words.films(one.count) if one.count else _("nothing by this name")
    return Answered(label=one.label, mark="ok", facts=f"{facts}, {words.seconds(one.took_ms / 1000)}", reason=None)
