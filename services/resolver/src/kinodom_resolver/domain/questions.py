"""What is asked of one source, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kinodom_common.contracts.offers import OfferList
from kinodom_common.contracts.titles import SearchReply, SourceTitle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Protocol

    from kinodom_common.errors import KinodomError
    from kinodom_resolver.domain.ports import Source

    class Asks(Protocol):
        """Somebody who asks sources: the wall itself, or the keeper of answers in front of it."""

        def stream(self, questions: Sequence[Question], *, deadline_s: float) -> Iterator[tuple[Question, Answer]]:
            """Give one answer for each question as it comes, the last after `deadline_s` at the latest."""


Told = SearchReply | SourceTitle | OfferList
QuestionKind = Literal["search", "title", "offers"]
KINDS: tuple[QuestionKind, ...] = ("search", "title", "offers")
MODEL_OF: dict[QuestionKind, type[SearchReply] | type[SourceTitle] | type[OfferList]] = {
    "search": SearchReply,
    "title": SourceTitle,
    "offers": OfferList,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one source."""

    source: Source
    kind: QuestionKind
    words: str  # tells it from others of its kind to that source
    ask: Callable[[], Told]  # returns what was checked, or raises
    fresh: bool = False  # True: a kept answer will not do
    forced: bool = False  # True: the operator wants to know, breaker or not
    typed: bool = False  # True: about an address that somebody typed; its failure says nothing of the source
    limit_s: float | None = None  # None: the deadline of the round is the only one

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what is equal for equal questions."""
        return self.kind, self.source.name, self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one question."""

    value: Told | None  # None when there is a problem
    problem: KinodomError | None
    took_ms: int
    age_s: int | None = None  # None: the source was asked just now


def ends_at_s(value: Told) -> float | None:
    """Return when an answer is dead because a link in it is, seconds since 1970; None: no link in it has an end."""
    if not isinstance(value, OfferList):
        return None
    return min((one.expires_at.timestamp() for one in value.offers if one.expires_at is not None), default=None)
