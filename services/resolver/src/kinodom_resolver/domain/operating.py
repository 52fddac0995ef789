"""What the operator sets for a source while the house runs, and what the operator is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from kinodom_common.contracts.sources import CookieNames, SourceTrial
from kinodom_common.contracts.titles import SourceCard, SourceHealth, SourceList
from kinodom_common.errors import NotFound, Rejected
from kinodom_resolver.domain import finding
from kinodom_resolver.domain.cookies import Cookie, parse_cookies
from kinodom_resolver.domain.ports import Searches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kinodom_common.contracts.sources import CookieIn, SourceChange
    from kinodom_resolver.domain.health import Health, HealthBook
    from kinodom_resolver.domain.ports import Listed, QueryKind
    from kinodom_resolver.domain.questions import Asks

FIRST_HITS = 5


class UnknownSource(NotFound):
    """No source of this name is installed here."""

    code = "unknown_source"


class SourceNotSetUp(Rejected):
    """The source cannot be switched on, because a setting it needs is missing."""

    code = "source_not_set_up"


class SourceCannotSearch(Rejected):
    """The source does not read what was typed."""

    code = "source_cannot_search"


class BrowserTlsMissing(Rejected):
    """The package that speaks like a browser is not installed."""

    code = "browser_tls_missing"
    title = "Requests cannot look like a browser's here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What the operator has set for a source. None: as it is by itself."""

    weight: int | None = None
    enabled: bool | None = None
    pacing_s: float | None = None
    time_limit_s: float | None = None
    proxy: str | None = None
    browser_tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """What a trial needs."""

    wall: Asks
    deadline_s: float
    clock: Callable[[], float]


class SettingsBook(Protocol):
    """Where the operator's settings are kept, for all replicas. Cookies and proxies are kept locked."""

    def overrides(self) -> Mapping[str, Override]:
        """Return the settings by name of the source; those last read while the book is away."""

    def save(self, name: str, override: Override) -> None:
        """Keep the settings of a source; raises UpstreamFailed when they cannot be kept."""

    def cookies(self, name: str) -> tuple[Cookie, ...]:
        """Return the cookies of a source."""

    def save_cookies(self, name: str, cookies: Sequence[Cookie]) -> None:
        """Keep the cookies of a source, none to delete them; raises UpstreamFailed when they cannot be kept."""


def as_set(listed: Sequence[Listed], overrides: Mapping[str, Override]) -> list[Listed]:
    """Return the sources as the operator wants them now; weight 0 is off."""
    return [_row_as_set(row, overrides.get(row.name, Override())) for row in listed]


def _row_as_set(row: Listed, own: Override) -> Listed:
    weight = row.weight if own.weight is None else own.weight
    source = row.source
    if own.enabled is True:
        source = row.source or row.spare
    if own.enabled is False or weight == 0:
        source = None
    note = None if source is not None else row.note or "Switched off by the operator."
    spare = row.source or row.spare
    return replace(row, weight=weight, source=source, spare=spare, limit_s=own.time_limit_s, note=note)


def cards(listed: Sequence[Listed], *, settings: SettingsBook, book: HealthBook) -> SourceList:
    """Return all sources known here with what is set for them and how they are, the heaviest first."""
    overrides = settings.overrides()
    rows = sorted(as_set(listed, overrides), key=lambda row: -row.weight)
    return SourceList(
        sources=tuple(_card(row, overrides.get(row.name, Override()), settings, book.get(row.name)) for row in rows)
    )


def card(name: str, listed: Sequence[Listed], *, settings: SettingsBook, book: HealthBook) -> SourceCard:
    """Return one source; raises UnknownSource."""
    _known(name, listed)
    return next(one for one in cards(listed, settings=settings, book=book).sources if one.name == name)


