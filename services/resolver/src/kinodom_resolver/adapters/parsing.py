"""Reads what strangers wrote in children that can be killed: bounded time, bounded memory, no way to take us along.

A child runs functions of this service on the bytes of one page at a time, and is used again until it breaks. Questions
and answers are JSON: what comes out of a child is checked against the type that the function promises.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import queue
import resource
import signal
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.domain.wall import asked_source, left_s
from kinodom_resolver.sources.reading import plain_text, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

log = get_log(__name__)

LIMIT_S: Final = 2.0  # of processor time, for one page
WAITED: Final = 3  # times the limit, by the clock on the wall: a busy machine makes no page a hard one
START_S: Final = 15.0  # a child loads its libraries once
MEMORY_BYTES: Final = 256 * 1024**2  # beyond what it needs to stand there
LEAST_S: Final = 0.1  # so long a child is given in any case: it is not killed because a question came late
CHILDREN: Final = 3
ANSWER_BYTES: Final = 8 * 1024**2
PRELOADED: Final = [  # loaded once for all children; what is not named here is loaded when it is first needed
    __name__,
    "kinodom_resolver.adapters.bot_check",
    "kinodom_resolver.adapters.site_pages",
    "kinodom_resolver.sources.feed_reading",
    "kinodom_resolver.sources.kodik.page",
    "kinodom_resolver.sources.nfo",
]
Params = ParamSpec("Params")
Result = TypeVar("Result")


class PageTooHard(UpstreamFailed):
    """A page could not be read in time, in bounded memory, or at all."""

    code = "page_too_hard"
    title = "A page could not be read"


class _Child:
    """One child and the line to it."""

    def __init__(self, memory_bytes: int, limit_s: float) -> None:
        # From a small server of its own: forking a process with threads can leave locks behind that nobody opens.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self._line, theirs = context.Pipe()
        self._process: ForkServerProcess = context.Process(
            target=_serve, args=(theirs, memory_bytes, limit_s), name="parser", daemon=True
        )
        self._loaded: set[str] = set()
        self._process.start()
        theirs.close()
        if not self._line.poll(START_S) or self._line.recv_bytes(16) != b"ready":
            self.kill()
            raise PageTooHard("The part that reads pages did not start.")

    def load(self, module: str) -> None:
        """Let the child load a module before the clock of a page runs; raises as `ask` does."""
        if module not in self._loaded:
            self._line.send_bytes(json.dumps([module]).encode())
            if not self._line.poll(START_S):
                raise TimeoutError
            self._line.recv_bytes(16)
            self._loaded.add(module)

    def ask(self, question: Sequence[object], body: bytes, limit_s: float) -> bytes:
        """Return what the child says; raises OSError or EOFError when it broke, TimeoutError when it takes too long."""
        self._line.send_bytes(json.dumps(question).encode())
        self._line.send_bytes(body)
        if not self._line.poll(limit_s):
            raise TimeoutError
        return self._line.recv_bytes(ANSWER_BYTES)

    def kill(self) -> None:
        """End the child at once."""
        with contextlib.suppress(OSError):
            self._line.close()
        self._process.kill()
        self._process.join(5)


class Parser:
    """A few children, made when they are needed.

    Args:
        limit_s: of processor time for one page; by the clock three times that, or the time left for the question.
        memory_bytes: that a child may take beyond what it needs to stand there.
        children: at most so many; one of them is never taken by the source that has all others.
    """

    def __init__(self, *, limit_s: float = LIMIT_S, memory_bytes: int = MEMORY_BYTES, children: int = CHILDREN) -> None:
        self._limit_s = limit_s
        self._memory_bytes = memory_bytes
        # What is on it: a child that waits for work, or None for one that may be made.
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._free.put(None)
        self._share = max(children - 1, 1)
        self._turns: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    def run(
        self,
        function: Callable[Concatenate[bytes, Params], Result],
        body: bytes,
        *args: Params.args,
        **options: Params.kwargs,
    ) -> Result:
        """Return what a function of a module makes of a page; its options must be JSON, its result is typed.

        Raises:
            PageTooHard: it took too long or too much memory, broke, or its answer was too large.
        """
        ends_s = time.monotonic() + (left if (left := left_s()) is not None else WAITED * self._limit_s + START_S)
        turn = self._turn(ends_s)
        child = self._taken(ends_s, turn)
        try:
            child = child or self._made()
            child.load(function.__module__)
            limit_s = max(min(WAITED * self._limit_s, ends_s - time.monotonic()), LEAST_S)
            answer = child.ask([function.__module__, function.__qualname__, args, options], body, limit_s)
        except (TimeoutError, EOFError, OSError) as exc:
            log.warning("page_not_read", function=function.__qualname__, bytes=len(body), error=type(exc).__name__)
            if child is not None:
                child.kill()
            child = None
            raise PageTooHard("A page took too long or too much memory to read; it was given up.") from exc
        finally:
            self._free.put(child)
            turn.release()
        try:
            return cast("Result", _type_of(function).validate_json(answer))
        except ValidationError as exc:
            log.warning("page_not_read", function=function.__qualname__, bytes=len(body), error=answer[:80].decode())
            raise PageTooHard("A page could not be read.") from exc

    def warm(self) -> None:
        """Have one child ready, so that the first page does not wait for it."""
        child = self._free.get()
        try:
            child = child or self._made()
        finally:
            self._free.put(child)

    def close(self) -> None:
        """End the children that wait for work."""
        with self._lock, contextlib.suppress(queue.Empty):
            while True:
                child = self._free.get_nowait()
                if child is not None:
                    child.kill()

    def _turn(self, ends_s: float) -> threading.BoundedSemaphore:
        """Return the turn that the present source has got; pages of one that are hard leave a child to the others."""
        with self._lock:
            turn = self._turns.setdefault(asked_source(), threading.BoundedSemaphore(self._share))
        if not turn.acquire(timeout=max(ends_s - time.monotonic(), 0.0)):
            raise PageTooHard("Too many pages of this source are waiting to be read.")
        return turn

    def _taken(self, ends_s: float, turn: threading.BoundedSemaphore) -> _Child | None:
        try:
            return self._free.get(timeout=max(ends_s - time.monotonic(), 0.0))
        except queue.Empty as exc:
            turn.release()
            raise PageTooHard("Too many pages are waiting to be read.") from exc

    def _made(self) -> _Child:
        with self._lock:  # the server of children is started once
            return _Child(self._memory_bytes, self._limit_s)


def _serve(line: Connection, memory_bytes: int, limit_s: float) -> None:
    """Answer questions until the other end goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # a file of the kernel, not of ours
        taken_bytes = int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken_bytes + memory_bytes, taken_bytes + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(EOFError, OSError):  # the other end went away
        line.send_bytes(b"ready")
        while True:
            line.send_bytes(_reply(json.loads(line.recv_bytes()), line, limit_s))


