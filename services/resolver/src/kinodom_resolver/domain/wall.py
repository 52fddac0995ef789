"""The wall around the sources: side by side, under one deadline, and no mistake of a source gets past it."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_resolver.domain.ports import Source

log = get_log(__name__)

AT_ONCE = 8  # questions to one source that may be open; a source that hangs cannot eat up all threads


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one question."""

    value: object  # unchecked; None when there is a problem
    problem: KinodomError | None
    took_ms: int


class Inbox(Protocol):
    """Where answers arrive; `queue.SimpleQueue` is one."""

    def put(self, item: tuple[str, Answer]) -> None:
        """Leave an answer."""

    def get(self, *, timeout: float) -> tuple[str, Answer]:
        """Return the next answer; raises `queue.Empty` when none came within so many seconds."""


class Wall:
    """Asks sources in threads of their own.

    Args:
        at_once: questions to one source that may be open at a time.
        clock: seconds, never going back.
        make_inbox: a fresh inbox for each round of questions.
    """

    def __init__(
        self,
        *,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        make_inbox: Callable[[], Inbox] = queue.SimpleQueue,
    ) -> None:
        self._at_once = at_once
        self._clock = clock
        self._make_inbox = make_inbox
        self._slots: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    def ask(
        self, questions: Mapping[str, tuple[Source, Callable[[], object]]], *, deadline_s: float
    ) -> dict[str, Answer]:
        """Return one answer for each question, under its name, after `deadline_s` at the latest."""
        inbox = self._make_inbox()
        began_s = self._clock()
        answers: dict[str, Answer] = {}
        for name, (source, question) in questions.items():
            if not self._start(name, source, question, inbox, began_s):
                problem = SourceBusy(f"{source.label} still has earlier questions to answer. Try again in a minute.")
                answers[name] = Answer(value=None, problem=problem, took_ms=0)
        while len(answers) < len(questions):
            left_s = began_s + deadline_s - self._clock()
            try:
                name, answer = inbox.get(timeout=max(left_s, 0.0))
            except queue.Empty:
                break
            answers[name] = answer
        for name, (source, _) in questions.items():
            if name not in answers:
                log.warning("source_stayed_silent", source=name, deadline_s=deadline_s)
                problem_text = f"{source.label} gave no answer in {deadline_s:g} s. Try again in a minute."
                answers[name] = Answer(value=None, problem=SourceSilent(problem_text), took_ms=round(deadline_s * 1000))
        return answers

    def _start(self, name: str, source: Source, question: Callable[[], object], inbox: Inbox, began_s: float) -> bool:
        with self._lock:
            slot = self._slots.setdefault(name, threading.BoundedSemaphore(self._at_once))
        if not slot.acquire(blocking=False):
            return False
        context = contextvars.copy_context()  # the request id goes along into the thread

        def run() -> None:
            try:
                inbox.put((name, self._answer(source, question, began_s)))
            finally:
                slot.release()

        # Daemons: a source that hangs must not hold up the end of the process.
        threading.Thread(target=context.run, args=(run,), name=f"ask-{name}", daemon=True).start()
        return True

    def _answer(self, source: Source, question: Callable[[], object], began_s: float) -> Answer:
        value: object = None
        problem: KinodomError | None = None
        try:
            value = question()
        except KinodomError as exc:
            log.info("source_gave_no_answer", source=source.name, code=exc.code)
            problem = exc
        except Exception:  # the edge of a source's thread: its mistakes stop here, in the log
            log.exception("source_broke", source=source.name)
            problem = SourceBroke(f"{source.label} broke while it was answering. The log has the details.")
        return Answer(value=value, problem=problem, took_ms=round((self._clock() - began_s) * 1000))
