"""The search page: whole, or begun and filled in line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_common.contracts import Reply
from kinodom_common.contracts.titles import GroupMember, TitleGroup
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext
from kinodom_gateway.presenters import reasons, words
from kinodom_gateway.presenters.shelf import Card, card

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from kinodom_common.contracts.titles import SearchLine, SourceOutcome, TitleHit
    from kinodom_common.contracts.videos import Title, TitleList
    from kinodom_common.errors import KinodomError
    from kinodom_gateway.domain.finding import Begun, Found

DUBS_NAMED = 3  # more are counted


class SourceLink(Reply):
    """One source of a row, and where the title is there."""

    source: str
    label: str
    url: str


class OfferRow(Reply):
    """A title that sources have; one title of several sources is one row."""

    key: str  # the same in every line of a search that tells more of this row
    url: str  # at the best source
    external_id: str  # there
    name: str
    year: int | None = None
    facts: str
    licence: str | None = None
    sources: tuple[SourceLink, ...]


class Answered(Reply):
    """One line of “Who answered”."""

    source: str
    label: str
    mark: str  # class of the sign: home, ok, slow, bad
    facts: str
    reason: str | None = None  # why it is silent and what to do


class PageLine(Reply):
    """What one source adds to a search page. The last one has `done` and nothing else."""

    answered: Answered | None = None
    rows: tuple[OfferRow, ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """Everything the search page prints."""

    query: str
    count: str
    cards: tuple[Card, ...]
    offers: tuple[OfferRow, ...]
    answered: tuple[Answered, ...]
    asked: tuple[Answered, ...] = ()  # sources that a script still waits for, in the order of their weights


def search_view(found: Found) -> SearchView:
    """Return the whole search page."""
    home = found.home.titles if found.home else ()
    outcomes = found.away.sources if found.away else ()
    labels = {one.source: words.source(one.label) for one in outcomes}
    hits, groups = (found.away.hits, found.away.groups) if found.away else ((), ())
    rows = tuple(_rows(hits, groups, labels, known=known_ids(home)))
    return SearchView(
        query=found.query,
        count=words.films(len(home) + len(rows)),
        cards=tuple(card(title) for title in home),
        offers=rows,
        answered=(_disk(found.home), *(_answered(one) for one in outcomes), *_away(found.silent)),
    )


def begun_view(begun: Begun) -> SearchView:
    """Return the page with what the house has, and a place for each source that is asked."""
    home = begun.home.titles if begun.home else ()
    asked = tuple(
        Answered(source=one.name, label=words.source(one.label), mark="slow", facts=_("answering"))
        for one in begun.asked
    )
    return SearchView(
        query=begun.query,
        count=_("%(films)s so far", films=words.films(len(home))),
        cards=tuple(card(title) for title in home),
        offers=(),
        answered=(_disk(begun.home),),
        asked=asked,
    )


def page_lines(told: Iterable[SearchLine], *, known: Collection[str]) -> Iterator[PageLine]:
    """Give each line of a search as the page shows it; `known` are ids of titles that stand on the page already."""
    for line in told:
        if line.outcome is None:
            yield PageLine(done=line.done)
            continue
        labels = {line.outcome.source: words.source(line.outcome.label)}
        rows = tuple(_rows(line.hits, line.groups, labels, known=known))
        yield PageLine(answered=_answered(line.outcome), rows=rows)


def known_ids(titles: Iterable[Title]) -> frozenset[str]:
    """Return the ids under which sources know these titles."""
    return frozenset(one for title in titles for one in title.external_ids)


def _rows(
    hits: Sequence[TitleHit], groups: Sequence[TitleGroup], labels: Mapping[str, str], *, known: Collection[str]
) -> Iterator[OfferRow]:
    """Give a row for each group that these hits are in. What the house knows is left out: its own card stands there."""
    told = {hit.external_id: hit for hit in hits if hit.external_id not in known}
    seen: set[str] = set()
    for group in groups or [_alone(hit) for hit in hits]:
        members = [one.external_id for one in group.members if one.external_id not in known]
        mine = [told[one] for one in members if one in told]
        if mine and members[0] not in seen:
            seen.add(members[0])
            yield _row(members[0], mine, labels)


def _alone(hit: TitleHit) -> TitleGroup:
    return TitleGroup(name=hit.name, members=(GroupMember(external_id=hit.external_id, source=hit.source),))


def _row(key: str, hits: Sequence[TitleHit], labels: Mapping[str, str]) -> OfferRow:
    best = hits[0]
    links = tuple(
        SourceLink(source=hit.source, label=labels.get(hit.source, hit.source), url=_url(hit)) for hit in hits
    )
    return OfferRow(
        key=key,
        url=links[0].url,
        external_id=best.external_id,
        name=best.name,
        year=next((hit.year for hit in hits if hit.year), None),
        facts=_facts(best),
        licence=next((hit.licence for hit in hits if hit.licence), None),
        sources=links,
    )


def _url(hit: TitleHit) -> str:
    return url_for("pages.external", external_id=hit.external_id)


def _facts(hit: TitleHit) -> str:
    what = [words.kind(hit.kind), *([words.episodes(hit.episodes)] if hit.episodes else [])]
    best = [_("up to %(height)dp", height=max(hit.heights_px))] if hit.heights_px else []
    if not hit.dubs:
        return ", ".join([*what, *best])
    many = ngettext("%(num)d dub", "%(num)d dubs", len(hit.dubs))
    dubs = [words.dub(one) for one in hit.dubs] if len(hit.dubs) <= DUBS_NAMED else [many]
    return f"{', '.join(what)}. {', '.join([*dubs, *best])}"


def _disk(home: TitleList | None) -> Answered:
    facts = _("does not answer") if home is None else words.films(len(home.titles))
    return Answered(source="", label=_("Your disk"), mark="bad" if home is None else "home", facts=facts)


def _away(silent: Iterable[tuple[str, KinodomError]]) -> Iterator[Answered]:
    for part, error in silent:
        if part == "resolver":
            yield Answered(
                source="",
                label=_("Sources"),
                mark="bad",
                facts=_("no answer"),
                reason=reasons.sentence(error.code, error.detail),
            )


def _answered(one: SourceOutcome) -> Answered:
    label = words.source(one.label)
    if one.state == "silent":
        reason = reasons.plain(one.code, one.detail)
        return Answered(source=one.source, label=label, mark="bad", facts=reasons.short(one.code), reason=reason)
    facts = words.films(one.count) if one.count else _("nothing by this name")
    when = words.seconds(one.took_ms / 1000) if one.age_s is None else words.ago(one.age_s)
    return Answered(source=one.source, label=label, mark="ok", facts=f"{facts}, {when}")
