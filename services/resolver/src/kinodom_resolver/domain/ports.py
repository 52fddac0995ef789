"""What the resolver asks of its sources, and what a source asks of the world outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.contracts.titles import SourceTitle, TitleHit

QueryKind = Literal["words", "address"]


class Page(Protocol):
    """What came back from outside."""

    @property
    def url(self) -> str:
        """Address of the last hop, after redirects."""

    @property
    def status(self) -> int:
        """HTTP status; 200 to 299."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, their names in lower case."""

    @property
    def body(self) -> bytes:
        """The content, decoded from its transfer coding."""


class Outside(Protocol):
    """The guarded way out; `kinodom_common.egress.OutsideClient` is one.

    Raises NotFound, UpstreamFailed, or Rejected for an address the house does not visit.
    """

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        deadline_s: float | None = None,
    ) -> Page:
        """Return the page at an address."""

    def get_json(self, url: str) -> object:
        """Return the JSON value at an address."""

    def post_json(self, url: str, body: object, *, follows: bool = True) -> object:
        """Return the JSON value that a POST of JSON gives; without `follows` a redirect is a bad status."""

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        bad_body_bytes: int = 0,
    ) -> Page:
        """Return the answer to a form. Of a bad status, a body up to so many bytes stands in the error's `body`."""


class Source(Protocol):
    """One place where films can be had.

    A source parses; it holds no session, retry, cache or catch-all. An answer of "nothing" is an empty sequence or
    NotFound; anything that kept it from asking is UpstreamFailed. What it returns is checked by the wall.
    """

    @property
    def name(self) -> str:
        """Short name in lower case; stands in hits, offers and settings."""

    @property
    def label(self) -> str:
        """Name for people."""

    @property
    def schemes(self) -> frozenset[str]:
        """Schemes of the external ids that belong to it. Nobody else reads what follows the colon."""

    @property
    def weight(self) -> int:
        """The heavier, the earlier its hits stand."""

    def title(self, external_id: str) -> SourceTitle:
        """Return a title with its translations and episodes; raises NotFound when it has no such title."""

    def offers(self, external_id: str, season: int | None, episode: int | None, translation_id: str) -> Sequence[Offer]:
        """Return addresses of one episode, the best first; empty when it has not got that episode."""


@runtime_checkable
class Searches(Protocol):
    """A source that can search. One that cannot lacks both members."""

    @property
    def reads(self) -> frozenset[QueryKind]:
        """What it wants to be asked with. A pasted address goes only to those who read addresses."""

    def search(self, query: str) -> Sequence[TitleHit]:
        """Return the titles that fit; empty when there are none."""


class SourceClass(Protocol):
    """What the registry reads: a class that builds its source from the operator's options.

    It may also have `needs`: a sentence for people about the option without which there is no source. An option that
    is a secret is shown only to the source whose name it begins with.
    """

    name: str
    label: str
    weight: int

    def build(self, options: Mapping[str, str], outside: Outside) -> Source | None:
        """Return the source, or None when an option it needs is not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One source as it is set up here."""

    name: str
    label: str
    weight: int
    source: Source | None  # None: switched off, or an option it needs is missing
    mistakes: tuple[str, ...] = ()  # in what the operator wrote about it; it is not asked before they are gone
    spare: Source | None = None  # built, and switched off by the settings: the operator may switch it on
    limit_s: float | None = None  # it is waited for no longer than this; None: as long as for the others
    note: str | None = None  # in words, why there is no source

    @classmethod
    def of(cls, known: SourceClass, source: Source | None, *, off: bool = False) -> Self:
        """Return the row of a source that was built, or was not; `off`: switched off by the settings."""
        shown, spare = (None, source) if off else (source, None)
        needs = str(getattr(known, "needs", "A setting it needs is missing."))
        why = "Switched off by KINODOM_SOURCES_OFF." if spare is not None else f"Not configured. {needs}"
        note = why if shown is None else None
        return cls(name=known.name, label=known.label, weight=known.weight, source=shown, spare=spare, note=note)
