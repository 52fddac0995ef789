"""Which provider of facts is asked about a title, what is believed, and when it is tried again."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kinodom_catalogue.domain.ports import (
    Covers,
    EnrichState,
    MetadataProvider,
    NoSuchTitle,
    ProviderFacts,
    ProviderPaused,
    Shelf,
    StoredTitle,
    Wanted,
)
from kinodom_catalogue.domain.videos import is_demo, shared_aliases, waiting_again
from kinodom_catalogue.domain.words import SAME_NAME, likeness
from kinodom_common.contracts.videos import Title
from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log

log = get_log(__name__)

SHIKIMORI, OMDB = "shikimori", "omdb"
ANIME = ("anime", "аниме")
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
TRIES = 14  # about two days; then somebody must look
COVER_TRIES = 3  # a title is not kept waiting for its picture alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of asking."""

    state: EnrichState
    facts: ProviderFacts | None = None
    cover: str | None = None
    next_try_at: datetime | None = None  # set when the state is still `waiting`
    counted: bool = False  # the try counts against TRIES
    asked: tuple[str, ...] = ()  # providers that answered


def enrich(
    title_id: str, *, shelf: Shelf, providers: Mapping[str, MetadataProvider], covers: Covers, now: datetime
) -> EnrichState | None:
    """Ask about a title, store what came of it and return its state; `None` when there was nothing to do."""
    stored = shelf.title(title_id)
    if stored is None or stored.title.enrich_state != "waiting":
        return None
    if stored.next_try_at is not None and stored.next_try_at > now:
        return None
    finding = ask(stored, providers=providers, covers=covers, now=now)
    try:
        after = shelf.change_title(title_id, lambda found: with_finding(found, finding))
    except NoSuchTitle:
        return None  # its last video was deleted meanwhile
    for alias in shared_aliases(after.title.imdb_id, after.title.shikimori_id):
        shelf.claim_alias(alias, title_id)
    log.info("title_enriched", title_id=title_id, state=after.title.enrich_state, provider=after.title.enriched_by)
    return after.title.enrich_state


def ask(stored: StoredTitle, *, providers: Mapping[str, MetadataProvider], covers: Covers, now: datetime) -> Finding:
    """Return what the providers say; trouble is a finding that waits, "nothing" is one that does not."""
    names = [name for name in providers_for(stored.title) if name in providers]
    try:
        facts = next((facts for name in names if (facts := providers[name].find(wanted_of(stored)))), None)
        cover = _cover(stored, facts, covers)
    except ProviderPaused as exc:
        return Finding(state="waiting", next_try_at=max(exc.until, now + FIRST_PAUSE))
    except UpstreamFailed as exc:
        log.warning("enrichment_failed", title_id=stored.title.title_id, code=exc.code, detail=exc.detail)
        return _trouble(stored, now=now)
    if not names:
        return Finding(state="off", cover=cover)
    return Finding(state="done" if facts else "nothing", facts=facts, cover=cover, asked=tuple(names))


def wake(*, shelf: Shelf, providers: Collection[str], now: datetime) -> int:
    """Let titles without facts wait again when a provider was switched on that was never asked about them.

    Returns how many those are.
    """
    woken = [found for found in shelf.without_facts() if not is_demo(found.title) and set(providers) - {*found.asked}]
    for found in woken:
        with contextlib.suppress(NoSuchTitle):
            shelf.change_title(found.title.title_id, lambda stored: waiting_again(stored, now=now))
    if woken:
        log.info("titles_woken", count=len(woken))
    return len(woken)


def note_crash(title_id: str, *, shelf: Shelf, now: datetime) -> None:
    """Note a try that ended in a way nobody foresaw; the title is tried again later."""

    def step(found: StoredTitle) -> StoredTitle:
        if found.title.enrich_state != "waiting":
            return found
        return with_finding(found, _trouble(found, now=now))

    try:
        shelf.change_title(title_id, step)
    except NoSuchTitle:
        return


