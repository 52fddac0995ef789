"""Kept answers: which are fresh, which are stale and refreshed behind the reader's back, which are asked for once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from kinodom_common.logs import get_log
from kinodom_resolver.domain.questions import MODEL_OF, Answer, ends_at_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kinodom_resolver.domain.questions import Question, QuestionKind, Told
    from kinodom_resolver.domain.wall import Wall

log = get_log(__name__)

BEFORE_END_S: Final = 60.0  # a link that dies within it is of no use to a player that begins
REFRESH_S: Final = 20.0  # nobody waits for a refresh, so it may take longer than a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How long answers of one kind are good."""

    fresh_s: float  # so long nobody asks again
    kept_s: float  # so long a stale one is shown while it is asked for again


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer on the shelf. Instants are seconds since 1970."""

    text: str  # the model as JSON
    kept_at_s: float
    fresh_until_s: float
    dead_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to ask a source, or the answer that somebody else got meanwhile."""

    token: str | None = None  # None: nobody else can be told (the shelf is away), or there is an answer
    kept: Kept | None = None


class Shelf(Protocol):
    """Where answers are kept, for all replicas. When it is away it holds nothing, and says nothing."""

    def read(self, keys: Sequence[tuple[str, str, str]]) -> list[Kept | None]:
        """Return what is kept under each key."""

    def keep(self, key: tuple[str, str, str], kept: Kept, *, now_s: float) -> None:
        """Keep an answer until it is dead; the oldest of its kind make room."""

    def claim(self, key: tuple[str, str, str]) -> Claim:
        """Return the right to ask, once nobody else has it, or the answer that came meanwhile."""

    def release(self, key: tuple[str, str, str], claim: Claim) -> None:
        """Give the right to ask back."""


def to_keep(value: Told, life: Life, *, now_s: float) -> Kept | None:
    """Return an answer as it is kept; None when a link in it dies too soon for that."""
    ends_s = ends_at_s(value)
    dead_at_s = now_s + max(life.kept_s, life.fresh_s)
    if ends_s is not None:
        dead_at_s = min(dead_at_s, ends_s - BEFORE_END_S)
    if dead_at_s <= now_s:
        return None
    return Kept(
        text=value.model_dump_json(),
        kept_at_s=now_s,
        fresh_until_s=min(now_s + life.fresh_s, dead_at_s),
        dead_at_s=dead_at_s,
    )


class Keeper:
    """Stands before the wall and answers from the shelf what it can.

    Args:
        wall: asks the sources.
        shelf: keeps their answers.
        lives: how long, by kind of question.
        use: False: the shelf is not read.
        save: False: nothing new is kept.
        now: seconds since 1970.
        clock: the wall's; seconds, never going back.
    """

    def __init__(
        self,
        *,
        wall: Wall,
        shelf: Shelf,
        lives: Mapping[QuestionKind, Life],
        now: Callable[[], float],
        clock: Callable[[], float],
        use: bool = True,
        save: bool = True,
    ) -> None:
        self._wall = wall
        self._shelf = shelf
        self._lives = lives
        self._now = now
        self._clock = clock
        self._use = use
        self._save = save

    def stream(self, questions: Sequence[Question], *, deadline_s: float) -> Iterator[tuple[Question, Answer]]:
        """Give one answer for each question as it comes; kept ones first, with their age."""
        missing: list[Question] = []
        for question, kept in zip(questions, self._read(questions), strict=True):
            value = self._open(question, kept)
            if kept is None or value is None:
                missing.append(self._kept_afterwards(question))
                continue
            if not self._is_fresh(kept):
                again = self._kept_afterwards(question)
                self._wall.start(again, None, ends_s=self._clock() + max(REFRESH_S, question.limit_s or 0.0))
            yield question, Answer(value=value, problem=None, took_ms=0, age_s=self._age_s(kept))
        yield from self._wall.stream(missing, deadline_s=deadline_s)

    def _read(self, questions: Sequence[Question]) -> list[Kept | None]:
        if not self._use:
            return [None] * len(questions)
        found = self._shelf.read([one.key for one in questions])
        return [None if one.fresh else kept for one, kept in zip(questions, found, strict=True)]

    def _open(self, question: Question, kept: Kept | None) -> Told | None:
        if kept is None or kept.dead_at_s <= self._now():
            return None
        try:
            return MODEL_OF[question.kind].model_validate_json(kept.text)
        except ValueError:  # kept by another version of the house
            log.warning("kept_answer_not_understood", source=question.source.name, kind=question.kind)
            return None

    def _age_s(self, kept: Kept) -> int:
        return max(round(self._now() - kept.kept_at_s), 0)

    def _kept_afterwards(self, question: Question) -> Question:
        return replace(question, ask=lambda: self._ask(question))

    def _ask(self, question: Question) -> Told:
        """Ask the source and keep its answer, unless another replica is just doing so: then wait for that one."""
        if not self._save:
            return question.ask()
        claim = self._shelf.claim(question.key) if self._use else Claim()
        try:
            found = None if question.fresh else self._open(question, claim.kept)
            if found is not None and (claim.token is None or self._is_fresh(claim.kept)):
                return found
            value = question.ask()
            kept = to_keep(value, self._lives[question.kind], now_s=self._now())
            if kept is not None:
                self._shelf.keep(question.key, kept, now_s=self._now())
            return value
        finally:
            self._shelf.release(question.key, claim)

    def _is_fresh(self, kept: Kept | None) -> bool:
        return kept is not None and kept.fresh_until_s > self._now()


def import_answers(
    answers: Sequence[tuple[tuple[QuestionKind, str, str], Told, float]],
    *,
    shelf: Shelf,
    lives: Mapping[QuestionKind, Life],
    now_s: float,
) -> int:
    """Put answers of another time on the shelf where it has none, and return how many were put.

    Args:
        answers: key, answer, and when it was given, seconds since 1970.
        shelf: where they go.
        lives: how long, by kind; counted from when they were given.
        now_s: the clock.
    """
    done = 0
    there = shelf.read([key for key, _, _ in answers])
    for (key, value, given_s), found in zip(answers, there, strict=True):
        kept = to_keep(value, lives[key[0]], now_s=min(given_s, now_s))
        if found is None and kept is not None and kept.dead_at_s > now_s:
            shelf.keep(key, kept, now_s=now_s)
            done += 1
    return done
