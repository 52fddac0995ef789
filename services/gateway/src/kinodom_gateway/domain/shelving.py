"""Titles on the shelf without a download: added by an id or an address, refreshed, deleted, one or many at once."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from kinodom_common.contracts.titles import SourceTitle, TitleCard
from kinodom_common.contracts.videos import RemovedVideo, Title, TitlePage, TitleReply
from kinodom_common.errors import Conflict, KinodomError, NotFound, Rejected, UpstreamFailed
from kinodom_gateway.domain.finding import ADDRESS, each
from kinodom_gateway.domain.sources import NoSuchSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.titles import SearchReply, SourceList

EXTERNAL_ID = re.compile(r"[a-z0-9_]{1,24}:[^\x00-\x20/?#]{1,2100}")
TITLE_ID = re.compile(r"t[0-9a-f]{20}")
Act = Literal["add", "refresh", "delete"]


class NotAnAddress(Rejected):
    """What was given is neither an id nor an address, but words."""

    code = "not_an_address"
    title = "That is neither an id nor an address"


class NothingThere(NotFound):
    """No source knows this address."""

    code = "no_such_title"


class TitleThere(Conflict):
    """The title stands on the shelf already."""

    code = "title_there"
    title = "It is on the shelf already"


class Shelf(Protocol):
    """The catalogue, as far as shelving needs it."""

    def title(self, title_id: str) -> TitlePage:
        """Return a title with its videos."""

    def title_by_external(self, external_id: str) -> TitlePage | None:
        """Return the title that a source calls by this id."""

    def add_title(self, card: TitleCard) -> TitleReply:
        """Put a title on the shelf."""

    def refresh_title(self, title_id: str, card: TitleCard) -> Title:
        """Take over what a title's source says now."""

    def delete_title(self, title_id: str) -> None:
        """Take a title without videos off the shelf."""


class Disk(Protocol):
    """The downloader, as far as shelving needs it."""

    def remove_video(self, video_id: str) -> RemovedVideo:
        """Take a film off the disk."""


class Sources(Protocol):
    """The resolver, as far as shelving needs it."""

    def search(self, query: str) -> SearchReply:
        """Return what sources have at this address."""

    def title(self, external_id: str) -> SourceTitle:
        """Return a title's page at its source."""

    def sources(self) -> SourceList:
        """Return the sources known there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of one item of a batch."""

    act: Act
    item: str
    title_id: str | None = None
    error: KinodomError | None = None  # why it was not done


def add(address: str, source: str | None, *, shelf: Shelf, sources: Sources) -> Title:
    """Return the title that now stands on the shelf, without a download.

    Raises:
        TitleThere: it stood there already.
        NotFound: no source knows the address, or there is no source of this name.
        NotAnAddress: words were given.
        UpstreamFailed: the source could not be asked.
    """
    page = at_source(address, source, sources=sources)
    there = shelf.title_by_external(page.card.external_id)
    if there is not None:
        raise _there(there.title)
    reply = shelf.add_title(page.card)
    if not reply.created:
        raise _there(reply.title)
    return reply.title


def at_source(address: str, source: str | None, *, sources: Sources) -> SourceTitle:
    """Return the page of what an id or an address names; `source` says who is asked. Raises as `add`."""
    address = address.strip()
    if source is not None and source not in {one.name for one in sources.sources().sources}:
        raise NoSuchSource(f"No source is called {source!r} here.")
    if EXTERNAL_ID.fullmatch(address):
        page = sources.title(address)
        if source in (None, page.source):
            return page
        raise NothingThere(f"The source {source!r} does not know ids of this kind.")
    if not ADDRESS.fullmatch(address):
        raise NotAnAddress("Give the id of a title, such as demo:salt-and-moon, or the address of its page.")
    found = sources.search(address)
    hit = next((one for one in found.hits if source in (None, one.source)), None)
    if hit is not None:
        return sources.title(hit.external_id)
    silent = [one for one in found.sources if one.state == "silent" and source in (None, one.source)]
    if silent:
        raise UpstreamFailed(silent[0].detail or f"{silent[0].label} did not answer. Try again in a moment.")
    raise NothingThere("No source knows this address.")


def refresh(title_id: str, *, shelf: Shelf, sources: Sources) -> Title:
    """Return the title with what its source says now; providers of facts are asked again behind.

    Raises:
        NotFound: the house has no such title, or none of its sources has it any more.
        UpstreamFailed: no source of it could be asked.
    """
    failure: KinodomError = NothingThere("No source of this title is known any more.")
    for external_id in shelf.title(title_id).title.external_ids:
        try:
            page = sources.title(external_id)
        except (NotFound, UpstreamFailed) as exc:
            failure = failure if isinstance(failure, UpstreamFailed) else exc
        else:
            return shelf.refresh_title(title_id, page.card)
    raise failure


def delete(title_id: str, *, shelf: Shelf, disk: Disk) -> list[RemovedVideo]:
    """Take a title off the shelf and its films off the disk, and return these.

    Raises:
        NotFound: the house has no such title.
        Conflict: a film of it is being put on the shelf this very moment; those before it are gone.
    """
    videos = shelf.title(title_id).videos
    removed = [disk.remove_video(video.video_id) for video in videos]
    try:
        shelf.delete_title(title_id)
    except NotFound:
        if not videos:  # else it went with its last film
            raise
    return removed


def batch(acts: list[tuple[Act, str]], *, shelf: Shelf, sources: Sources, disk: Disk) -> list[Done]:
    """Return what came of each of these, in their order; several are done at once, and none stops another."""

    def run(act: Act, item: str) -> Callable[[], Done]:
        return lambda: _done(act, item, shelf, sources, disk)

    return each([run(act, item) for act, item in acts])


def _done(act: Act, item: str, shelf: Shelf, sources: Sources, disk: Disk) -> Done:
    title_id = None if act == "add" else item
    try:
        if act == "add":
            title_id = add(item, None, shelf=shelf, sources=sources).title_id
        elif act == "refresh":
            refresh(item, shelf=shelf, sources=sources)
        else:
            delete(item, shelf=shelf, disk=disk)
    except KinodomError as exc:
        with suppress(KeyError):
            title_id = str(exc.facts["title_id"])
        return Done(act=act, item=item, title_id=title_id, error=exc)
    return Done(act=act, item=item, title_id=title_id)


def _there(title: Title) -> TitleThere:
    return TitleThere(
        f"“{title.name}” is on the shelf already.",
        title_id=title.title_id,
        videos_count=title.videos_count,
        size_bytes=title.size_bytes,
    )
