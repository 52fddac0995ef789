"""Search, titles and offers: whom to ask, and how to read what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from kinodom_common.contracts.offers import Offer, OfferList
from kinodom_common.contracts.titles import (
    SearchLine,
    SearchReply,
    SourceOutcome,
    SourceTitle,
    TitleHit,
)
from kinodom_common.errors import NotFound, Rejected
from kinodom_common.logs import get_log
from kinodom_resolver.domain import merging
from kinodom_resolver.domain.ports import Searches
from kinodom_resolver.domain.questions import Question
from kinodom_resolver.domain.wall import SourceBroke

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_resolver.domain.ports import Listed, QueryKind, Source
    from kinodom_resolver.domain.questions import Answer, Asks, Told

log = get_log(__name__)

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
HITS_PER_SOURCE = 100


class EmptyQuery(Rejected):
    """There is nothing to search for."""

    code = "empty_query"


class NoSuchSource(NotFound):
    """No source that is switched on knows ids of this scheme."""

    code = "no_such_source"


class NoSuchTitle(NotFound):
    """The source answered, and has no such title."""

    code = "no_such_title"


def kind_of(query: str) -> QueryKind:
    """Return whether somebody typed words or pasted an address."""
    return "address" if ADDRESS.fullmatch(query) else "words"


def search(query: str, *, listed: Sequence[Listed], wall: Asks, deadline_s: float) -> SearchReply:
    """Return what all sources know, grouped in the order of their weights, and what became of asking each.

    Raises:
        EmptyQuery: the query has nothing but spaces.
    """
    query = typed(query)
    questions = search_questions(query, listed)
    answers = {one.source.name: answer for one, answer in wall.stream(questions, deadline_s=deadline_s)}
    told = [told_by(one.source, answers[one.source.name]) for one in questions]
    hits = tuple(hit for found, _ in told for hit in found)
    return SearchReply(
        query=query, hits=hits, sources=tuple(outcome for _, outcome in told), groups=merging.groups_of(hits)
    )


def search_lines(query: str, *, listed: Sequence[Listed], wall: Asks, deadline_s: float) -> Iterator[SearchLine]:
    """Give what each source knows as soon as it has answered, then a line that says that this was all.

    Raises:
        EmptyQuery: the query has nothing but spaces; before the first line.
    """
    questions = search_questions(typed(query), listed)
    grouping = merging.Grouping()

    def lines() -> Iterator[SearchLine]:
        for question, answer in wall.stream(questions, deadline_s=deadline_s):
            hits, outcome = told_by(question.source, answer)
            yield SearchLine(outcome=outcome, hits=tuple(hits), groups=grouping.with_these(hits))
        yield SearchLine(done=True)

    return lines()


def search_questions(query: str, listed: Sequence[Listed]) -> list[Question]:
    """Return what the sources are asked for these words or this address, the heaviest source first."""
    kind = kind_of(query)
    words = query if kind == "address" else " ".join(query.casefold().split())
    return [
        Question(
            source=row.source,
            kind="search",
            words=words,
            ask=_search(row.source, query),
            typed=kind == "address",
            limit_s=row.limit_s,
        )
        for row in by_weight(listed)
        if row.source is not None and isinstance(row.source, Searches) and kind in row.source.reads
    ]


def title(external_id: str, *, listed: Sequence[Listed], wall: Asks, deadline_s: float) -> SourceTitle:
    """Return a title's page at its source.

    Raises:
        NoSuchSource, NoSuchTitle: nothing there.
        UpstreamFailed: could not ask.
    """
    row, source = source_of(external_id, listed)

    def ask() -> Told:
        value: object = source.title(external_id)
        if not isinstance(value, SourceTitle) or not _owns(source, value.card.external_id):
            raise _broke(source, value)
        return value.model_copy(update={"source": source.name})

    question = Question(
        source=source, kind="title", words=external_id, ask=ask, typed=opens_typed_only(source), limit_s=row.limit_s
    )
    value, age_s = _one(question, wall=wall, deadline_s=deadline_s)
    if not isinstance(value, SourceTitle):
        raise _broke(source, value)
    return value.model_copy(update={"age_s": age_s})


def offers(
    external_id: str,
    season: int | None,
    episode: int | None,
    translation_id: str,
    *,
    listed: Sequence[Listed],
    wall: Asks,
    deadline_s: float,
    fresh: bool = False,
) -> OfferList:
    """Return addresses of one episode, the best first; empty when the source has not got that episode.

    Args:
        external_id: of the title, as the two below are of the episode.
        season: None for a film.
        episode: None for a film.
        translation_id: of the dub or version.
        listed: the sources.
        wall: asks them.
        deadline_s: for the answer.
        fresh: the source is asked again, because an address that was kept did not work.

    Raises:
        NoSuchSource, NoSuchTitle: nothing there.
        UpstreamFailed: could not ask.
    """
    row, source = source_of(external_id, listed)
    reply = OfferList(external_id=external_id, season=season, episode=episode, translation_id=translation_id)

    def ask() -> Told:
        value: object = source.offers(external_id, season, episode, translation_id)
        if not isinstance(value, list | tuple):
            raise _broke(source, value)
        good = tuple(one.model_copy(update={"source": source.name}) for one in value if isinstance(one, Offer))
        return reply.model_copy(update={"offers": good})

    question = Question(
        source=source,
        kind="offers",
        words=f"{external_id} {season} {episode} {translation_id}",
        ask=ask,
        fresh=fresh,
        typed=opens_typed_only(source),
        limit_s=row.limit_s,
    )
    value, age_s = _one(question, wall=wall, deadline_s=deadline_s)
    if not isinstance(value, OfferList):
        raise _broke(source, value)
    return value.model_copy(update={"age_s": age_s})


def by_weight(listed: Sequence[Listed]) -> list[Listed]:
    """Return the rows of the sources that are switched on, the heaviest first."""
    return sorted((row for row in listed if row.source is not None), key=lambda row: -row.weight)


def enabled(listed: Sequence[Listed]) -> list[Source]:
    """Return the sources that are switched on, the heaviest first."""
    return [row.source for row in by_weight(listed) if row.source is not None]


def source_of(external_id: str, listed: Sequence[Listed]) -> tuple[Listed, Source]:
    """Return the source that owns the scheme of an id, with its row; raises NoSuchSource."""
    scheme = external_id.partition(":")[0]
    for row in by_weight(listed):
        if row.source is not None and scheme in row.source.schemes:
            return row, row.source
    raise NoSuchSource(f"No source here knows ids that begin with “{scheme[:24]}:”. It may be switched off.")


def opens_typed_only(source: Source) -> bool:
    """Say whether a source opens addresses that people type and nothing else: their hosts fail, not the source."""
    return isinstance(source, Searches) and source.reads == {"address"}


def told_by(source: Source, answer: Answer) -> tuple[list[TitleHit], SourceOutcome]:
    """Return the hits of an answer to a search, and what became of asking."""
    problem = answer.problem
    outcome = SourceOutcome(
        source=source.name, label=source.label, state="answered", took_ms=answer.took_ms, age_s=answer.age_s
    )
    if problem is not None and not isinstance(problem, NotFound):
        return [], outcome.model_copy(update={"state": "silent", "code": problem.code, "detail": problem.detail})
    hits = list(answer.value.hits) if isinstance(answer.value, SearchReply) else []
    return hits, outcome.model_copy(update={"count": len(hits)})


def typed(query: str) -> str:
    """Return a query without spaces around it; raises EmptyQuery."""
    query = query.strip()
    if not query:
        raise EmptyQuery("Type a title, or paste the address of a video.")
    return query


def _search(source: Searches, query: str) -> Callable[[], Told]:
    def ask() -> Told:
        value: object = source.search(query)
        if not isinstance(value, list | tuple):
            raise _broke(cast("Source", source), value)
        return SearchReply(query=query, hits=tuple(_hits(cast("Source", source), value)))

    return ask


def _hits(source: Source, items: Sequence[object]) -> list[TitleHit]:
    good = [item for item in items if isinstance(item, TitleHit) and _owns(source, item.external_id)]
    if len(good) < len(items):
        log.warning("hits_dropped", source=source.name, dropped=len(items) - len(good))
    return [hit.model_copy(update={"source": source.name}) for hit in good[:HITS_PER_SOURCE]]


def _owns(source: Source, external_id: str) -> bool:
    return external_id.partition(":")[0] in source.schemes


def _one(question: Question, *, wall: Asks, deadline_s: float) -> tuple[Told, int | None]:
    source = question.source
    ((_, answer),) = wall.stream([question], deadline_s=deadline_s)
    if isinstance(answer.problem, NotFound):
        known = answer.problem.code == NoSuchTitle.code  # then the source's own words say more
        detail = answer.problem.detail if known else f"{source.label} does not have this title any more."
        raise NoSuchTitle(detail) from answer.problem
    if answer.problem is not None:
        raise answer.problem
    if answer.value is None:
        raise _broke(source, None)
    return answer.value, answer.age_s


def _broke(source: Source, value: object) -> SourceBroke:
    log.warning("source_answered_nonsense", source=source.name, type=type(value).__name__)
    return SourceBroke(f"{source.label} gave an answer that nobody can read. This is a mistake in that source.")
