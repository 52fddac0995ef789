"""The sources page: who is asked in which order, how each one is, and the cure for a sick one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import ngettext
from kinodom_gateway.presenters import reasons, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from kinodom_common.contracts.sources import SourceTrial
    from kinodom_common.contracts.titles import SourceCard

SLOW_MS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A mark with its word."""

    mark: str  # class: ok, slow, bad, off
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One of the first hits of a trial."""

    url: str
    name: str
    year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the page says of the form that was just sent."""

    source: str
    text: str
    trouble: bool
    query: str = ""
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source."""

    name: str
    label: str
    weight: int
    sign: Sign
    facts: tuple[str, ...]
    cure: str | None  # what happened and what to do
    set_up: bool
    enabled: bool
    reads: str  # what may be typed to try it; empty: it cannot search
    mistakes: tuple[str, ...]  # in the description that the operator wrote
    pacing_s: str  # as the form shows it
    time_limit_s: str
    proxy: str | None  # without its user and password
    browser_tls: bool
    cookies: tuple[str, ...]
    has_cookies: bool
    first: bool  # in the order of asking
    last: bool
    said: Said | None

    @property
    def opened(self) -> bool:
        """Say whether its forms are shown unfolded."""
        return self.said is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesView:
    """Everything the template prints."""

    rows: tuple[SourceRow, ...]
    sums: tuple[Sign, ...]


def sources_view(
    cards: Sequence[SourceCard], cookies: Mapping[str, tuple[str, ...]], *, now_s: float, said: Said | None = None
) -> SourcesView:
    """Return the page; `said` unfolds the row that a form was sent from."""
    order = [one.name for one in cards if one.weight > 0]
    rows = tuple(_row(one, cookies.get(one.name, ()), order, now_s, said) for one in cards)
    return SourcesView(rows=rows, sums=_sums([row.sign.mark for row in rows]))


def trial_said(name: str, query: str, trial: SourceTrial) -> Said:
    """Return what came of a trial, in words."""
    outcome = trial.outcome
    took = words.seconds(outcome.took_ms / 1000)
    if outcome.state == "silent":
        text = f"{reasons.plain(outcome.code, outcome.detail)} ({reasons.short(outcome.code)}, {took})"
        return Said(source=name, text=text, trouble=True, query=query)
    found = words.films(outcome.count) if outcome.count else _("It answered and has nothing by this name")
    hits = tuple(
        Hit(url=url_for("pages.external", external_id=hit.external_id), name=hit.name, year=hit.year)
        for hit in trial.hits
    )
    return Said(source=name, text=f"{found}, {took}.", trouble=False, query=query, hits=hits)


def _row(one: SourceCard, cookies: tuple[str, ...], order: list[str], now_s: float, said: Said | None) -> SourceRow:
    return SourceRow(
        name=one.name,
        label=words.source(one.label),
        weight=one.weight,
        sign=_sign(one),
        facts=_facts(one, now_s),
        cure=_cure(one),
        set_up=one.set_up and not one.mistakes,
        enabled=one.enabled,
        reads=_reads(one),
        mistakes=one.mistakes,
        pacing_s=f"{one.pacing_s:g}" if one.pacing_s else "",
        time_limit_s=f"{one.time_limit_s:g}" if one.time_limit_s else "",
        proxy=one.proxy,
        browser_tls=one.browser_tls,
        cookies=cookies,
        has_cookies=one.cookies > 0,
        first=one.name not in order or one.name == order[0],
        last=one.name not in order or one.name == order[-1],
        said=said if said is not None and said.source == one.name else None,
    )


def _is_sick(one: SourceCard) -> bool:
    health = one.health
    if health.state == "open":
        return True
    if health.last_failure_at is None:
        return False
    return health.last_success_at is None or health.last_success_at < health.last_failure_at


def _sign(one: SourceCard) -> Sign:
    health = one.health
    if not one.set_up:
        return Sign(mark="off", word=_("not set up"))
    if one.mistakes:
        return Sign(mark="bad", word=reasons.short("site_file_broken"))
    if not one.enabled:
        return Sign(mark="off", word=_("switched off"))
    if _is_sick(one):
        return Sign(mark="bad", word=reasons.short(health.last_code))
    if health.took_ms is not None and health.took_ms > SLOW_MS:
        return Sign(mark="slow", word=_("slow"))
    if health.last_success_at is None:
        return Sign(mark="off", word=_("not asked yet"))
    return Sign(mark="ok", word=_("answers"))


def _facts(one: SourceCard, now_s: float) -> tuple[str, ...]:
    health = one.health
    facts = [_reads(one)] if one.reads else []
    facts += (
        [_("about %(time)s for an answer", time=words.seconds(health.took_ms / 1000))]
        if health.took_ms is not None
        else []
    )
    facts += [_("last answer %(ago)s", ago=_ago(health.last_success_at, now_s))] if health.last_success_at else []
    facts += [_("last trouble %(ago)s", ago=_ago(health.last_failure_at, now_s))] if health.last_failure_at else []
    facts += [ngettext("%(num)d cookie", "%(num)d cookies", one.cookies)] if one.cookies else []
    facts += [_("through the proxy %(address)s", address=one.proxy)] if one.proxy else []
    facts += [_("looks like a browser")] if one.browser_tls else []
    return tuple(facts)


def _ago(at: datetime, now_s: float) -> str:
    return words.ago(now_s - at.timestamp())


def _cure(one: SourceCard) -> str | None:
    if not one.set_up:
        return reasons.missing_setting(one.note)
    if one.mistakes:
        return _(
            "Its description has mistakes, so it is not asked. Mend these lines; the file is read again by itself."
        )
    if not one.enabled or not _is_sick(one):
        return None
    resting = _("It is left alone for now and tried again by itself each half minute.")
    reason = reasons.plain(
        one.health.last_code, _("Its last answer was a failure: %(code)s.", code=one.health.last_code)
    )
    return f"{reason} {resting}" if one.health.state == "open" else reason


def _reads(one: SourceCard) -> str:
    if set(one.reads) == {"words", "address"}:
        return _("reads names and addresses")
    if one.reads:
        return _("reads names") if "words" in one.reads else _("reads addresses")
    return ""


def _sums(marks: Sequence[str]) -> tuple[Sign, ...]:
    many = Counter(marks)
    said = {
        "ok": ngettext("%(num)d answers", "%(num)d answer", many["ok"]),
        "slow": ngettext("%(num)d slow", "%(num)d slow", many["slow"]),
        "bad": ngettext("%(num)d in trouble", "%(num)d in trouble", many["bad"]),
        "off": ngettext("%(num)d not asked", "%(num)d not asked", many["off"]),
    }
    return tuple(Sign(mark=mark, word=word) for mark, word in said.items() if many[mark])
