"""One search over the house and the sources, side by side, with what came and who did not answer."""

from __future__ import annotations

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from kinodom_common.contracts.titles import SearchLine, SearchReply, SourceCard, SourceList, SourceTitle
from kinodom_common.contracts.videos import Title, TitleList, TitlePage
from kinodom_common.contracts.wishes import Wish, WishList
from kinodom_common.errors import KinodomError, Rejected, UpstreamFailed
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = get_log(__name__)

Result = TypeVar("Result")
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
MIN_QUERY, MAX_QUERY = 1, 2000
POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="ask")


class EmptyQuery(Rejected):
    """Nothing was typed."""

    code = "empty_query"
    title = "Nothing to look for"


class Late(UpstreamFailed):
    """A service did not answer in time."""

    code = "service_late"


class Shelf(Protocol):
    """The catalogue, as far as finding needs it."""

    def titles(self, q: str | None = None, *, limit: int = 48, after: str | None = None) -> TitleList:
        """Return titles of the house."""

    def title(self, title_id: str) -> TitlePage:
        """Return a title with its videos."""


class Sources(Protocol):
    """The resolver, as far as finding needs it."""

    def search(self, query: str) -> SearchReply:
        """Return what sources have under this name."""

    def sources(self) -> SourceList:
        """Return the sources known there, the heaviest first."""

    def search_lines(self, query: str) -> Iterator[SearchLine]:
        """Return what each source has as soon as it has answered."""

    def title(self, external_id: str) -> SourceTitle:
        """Return a title's page at its source."""


class Queue(Protocol):
    """The downloader, as far as finding needs it."""

    def wishes_of(self, external_id: str) -> WishList:
        """Return the wishes for a title of a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search brought. A part that could not be asked is `None`, with the reason in `silent`."""

    query: str
    home: TitleList | None
    away: SearchReply | None
    silent: tuple[tuple[str, KinodomError], ...]


def search(query: str, *, shelf: Shelf, sources: Sources, wait_s: float) -> Found:
    """Return what the house has and what sources offer; each part is given `wait_s` seconds.

    Raises:
        EmptyQuery: nothing was typed.
    """
    query = _typed(query)
    home, away = side_by_side(lambda: shelf.titles(query), lambda: sources.search(query), wait_s=wait_s)
    silent = tuple(
        (part, found) for part, found in (("catalogue", home), ("resolver", away)) if isinstance(found, KinodomError)
    )
    return Found(
        query=query,
        home=None if isinstance(home, KinodomError) else home,
        away=None if isinstance(away, KinodomError) else away,
        silent=silent,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A search whose sources are still to be read: what the house has, and who is asked."""

    query: str
    home: TitleList | None  # None: the catalogue does not answer
    asked: tuple[SourceCard, ...]  # the heaviest first


def begin(query: str, *, shelf: Shelf, sources: Sources, wait_s: float) -> Begun | None:
    """Return what the house has at once, and the sources that this query goes to; None: nobody can say who they are.

    Raises:
        EmptyQuery: nothing was typed.
    """
    query = _typed(query)
    home, known = side_by_side(lambda: shelf.titles(query), sources.sources, wait_s=wait_s)
    if isinstance(known, KinodomError):
        return None
    kind = "address" if ADDRESS.fullmatch(query) else "words"
    asked = tuple(one for one in known.sources if one.enabled and kind in one.reads)
    return Begun(query=query, home=None if isinstance(home, KinodomError) else home, asked=asked)


def at_home(query: str, *, shelf: Shelf) -> tuple[Title, ...]:
    """Return the titles of the house that fit; none while the catalogue does not answer.

    Raises:
        EmptyQuery: nothing was typed.
    """
    try:
        return shelf.titles(_typed(query)).titles
    except UpstreamFailed:
        return ()


def away_lines(query: str, *, sources: Sources) -> Iterator[SearchLine]:
    """Return what the sources have, each as soon as it answers. Cut off, it ends without a line that has `done`.

    Raises:
        EmptyQuery: nothing was typed; before the first line.
    """
    query = _typed(query)
    found = sources.search_lines(query)

    def told() -> Iterator[SearchLine]:
        try:
            yield from found
        except UpstreamFailed as exc:
            log.warning("search_broke_off", code=exc.code)

    return told()


def _typed(query: str) -> str:
    query = " ".join(query.split())[:MAX_QUERY]
    if len(query) < MIN_QUERY:
        raise EmptyQuery("Type a name, or paste the address of a video.")
    return query


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A title's page: what the house holds, what its source says, what is coming."""

    external_id: str
    home: TitlePage | None  # None: not in the house yet
    source: SourceTitle | None  # None: the source has gone, or was not asked
    source_error: KinodomError | None  # why the source is silent
    wishes: tuple[Wish, ...]


def open_title(title_id: str, *, shelf: Shelf, sources: Sources, queue: Queue, wait_s: float) -> Seen:
    """Return the page of a title of the house; a silent source does not hide it.

    Raises:
        NotFound: the catalogue does not know it.
    """
    home = shelf.title(title_id)
    external_id = home.title.external_ids[0] if home.title.external_ids else ""
    return _with_source(external_id, home, sources=sources, queue=queue, wait_s=wait_s)


def open_external(external_id: str, *, home: TitlePage | None, sources: Sources, queue: Queue, wait_s: float) -> Seen:
    """Return the page of a title that a source told about.

    Raises:
        NotFound: the source does not know it, and the house does not either.
        UpstreamFailed: the source could not be asked, and the house has nothing of it.
    """
    if home is not None:
        return _with_source(external_id, home, sources=sources, queue=queue, wait_s=wait_s)
    source = sources.title(external_id)
    return Seen(
        external_id=external_id,
        home=None,
        source=source,
        source_error=None,
        wishes=_wishes_of(external_id, queue),
    )


def _with_source(external_id: str, home: TitlePage, *, sources: Sources, queue: Queue, wait_s: float) -> Seen:
    source, wishes = side_by_side(
        lambda: sources.title(external_id), lambda: _wishes_of(external_id, queue), wait_s=wait_s
    )
    return Seen(
        external_id=external_id,
        home=home,
        source=None if isinstance(source, KinodomError) else source,
        source_error=source if isinstance(source, KinodomError) else None,
        wishes=() if isinstance(wishes, KinodomError) else wishes,
    )


def _wishes_of(external_id: str, queue: Queue) -> tuple[Wish, ...]:
    return queue.wishes_of(external_id).wishes


def each(questions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Return the answers to questions that are asked side by side, in their order."""
    return [task.result() for task in [POOL.submit(copy_context().run, one) for one in questions]]


Other = TypeVar("Other")


def side_by_side(
    first: Callable[[], Result], second: Callable[[], Other], *, wait_s: float
) -> tuple[Result | KinodomError, Other | KinodomError]:
    """Run two questions at once; an error or a late answer of one does not touch the other."""
    began_s = time.monotonic()
    one = POOL.submit(copy_context().run, first)
    two = POOL.submit(copy_context().run, second)
    return _answer(one, wait_s), _answer(two, max(0.0, wait_s - (time.monotonic() - began_s)))


def _answer(task: Future[Result], wait_s: float) -> Result | KinodomError:
    try:
        return task.result(timeout=wait_s)
    except TimeoutError:
        return Late("No answer in time. Try again in a moment.")
    except KinodomError as exc:
        return exc