def _reply(question: list[Any], line: Connection, limit_s: float) -> bytes:
    """Return what to say to a question: a module to load, or a function and its options, with a page behind them."""
    if len(question) == 1:
        importlib.import_module(question[0])
        return b"loaded"
    body = line.recv_bytes()
    signal.setitimer(signal.ITIMER_PROF, limit_s)  # beyond it the kernel ends this child, whoever waits or has gone
    try:
        return _answered(body, *question)
    except MemoryError:
        os._exit(1)  # what is left of the memory is nobody's
    except Exception as exc:  # noqa: BLE001  # the edge of the child: whatever a page does is an answer
        return type(exc).__name__.encode()  # no JSON, so no result
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _answered(body: bytes, module: str, name: str, args: Sequence[Any], options: dict[str, Any]) -> bytes:
    function = getattr(importlib.import_module(module), name)
    return _type_of(function).dump_json(function(body, *args, **options))


@lru_cache
def _type_of(function: Callable[..., object]) -> TypeAdapter[object]:
    """Return the type that a function promises."""
    return TypeAdapter(get_type_hints(function)["return"])


PARSER: Final = Parser()


def words_in(body: bytes, *, longest: int) -> str | None:
    """Return the words of HTML as lines; runs in a child."""
    return plain_text(body.decode("utf-8", "replace"), longest=longest)


def plain_text_apart(value: object, *, longest: int, parser: Parser = PARSER) -> str | None:
    """Return the words of a text that may be HTML, read in a child if it is; None also when it could not be read."""
    text = "\n".join(texts_of(value))
    if "<" not in text:
        return plain_text(text, longest=longest)
    try:
        return parser.run(words_in, text.encode("utf-8", "replace"), longest=longest)
    except PageTooHard:
        return None
