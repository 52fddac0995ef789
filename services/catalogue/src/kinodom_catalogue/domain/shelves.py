"""Lists of titles: the newest first, or the best match first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kinodom_catalogue.domain.ports import NoSuchVideo, SearchIndex, Shelf, Which
from kinodom_common.contracts.videos import Title, TitleList, TitleOrder, VideoList
from kinodom_common.errors import Rejected


class NoSuchPage(Rejected):
    """The list has changed so much that the next page cannot be told."""

    code = "list_changed"
    title = "The list has changed"


EVERY = Which()
ORDERS: Mapping[TitleOrder, Callable[[Title], Any]] = {
    "added": lambda title: -title.added_at.timestamp(),
    "name": lambda title: title.name.casefold(),
    "year": lambda title: -(title.year or 0),
    "size": lambda title: -title.size_bytes,
}


def list_titles(
    query: str | None,
    *,
    which: Which = EVERY,
    limit: int,
    after: str | None,
    shelf: Shelf,
    index: SearchIndex,
) -> TitleList:
    """Return one page of titles.

    Args:
        query: what somebody typed; empty or `None` for everything.
        which: of the titles, and in which order.
        limit: of the page.
        after: id of the last title of the page before; `None` for the first page.
        shelf: where they stand.
        index: what finds them by their names.

    Raises:
        NoSuchPage: the title `after` is not in the list any more.
    """
    if query is None or not query.strip():
        if after is not None and shelf.title(after) is None:
            raise _no_page()
        page = shelf.listed(which, limit, after)
        return TitleList(titles=tuple(stored.title for stored in page), total=shelf.titles_count(which))
    found = list(index.best(query))
    if which != EVERY:
        found = _sifted(found, which, shelf)
    if after is not None and after not in found:
        raise _no_page()
    begin = found.index(after) + 1 if after is not None else 0
    page = [stored for title_id in found[begin : begin + limit] if (stored := shelf.title(title_id))]
    return TitleList(titles=tuple(stored.title for stored in page), total=len(found))


def list_videos(*, limit: int, after: str | None, shelf: Shelf) -> VideoList:
    """Return one page of the videos on the disk, the newest first; raises NoSuchVideo for an unknown `after`."""
    if after is not None and shelf.video(after) is None:
        raise NoSuchVideo("The video at the end of the last page is gone. Begin the list again.")
    return VideoList(videos=tuple(shelf.newest_videos(limit, after)), total=shelf.videos_count())


def _sifted(found: list[str], which: Which, shelf: Shelf) -> list[str]:
    titles = [stored.title for title_id in found if (stored := shelf.title(title_id))]
    kept = [
        title
        for title in titles
        if which.on_disk in (None, title.videos_count > 0) and which.kind in (None, title.kind)
    ]
    return [title.title_id for title in (sorted(kept, key=ORDERS[which.order]) if which.order else kept)]


def _no_page() -> NoSuchPage:
    return NoSuchPage("The title at the end of the last page is gone. Begin the list again.")