def change(
    name: str, wanted: SourceChange, *, listed: Sequence[Listed], settings: SettingsBook, browser_tls: bool = True
) -> None:
    """Keep what the operator wants of a source; what is not in the wish stays as it was.

    Args:
        browser_tls: whether requests can look like a browser's here.

    Raises:
        UnknownSource, SourceNotSetUp, BrowserTlsMissing: it cannot be done.
        UpstreamFailed: it could not be kept; nothing was changed.
    """
    row = _known(name, listed)
    if wanted.enabled and row.source is None and row.spare is None:
        raise SourceNotSetUp(f"{row.label} needs a setting before it can be switched on; see docs/sources.md.")
    if wanted.browser_tls and not browser_tls:
        raise BrowserTlsMissing("The package curl_cffi is not installed for the resolver, so nothing was changed.")
    fields = {field: getattr(wanted, field) for field in wanted.model_fields_set}
    settings.save(name, replace(settings.overrides().get(name, Override()), **fields))


def cookie_names(name: str, *, listed: Sequence[Listed], settings: SettingsBook) -> CookieNames:
    """Return which cookies a source has. Their values are shown to nobody."""
    _known(name, listed)
    kept = settings.cookies(name)
    return CookieNames(source=name, names=tuple(one.name for one in kept), domains=_domains(kept))


def set_cookie(name: str, given: CookieIn, *, listed: Sequence[Listed], settings: SettingsBook) -> None:
    """Keep the cookies of a source in place of those it had; raises CookieNotRead, UnknownSource, UpstreamFailed."""
    _known(name, listed)
    settings.save_cookies(name, parse_cookies(given.text.get_secret_value(), domain=given.domain))


def forget_cookie(name: str, *, listed: Sequence[Listed], settings: SettingsBook) -> None:
    """Delete the cookies of a source."""
    _known(name, listed)
    settings.save_cookies(name, ())


def try_out(
    name: str,
    query: str,
    *,
    listed: Sequence[Listed],
    settings: SettingsBook,
    tools: Trying,
) -> SourceTrial:
    """Ask one source anew, breaker or not, and return what came of it.

    Raises:
        UnknownSource, SourceNotSetUp, SourceCannotSearch, EmptyQuery: it cannot be asked this.
    """
    row = _known(name, listed)
    shown = _row_as_set(row, replace(settings.overrides().get(name, Override()), enabled=True, weight=1))
    if shown.source is None:
        raise SourceNotSetUp(f"{row.label} needs a setting before it can be asked; see docs/sources.md.")
    questions = finding.search_questions(finding.typed(query), [shown])
    if not questions:
        raise SourceCannotSearch(f"{row.label} does not read this. Some sources read words, some addresses.")
    began_s = tools.clock()
    question = replace(questions[0], fresh=True, forced=True)
    ((_, answer),) = tools.wall.stream([question], deadline_s=tools.deadline_s)
    hits, outcome = finding.told_by(shown.source, answer)
    took_ms = round((tools.clock() - began_s) * 1000)
    return SourceTrial(outcome=outcome.model_copy(update={"took_ms": took_ms}), hits=tuple(hits[:FIRST_HITS]))


def _known(name: str, listed: Sequence[Listed]) -> Listed:
    for row in listed:
        if row.name == name:
            return row
    raise UnknownSource("No source of this name is installed here.")


def _card(row: Listed, own: Override, settings: SettingsBook, health: Health) -> SourceCard:
    kept = settings.cookies(row.name)
    return SourceCard(
        name=row.name,
        label=row.label,
        weight=row.weight,
        enabled=row.source is not None and not row.mistakes,
        note=row.note,
        mistakes=row.mistakes,
        set_up=row.source is not None or row.spare is not None,
        pacing_s=own.pacing_s or 0.0,
        time_limit_s=own.time_limit_s,
        proxy=_shown(own.proxy),
        browser_tls=own.browser_tls,
        cookies=len(kept),
        reads=_reads(row),
        health=SourceHealth(
            state=health.state,
            last_success_at=_instant(health.last_success_s),
            last_failure_at=_instant(health.last_failure_s),
            last_code=health.last_code,
            took_ms=None if health.took_ms is None else round(health.took_ms),
        ),
    )


def _reads(row: Listed) -> tuple[QueryKind, ...]:
    source = row.source or row.spare
    return tuple(sorted(source.reads)) if isinstance(source, Searches) else ()


def _shown(proxy: str | None) -> str | None:
    """Return a proxy's address without its user and password."""
    if proxy is None:
        return None
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _domains(cookies: Sequence[Cookie]) -> tuple[str, ...]:
    return tuple(sorted({one.domain for one in cookies}))
