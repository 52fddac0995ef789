"""Downloads as scripts ask for them: one answer for what was begun, and a refusal that says what is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from kinodom_common.errors import Conflict, NotFound
from kinodom_common.ids import content_key, video_id_of
from kinodom_gateway.domain import shelving, wishing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_common.contracts.titles import SourceTitle
    from kinodom_common.contracts.videos import Video
    from kinodom_common.contracts.wishes import Wish, WishList, WishReply, WishRequest
    from kinodom_gateway.domain.choosing import Place
    from kinodom_gateway.domain.wishing import Asked, Choice, Plan


class DownloadThere(Conflict):
    """All of it is on the disk, or on its way."""

    code = "download_there"
    title = "It is there already"


class Queue(Protocol):
    """The downloader, as far as downloading needs it."""

    def wish(self, request: WishRequest) -> WishReply:
        """Store a wish."""

    def wishes(self, ids: Iterable[str] = ()) -> WishList:
        """Return the wishes with these ids."""


class Shelf(shelving.Shelf, Protocol):
    """The catalogue, as far as downloading needs it."""

    def video(self, video_id: str) -> Video:
        """Return a video."""


def is_one_film(page: SourceTitle) -> bool:
    """Tell whether there is nothing to choose: one dub, or several, of a single film."""
    return bool(page.translations) and all(len(one.episodes) == 1 for one in page.translations)


def download(choice: Choice, *, viewer_id: str, shelf: Shelf, sources: shelving.Sources, queue: Queue) -> list[Asked]:
    """Return what came of asking for each episode; what is there already is left as it is.

    Args:
        choice: its `external_id` may also be a title of the house, or the address of a page.
        viewer_id: who wants it.
        shelf: the catalogue.
        sources: where it is looked up.
        queue: where it is asked for.

    Raises:
        DownloadThere: all of it is on the disk or on its way; the facts say which, in what state and how large.
        NotFound, Rejected, UpstreamFailed: as `wishing.wish` does.
    """
    choice = replace(choice, external_id=_external_id(choice.external_id, shelf=shelf, sources=sources))
    plan = wishing.planned(choice, sources=sources)
    ids = {_wish_id(choice, plan, place): place for place in plan.places if place not in plan.missing}
    known = {wish.wish_id: wish for wish in queue.wishes(ids).wishes} if ids else {}
    there = {wish_id: wish for wish_id, wish in known.items() if not _may_begin_again(wish, shelf)}
    if ids and len(there) == len(ids):
        raise _there(next(iter(there.values())), shelf)
    left = tuple(place for place in plan.places if _wish_id(choice, plan, place) not in there)
    asked = wishing.wish(replace(choice, episodes=left, ranges=None), viewer_id=viewer_id, sources=sources, queue=queue)
    asked = [replace(one, outcome="made") if one.wish and one.wish.wish_id in known else one for one in asked]
    if len(asked) == 1 and asked[0].outcome == "there" and asked[0].wish:  # somebody was quicker
        raise _there(asked[0].wish, shelf)
    left_alone = [wishing.Asked(place=ids[wish_id], outcome="there", wish=wish) for wish_id, wish in there.items()]
    order = {place: number for number, place in enumerate(plan.places)}
    return sorted([*asked, *left_alone], key=lambda one: order[one.place])


def _may_begin_again(wish: Wish, shelf: Shelf) -> bool:
    """Tell whether asking once more begins it anew: it was refused, or its film is not on the disk any more."""
    if wish.state != "ready":
        return wish.state == "refused"
    try:
        shelf.video(wish.wish_id)
    except NotFound:
        return True
    return False


def _external_id(given: str, *, shelf: Shelf, sources: shelving.Sources) -> str:
    if shelving.TITLE_ID.fullmatch(given):
        return next(iter(shelf.title(given).title.external_ids), given)
    if shelving.EXTERNAL_ID.fullmatch(given):
        return given
    return shelving.at_source(given, None, sources=sources).card.external_id


def _wish_id(choice: Choice, plan: Plan, place: Place) -> str:
    season, episode = place
    key = content_key(choice.external_id, season, episode, plan.translation.translation_id, choice.height_px)
    return video_id_of(key)


def _there(wish: Wish, shelf: Shelf) -> DownloadThere:
    facts: dict[str, str | int | None] = {"wish_id": wish.wish_id, "state": wish.state}
    if wish.state != "ready":
        return DownloadThere("It is on its way already.", **facts)
    try:
        facts["size_bytes"] = shelf.video(wish.wish_id).size_bytes
    except NotFound:
        facts["size_bytes"] = wish.progress.total_bytes
    return DownloadThere("It is on the disk already.", **facts)
