"""How a source, or a host, is: pure rules over a small record, with the time passed in.

A breaker opens after five failures within a minute. While it is open nobody asks, but for one probe each half minute;
a success closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.domain.wall import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_resolver.domain.questions import Answer, Question

log = get_log(__name__)

OPENS_AFTER: Final = 5
WITHIN_S: Final = 60.0
PROBE_EACH_S: Final = 30.0
NEWEST_SHARE: Final = 0.2  # of the moving average, the newest time counts for so much

BreakerState = Literal["closed", "open"]


class SourceResting(UpstreamFailed):
    """The source failed again and again; it is left alone for a while. Fact: `retry_after_s`."""

    code = "source_resting"
    title = "A source is left alone for a while"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The record of one source or host. Instants are seconds since 1970."""

    failed_at_s: tuple[float, ...] = ()  # within the last minute and since the last success
    open_since_s: float | None = None  # None: the breaker is closed
    last_success_s: float | None = None
    last_failure_s: float | None = None
    last_code: str | None = None  # of the last failure
    took_ms: float | None = None  # moving average of answers that came
    updated_s: float = 0.0

    @property
    def state(self) -> BreakerState:
        """Return whether it may be asked."""
        return "closed" if self.open_since_s is None else "open"


def after_success(health: Health, *, took_ms: float, now_s: float) -> Health:
    """Return the record after an answer; the breaker closes."""
    before_ms = health.took_ms
    average_ms = took_ms if before_ms is None else before_ms + NEWEST_SHARE * (took_ms - before_ms)
    return replace(health, failed_at_s=(), open_since_s=None, last_success_s=now_s, took_ms=average_ms, updated_s=now_s)


def after_failure(health: Health, *, code: str, now_s: float) -> Health:
    """Return the record after a failure; the fifth within a minute opens the breaker."""
    recent = (*(one for one in health.failed_at_s if 0 <= now_s - one < WITHIN_S), now_s)[-OPENS_AFTER:]
    opens = health.open_since_s is None and len(recent) >= OPENS_AFTER
    return replace(
        health,
        failed_at_s=recent,
        open_since_s=now_s if opens else health.open_since_s,
        last_failure_s=now_s,
        last_code=code,
        updated_s=now_s,
    )


class HealthBook(Protocol):
    """Where the records are, shared by the replicas as far as that is cheap."""

    def get(self, name: str) -> Health:
        """Return a record; an empty one for whom nothing is known of."""

    def update(self, name: str, change: Callable[[Health], Health]) -> Health:
        """Change a record and return it."""

    def claim_probe(self, name: str) -> bool:
        """Say whether the caller may make the one probe of this half minute."""


class Sentinel:
    """The wall's watch: notes how each source does, and spares the one that is ill.

    Args:
        book: the records.
        now: seconds since 1970.
    """

    def __init__(self, book: HealthBook, *, now: Callable[[], float]) -> None:
        self._book = book
        self._now = now

    def judge(self, question: Question) -> Judgement:
        """Return that the source is asked, or SourceResting while its breaker is open.

        The probe of a search is made behind the back of those who search: nobody waits for a source that is ill.
        """
        source = question.source
        if question.typed or question.forced or self._book.get(source.name).state == "closed":
            return Judgement()
        probe = self._book.claim_probe(source.name)
        if probe:
            log.info("source_probed", source=source.name)
            if question.kind != "search":
                return Judgement()
        words = (
            f"{source.label} failed several times in a row and is left alone; it is tried again within half a minute."
        )
        return Judgement(refusal=SourceResting(words, retry_after_s=PROBE_EACH_S), behind=probe)

    def ended(self, question: Question, answer: Answer, *, late: bool) -> None:
        """Note an answer, or a failure to ask. What is refused for being wrong says nothing of the source."""
        if question.typed or late:
            return
        if answer.problem is None or isinstance(answer.problem, NotFound):
            self._book.update(
                question.source.name, lambda one: after_success(one, took_ms=answer.took_ms, now_s=self._now())
            )
        elif isinstance(answer.problem, UpstreamFailed):
            self._fail(question, answer.problem.code)

    def silent(self, question: Question, *, took_ms: int) -> None:  # noqa: ARG002  # the port's signature
        """Note that no answer came in time."""
        if not question.typed:
            self._fail(question, "source_silent")

    def _fail(self, question: Question, code: str) -> None:
        before = self._book.get(question.source.name).state
        after = self._book.update(
            question.source.name, lambda one: after_failure(one, code=code, now_s=self._now())
        ).state
        if before != after:
            log.warning("source_left_alone", source=question.source.name, code=code)
