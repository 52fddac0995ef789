"""Lists of titles: the newest first, or the best match first."""

from __future__ import annotations

from kinodom_catalogue.domain.ports import SearchIndex, Shelf
from kinodom_common.contracts.videos import TitleList
from kinodom_common.errors import Rejected


class NoSuchPage(Rejected):
    """The list has changed so much that the next page cannot be told."""

    code = "list_changed"
    title = "The list has changed"


def list_titles(query: str | None, *, limit: int, after: str | None, shelf: Shelf, index: SearchIndex) -> TitleList:
    """Return one page of titles.

    Args:
        query: what somebody typed; empty or `None` for everything, the newest first.
        after: id of the last title of the page before; `None` for the first page.

    Raises:
        NoSuchPage: the title `after` is not in the list any more.
    """
    if query is None or not query.strip():
        if after is not None and shelf.title(after) is None:
            raise _no_page()
        page = shelf.newest(limit, after)
        return TitleList(titles=tuple(stored.title for stored in page), total=shelf.titles_count())
    found = list(index.best(query))
    if after is not None and after not in found:
        raise _no_page()
    begin = found.index(after) + 1 if after is not None else 0
    page = [stored for title_id in found[begin : begin + limit] if (stored := shelf.title(title_id))]
    return TitleList(titles=tuple(stored.title for stored in page), total=len(found))


def _no_page() -> NoSuchPage:
    return NoSuchPage("The title at the end of the last page is gone. Begin the list again.")
