"""Titles as people know them, and what sources say of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kinodom_common.contracts import Reply

Kind = Literal["film", "series", "unknown"]
TranslationKind = Literal["voice", "subtitles", "original"]
ExternalId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,24}:[^\x00-\x20/?#]{1,2100}$")]
"""A source's own name for a title: `scheme:value`. Slashes, spaces and control characters are percent-encoded."""


class TitleCard(Reply):
    """What is known of a title, whoever says it."""

    external_id: ExternalId
    name: Annotated[str, Field(min_length=1, max_length=300)]
    original_name: Annotated[str, Field(max_length=300)] | None = None
    year: Annotated[int, Field(ge=1880, le=2200)] | None = None
    kind: Kind = "unknown"
    description: Annotated[str, Field(max_length=5000)] | None = None  # plain text
    poster_url: Annotated[str, Field(max_length=2000)] | None = None  # at the source; the browser never sees it
    genres: tuple[str, ...] = ()
    people: tuple[str, ...] = ()  # names, as the source states them
    imdb_id: Annotated[str, StringConstraints(pattern=r"^tt\d{5,10}$")] | None = None
    shikimori_id: int | None = None
    licence: Annotated[str, Field(max_length=200)] | None = None  # as the source states it


class TitleHit(TitleCard):
    """One title in a search answer."""

    source: str  # name of the source, such as `demo`
    dubs: tuple[str, ...] = ()
    heights_px: tuple[int, ...] = ()
    episodes: int | None = None  # None: the source does not say, or it is a film


class SourceOutcome(Reply):
    """What became of asking one source: `answered` with nothing is not the same as `silent`."""

    source: str
    label: str  # for people
    state: Literal["answered", "silent"]
    count: int = 0
    took_ms: int = 0
    age_s: int | None = None  # of an answer that was kept; None: the source was asked just now
    code: str | None = None  # of the problem, when silent
    detail: str | None = None  # in words, when silent


class GroupMember(Reply):
    """One hit of a group."""

    external_id: ExternalId
    source: str
    reason: str | None = (
        None  # why it is taken for the same title, such as `imdb_id`, `name_year_kind`; None: the first
    )


class TitleGroup(Reply):
    """Hits of several sources that are one title, in the order of the hits."""

    name: str
    year: int | None = None
    kind: Kind = "unknown"
    members: tuple[GroupMember, ...]


class SearchReply(Reply):
    """Everything that came within the deadline, in the order of the sources' weights."""

    query: str
    hits: tuple[TitleHit, ...] = ()
    sources: tuple[SourceOutcome, ...] = ()
    groups: tuple[TitleGroup, ...] = ()  # every hit is in one of them


class SearchLine(Reply):
    """One line of a search that is told as it comes. The last one has `done` and nothing else."""

    outcome: SourceOutcome | None = None
    hits: tuple[TitleHit, ...] = ()
    groups: tuple[TitleGroup, ...] = ()  # that these hits are in, with the hits of earlier lines
    done: bool = False


class EpisodeRef(Reply):
    """One episode of a title. A film has one, with season and episode `None`."""

    season: int | None = None
    episode: int | None = None  # 0 is a real number (specials)
    name: str | None = None
    duration_s: float | None = None


class Translation(Reply):
    """One dub or subtitled version, with the episodes it has."""

    translation_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: str
    kind: TranslationKind = "original"
    language: str | None = None  # BCP 47
    heights_px: tuple[int, ...] = ()  # empty: known only when the offer is opened
    episodes: tuple[EpisodeRef, ...] = ()


class SourceTitle(Reply):
    """A title's page at one source."""

    source: str
    card: TitleCard
    translations: tuple[Translation, ...] = ()
    age_s: int | None = None  # of a page that was kept; None: the source was asked just now


class SourceHealth(Reply):
    """How a source has been of late."""

    state: Literal["closed", "open"] = "closed"  # of its breaker; open: it is left alone for a while
    last_success_at: datetime | None = None  # UTC; None: never, or not known
    last_failure_at: datetime | None = None
    last_code: str | None = None  # of the last failure
    took_ms: int | None = None  # moving average of its answers


class SourceCard(Reply):
    """One source as it is set up here."""

    name: str
    label: str  # for people
    weight: int  # the heavier, the earlier its hits stand
    enabled: bool  # False: switched off, a setting it needs is missing, or there are mistakes
    mistakes: tuple[str, ...] = ()  # in the operator's description of it: file, line, what is wrong
    note: str | None = None  # in words, why it is not enabled
    set_up: bool = True  # False: a setting it needs is missing
    pacing_s: float = 0.0  # least time between two requests to one host
    time_limit_s: float | None = None  # it is waited for no longer; None: as long as for the others
    proxy: str | None = None  # without user and password
    browser_tls: bool = False  # its requests look like a browser's, down to TLS
    cookies: int = 0  # how many it has
    reads: tuple[Literal["words", "address"], ...] = ()  # what it can be asked with; empty: it cannot search
    health: SourceHealth = SourceHealth()


class SourceList(Reply):
    """All sources known here, the heaviest first."""

    sources: tuple[SourceCard, ...] = ()
