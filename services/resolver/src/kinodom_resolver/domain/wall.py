"""The wall around the sources: side by side, under one deadline, and no mistake of a source gets past it."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.domain.questions import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_resolver.domain.questions import Question, Told

log = get_log(__name__)

AT_ONCE = 8  # questions to one source that may be open; a source that hangs cannot eat up all threads
_ENDS_S: contextvars.ContextVar[float | None] = contextvars.ContextVar("ends_s", default=None)
_ASKED: contextvars.ContextVar[str] = contextvars.ContextVar("asked", default="")
_TINY_S: Final = 1e-6


class SourceSilent(UpstreamFailed):
    """The source gave no answer before the deadline."""

    code = "source_silent"
    title = "A source does not answer"


class SourceBusy(UpstreamFailed):
    """Too many earlier questions to this source are still open."""

    code = "source_busy"
    title = "A source does not answer"


class SourceBroke(UpstreamFailed):
    """The source answered with something that is not an answer."""

    code = "source_broke"
    title = "A source broke"


class Inbox(Protocol):
    """Where answers arrive; `queue.SimpleQueue` is one."""

    def put(self, item: tuple[str, Answer]) -> None:
        """Leave an answer."""

    def get(self, *, timeout: float) -> tuple[str, Answer]:
        """Return the next answer; raises `queue.Empty` when none came within so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a source is asked."""

    refusal: KinodomError | None = None  # what those who ask are told; None: it is asked for them
    behind: bool = False  # it is asked all the same, and nobody waits for it


class Watch(Protocol):
    """Somebody who notes how sources do, and may spare one that is ill."""

    def judge(self, question: Question) -> Judgement:
        """Return whether the source is asked."""

    def ended(self, question: Question, answer: Answer, *, late: bool) -> None:
        """Take note of an answer; `late`: nobody waits for it any more, and its silence was noted."""

    def silent(self, question: Question, *, took_ms: int) -> None:
        """Take note that no answer came in time."""


class _Nobody:
    def judge(self, question: Question) -> Judgement:  # noqa: ARG002  # the port's signature
        return Judgement()

    def ended(self, question: Question, answer: Answer, *, late: bool) -> None:
        """Take no note."""

    def silent(self, question: Question, *, took_ms: int) -> None:
        """Take no note."""


def left_s(clock: Callable[[], float] = time.monotonic) -> float | None:
    """Return the seconds left for the question that the present thread puts; None: no question, or no end."""
    ends_s = _ENDS_S.get()
    return None if ends_s is None else ends_s - clock()


def asked_source() -> str:
    """Return the name of the source whose question the present thread puts; empty: none."""
    return _ASKED.get()


class Wall:
    """Asks sources in threads of their own. Equal questions that are open at one time are put once.

    Args:
        at_once: questions to one source that may be open at a time.
        clock: seconds, never going back.
        make_inbox: a fresh inbox for each round of questions.
        watch: notes how sources do.
    """

    def __init__(
        self,
        *,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        make_inbox: Callable[[], Inbox] = queue.SimpleQueue,
        watch: Watch | None = None,
    ) -> None:
        self._at_once = at_once
        self._clock = clock
        self._make_inbox = make_inbox
        self._watch: Watch = watch or _Nobody()
        self._slots: dict[str, threading.BoundedSemaphore] = {}
        self._flights: dict[tuple[str, str, str], list[Inbox]] = {}
        self._probes: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def stream(self, questions: Sequence[Question], *, deadline_s: float) -> Iterator[tuple[Question, Answer]]:
        """Give one answer for each question as it comes; there is one question a source."""
        inbox = self._make_inbox()
        began_s = self._clock()
        asked: dict[str, tuple[Question, float, bool]] = {}  # by source: the question, its end, whether it is ours
        for question in questions:
            ends_s = began_s + min(deadline_s, question.limit_s or deadline_s)
            ours = self.start(question, inbox, ends_s=ends_s)
            if isinstance(ours, KinodomError):
                yield question, Answer(value=None, problem=ours, took_ms=0)
            else:
                asked[question.source.name] = (question, ends_s, ours)
        while asked:
            next_end_s = min(ends_s for _, ends_s, _ in asked.values())
            try:
                name, answer = inbox.get(timeout=max(next_end_s - self._clock(), 0.0))
            except queue.Empty:
                for name in [name for name, (_, ends_s, _) in asked.items() if ends_s <= next_end_s + _TINY_S]:
                    question, ends_s, ours = asked.pop(name)
                    yield question, self._silence(question, ends_s - began_s, note=ours)
            else:
                if name in asked:
                    yield asked.pop(name)[0], answer

    def start(self, question: Question, inbox: Inbox | None, *, ends_s: float) -> bool | KinodomError:
        """Put a question, or join the same one that is open; return whether it was put now, or why it was not."""
        if self._join(question, inbox):
            return False
        judged = self._watch.judge(question)  # may ask Redis, so not under the lock
        if judged.refusal is None:
            return self._put(question, inbox, ends_s)
        if judged.behind:
            with self._lock:
                self._probes.add(question.key)
            if self._put(question, None, ends_s) is not True:
                with self._lock:
                    self._probes.discard(question.key)
        return judged.refusal

    def _put(self, question: Question, inbox: Inbox | None, ends_s: float) -> bool | KinodomError:
        with self._lock:
            slot = self._slots.setdefault(question.source.name, threading.BoundedSemaphore(self._at_once))
            if question.key in self._flights:
                self._flights[question.key] += [inbox] if inbox is not None else []
                return False
            if not slot.acquire(blocking=False):
                label = question.source.label
                return SourceBusy(f"{label} still has earlier questions to answer. Try again in a minute.")
            self._flights[question.key] = [inbox] if inbox is not None else []
        context = contextvars.copy_context()  # the request id goes along into the thread

        def run() -> None:
            _ENDS_S.set(ends_s)
            _ASKED.set(question.source.name)
            try:
                self._deliver(question, self._answer(question), ends_s)
            finally:
                slot.release()

        # Daemons: a source that hangs must not hold up the end of the process.
        threading.Thread(target=context.run, args=(run,), name=f"ask-{question.source.name}", daemon=True).start()
        return True

    def _join(self, question: Question, inbox: Inbox | None) -> bool:
        with self._lock:
            open_one = self._flights.get(question.key)
            if open_one is None or question.key in self._probes:  # nobody waits for a probe
                return False
            open_one += [inbox] if inbox is not None else []
            return True

    def _deliver(self, question: Question, answer: Answer, ends_s: float) -> None:
        self._watch.ended(question, answer, late=self._clock() > ends_s)
        with self._lock:
            inboxes = self._flights.pop(question.key)
            self._probes.discard(question.key)
        for inbox in inboxes:
            inbox.put((question.source.name, answer))

    def _silence(self, question: Question, waited_s: float, *, note: bool) -> Answer:
        took_ms = round(waited_s * 1000)
        if note:
            log.warning("source_stayed_silent", source=question.source.name, deadline_s=waited_s)
            self._watch.silent(question, took_ms=took_ms)
        words = f"{question.source.label} gave no answer in {waited_s:g} s. Try again in a minute."
        return Answer(value=None, problem=SourceSilent(words), took_ms=took_ms)

    def _answer(self, question: Question) -> Answer:
        value: Told | None = None
        problem: KinodomError | None = None
        began_s = self._clock()
        try:
            value = question.ask()
        except KinodomError as exc:
            log.info("source_gave_no_answer", source=question.source.name, code=exc.code)
            problem = exc
        except Exception:  # the edge of a source's thread: its mistakes stop here, in the log
            log.exception("source_broke", source=question.source.name)
            problem = SourceBroke(f"{question.source.label} broke while it was answering. The log has the details.")
        return Answer(value=value, problem=problem, took_ms=round((self._clock() - began_s) * 1000))