def _trouble(stored: StoredTitle, *, now: datetime) -> Finding:
    if stored.tries + 1 >= TRIES:
        return Finding(state="failed", counted=True)
    return Finding(state="waiting", next_try_at=now + pause_after(stored.tries), counted=True)


def providers_for(title: Title) -> tuple[str, ...]:
    """Return the names of the providers in the order of asking: anime is Shikimori's, the rest OMDb's.

    Demo films are ours: nobody is asked about them, only their posters are stored.
    """
    if is_demo(title):
        return ()
    anime = title.shikimori_id is not None or any(word in " ".join(title.genres).casefold() for word in ANIME)
    anime = anime or any(known.split(":")[0] == SHIKIMORI for known in title.external_ids)
    return (SHIKIMORI, OMDB) if anime else (OMDB, SHIKIMORI)


def wanted_of(stored: StoredTitle) -> Wanted:
    """Return the question about a title."""
    title = stored.title
    known = [name for name in (title.original_name, title.name, *stored.other_names) if name]
    # Sources write the season into the name: `Наруто [ТВ-1]`.
    bare = [name for known_name in known if (name := re.sub(r"\s*[\[(][^\])]*[\])]\s*", " ", known_name).strip())]
    names = dict.fromkeys([*bare, *known])
    return Wanted(
        names=tuple(names),
        year=title.year,
        kind=title.kind,
        imdb_id=title.imdb_id,
        shikimori_id=title.shikimori_id,
    )


def fits(wanted: Wanted, facts: ProviderFacts) -> bool:
    """Return whether facts that were found by name are about the wanted title: names alike, years at most one apart."""
    if wanted.year is not None and facts.year is not None and abs(wanted.year - facts.year) > 1:
        return False
    if "unknown" not in (wanted.kind, facts.kind) and wanted.kind != facts.kind:
        return False
    theirs = [name for name in (facts.name, facts.original_name, *facts.other_names) if name]
    return any(likeness(ours, name) >= SAME_NAME for ours in wanted.names for name in theirs)


def pause_after(tries: int) -> timedelta:
    """Return how long to wait after so many failed tries before this one: 30 s, doubled up to six hours."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(tries, 20)))


def with_finding(stored: StoredTitle, finding: Finding) -> StoredTitle:
    """Return the title with what was found. The source's own name stays; gaps are filled, facts preferred."""
    title = stored.title.model_copy(
        update={"enrich_state": finding.state, "cover": finding.cover or stored.title.cover}
    )
    tries, facts = stored.tries + finding.counted, finding.facts
    stored = replace(stored, tries=tries, asked=finding.asked or stored.asked)
    if facts is None:
        return replace(stored, title=title, next_try_at=finding.next_try_at)
    names = dict.fromkeys(filter(None, (*stored.other_names, facts.name, facts.original_name, *facts.other_names)))
    title = title.model_copy(
        update={
            "original_name": title.original_name or facts.original_name,
            "year": title.year or facts.year,
            "kind": facts.kind if title.kind == "unknown" else title.kind,
            "description": facts.description or title.description,
            "genres": facts.genres or title.genres,
            "score": facts.score,
            "score_by": facts.score_by if facts.score is not None else None,
            "imdb_id": title.imdb_id or facts.imdb_id,
            "shikimori_id": facts.shikimori_id if title.shikimori_id is None else title.shikimori_id,
            "enriched_by": facts.provider,
        }
    )
    others = tuple(name for name in names if name not in (title.name, title.original_name))[:20]
    return replace(stored, title=title, other_names=others, next_try_at=None)


def _cover(stored: StoredTitle, facts: ProviderFacts | None, covers: Covers) -> str | None:
    for url in filter(None, (facts.poster_url if facts else None, stored.poster_url)):
        try:
            cover = covers.keep(url)
        except UpstreamFailed:
            if stored.tries + 1 < COVER_TRIES:
                raise
            cover = None
        if cover:
            return cover
    return None
