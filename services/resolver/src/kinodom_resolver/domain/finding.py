"""Search, titles and offers: whom to ask, and how to read what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kinodom_common.contracts.offers import Offer, OfferList
from kinodom_common.contracts.titles import (
    SearchReply,
    SourceCard,
    SourceList,
    SourceOutcome,
    SourceTitle,
    TitleHit,
)
from kinodom_common.errors import NotFound, Rejected
from kinodom_common.logs import get_log
from kinodom_resolver.domain.ports import Searches
from kinodom_resolver.domain.wall import SourceBroke

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_resolver.domain.ports import Listed, QueryKind, Source
    from kinodom_resolver.domain.wall import Answer, Wall

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


def search(query: str, *, listed: Sequence[Listed], wall: Wall, deadline_s: float) -> SearchReply:
    """Return what all sources know, grouped in the order of their weights, and what became of asking each.

    Raises:
        EmptyQuery: the query has nothing but spaces.
    """
    query = query.strip()
    if not query:
        raise EmptyQuery("Type a title, or paste the address of a video.")
    asked = [source for source in enabled(listed) if isinstance(source, Searches) and kind_of(query) in source.reads]
    answers = wall.ask(
        {source.name: (source, _question(source, query)) for source in asked},
        deadline_s=deadline_s,
    )
    hits: list[TitleHit] = []
    outcomes: list[SourceOutcome] = []
    for source in asked:
        found, outcome = _outcome(source, answers[source.name])
        hits += found
        outcomes.append(outcome)
    return SearchReply(query=query, hits=tuple(hits), sources=tuple(outcomes))


def title(external_id: str, *, listed: Sequence[Listed], wall: Wall, deadline_s: float) -> SourceTitle:
    """Return a title's page at its source.

    Raises:
        NoSuchSource, NoSuchTitle: nothing there.
        UpstreamFailed: could not ask.
    """
    source = source_of(external_id, listed)
    value = _one(source, lambda: source.title(external_id), wall=wall, deadline_s=deadline_s)
    if not isinstance(value, SourceTitle) or not _owns(source, value.card.external_id):
        raise _broke(source, value)
    return value.model_copy(update={"source": source.name})


def offers(
    external_id: str,
    season: int | None,
    episode: int | None,
    translation_id: str,
    *,
    listed: Sequence[Listed],
    wall: Wall,
    deadline_s: float,
) -> OfferList:
    """Return fresh addresses of one episode, the best first; empty when the source has not got that episode.

    Raises:
        NoSuchSource, NoSuchTitle: nothing there.
        UpstreamFailed: could not ask.
    """
    source = source_of(external_id, listed)
    value = _one(
        source,
        lambda: source.offers(external_id, season, episode, translation_id),
        wall=wall,
        deadline_s=deadline_s,
    )
    if not isinstance(value, list | tuple):
        raise _broke(source, value)
    good = tuple(one.model_copy(update={"source": source.name}) for one in value if isinstance(one, Offer))
    return OfferList(
        external_id=external_id, season=season, episode=episode, translation_id=translation_id, offers=good
    )


def sources(*, listed: Sequence[Listed]) -> SourceList:
    """Return all sources known here, the heaviest first."""
    cards = (
        SourceCard(
            name=row.name,
            label=row.label,
            weight=row.weight,
            enabled=row.source is not None and not row.mistakes,
            note=row.note,
            mistakes=row.mistakes,
        )
        for row in sorted(listed, key=lambda row: -row.weight)
    )
    return SourceList(sources=tuple(cards))


def enabled(listed: Sequence[Listed]) -> list[Source]:
    """Return the sources that are switched on, the heaviest first."""
    return sorted((row.source for row in listed if row.source is not None), key=lambda source: -source.weight)


def source_of(external_id: str, listed: Sequence[Listed]) -> Source:
    """Return the source that owns the scheme of an id; raises NoSuchSource."""
    scheme = external_id.partition(":")[0]
    for source in enabled(listed):
        if scheme in source.schemes:
            return source
    raise NoSuchSource(f"No source here knows ids that begin with “{scheme[:24]}:”. It may be switched off.")


def _question(source: Searches, query: str) -> Callable[[], object]:
    return lambda: source.search(query)


def _outcome(source: Source, answer: Answer) -> tuple[list[TitleHit], SourceOutcome]:
    problem = answer.problem
    if problem is None and not isinstance(answer.value, list | tuple):
        problem = _broke(source, answer.value)
    if problem is not None and not isinstance(problem, NotFound):
        silent = SourceOutcome(
            source=source.name,
            label=source.label,
            state="silent",
            took_ms=answer.took_ms,
            code=problem.code,
            detail=problem.detail,
        )
        return [], silent
    hits = _hits(source, answer.value if isinstance(answer.value, list | tuple) else ())
    answered = SourceOutcome(
        source=source.name, label=source.label, state="answered", count=len(hits), took_ms=answer.took_ms
    )
    return hits, answered


def _hits(source: Source, items: Sequence[object]) -> list[TitleHit]:
    good = [item for item in items if isinstance(item, TitleHit) and _owns(source, item.external_id)]
    if len(good) < len(items):
        log.warning("hits_dropped", source=source.name, dropped=len(items) - len(good))
    return [hit.model_copy(update={"source": source.name}) for hit in good[:HITS_PER_SOURCE]]


def _owns(source: Source, external_id: str) -> bool:
    return external_id.partition(":")[0] in source.schemes


def _one(source: Source, question: Callable[[], object], *, wall: Wall, deadline_s: float) -> object:
    answer = wall.ask({source.name: (source, question)}, deadline_s=deadline_s)[source.name]
    if isinstance(answer.problem, NotFound):
        known = answer.problem.code == NoSuchTitle.code  # then the source's own words say more
        detail = answer.problem.detail if known else f"{source.label} does not have this title any more."
        raise NoSuchTitle(detail) from answer.problem
    if answer.problem is not None:
        raise answer.problem
    return answer.value


def _broke(source: Source, value: object) -> SourceBroke:
    log.warning("source_answered_nonsense", source=source.name, type=type(value).__name__)
    return SourceBroke(f"{source.label} gave an answer that nobody can read. This is a mistake in that source.")
