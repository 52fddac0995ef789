"""Parses what strangers wrote in children that can be killed: two seconds, a bounded memory, no way to take us along.

A child runs functions of a closed table on bytes, one at a time, and is used again until it breaks. Questions and
answers are JSON: what comes out of a child is text, never an object that is rebuilt.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import queue
import resource
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from kinodom_common.errors import UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_resolver.sources.reading import plain_text, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

log = get_log(__name__)

LIMIT_S: Final = 2.0
START_S: Final = 15.0  # a child loads its libraries once
MEMORY_BYTES: Final = 256 * 1024**2  # beyond what it needs to stand there
CHILDREN: Final = 2
ANSWER_BYTES: Final = 8 * 1024**2


def _plain_text(body: bytes, *, longest: int) -> str | None:
    return plain_text(body.decode("utf-8", "replace"), longest=longest)


# A source that reads pages adds its function here: bytes and JSON-able options in, a JSON-able value out.
TABLE: Final[Mapping[str, Callable[..., Any]]] = {"plain_text": _plain_text}


class PageTooHard(UpstreamFailed):
    """A page could not be read in time, in bounded memory, or at all."""

    code = "page_too_hard"
    title = "A page could not be read"


class _Child:
    """One child and the line to it."""

    def __init__(self, table: Mapping[str, Callable[..., Any]], memory_bytes: int) -> None:
        # From a small server of its own: forking a process with threads can leave locks behind that nobody opens.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._line, theirs = context.Pipe()
        self._process: ForkServerProcess = context.Process(
            target=_serve, args=(theirs, table, memory_bytes), name="parser", daemon=True
        )
        self._process.start()
        theirs.close()
        if not self._line.poll(START_S) or self._line.recv_bytes(16) != b"ready":
            self.kill()
            raise PageTooHard("The part that reads pages did not start.")

    def ask(self, name: str, body: bytes, options: Mapping[str, object], limit_s: float) -> dict[str, Any]:
        """Return what the child says; raises OSError or EOFError when it broke, TimeoutError when it takes too long."""
        self._line.send_bytes(json.dumps([name, options]).encode())
        self._line.send_bytes(body)
        if not self._line.poll(limit_s):
            raise TimeoutError
        answer: dict[str, Any] = json.loads(self._line.recv_bytes(ANSWER_BYTES))
        return answer

    def kill(self) -> None:
        """End the child at once."""
        with contextlib.suppress(OSError):
            self._line.close()
        self._process.kill()
        self._process.join(5)
        if self._process.exitcode is not None:
            self._process.close()


class Parser:
    """A few children, made when they are needed.

    Args:
        table: the functions they know.
        limit_s: for one page.
        memory_bytes: that a child may take beyond what it needs to stand there.
        children: at most so many.
    """

    def __init__(
        self,
        table: Mapping[str, Callable[..., Any]] = TABLE,
        *,
        limit_s: float = LIMIT_S,
        memory_bytes: int = MEMORY_BYTES,
        children: int = CHILDREN,
    ) -> None:
        self._table = table
        self._limit_s = limit_s
        self._memory_bytes = memory_bytes
        # What is on it: a child that waits for work, or None for one that may be made.
        self._free: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._free.put(None)
        self._lock = threading.Lock()

    def run(self, name: str, body: bytes, **options: object) -> Any:
        """Return what a function of the table makes of a page.

        Raises:
            PageTooHard: it took too long or too much memory, broke, or its answer was too large.
        """
        if name not in self._table:
            raise KeyError(name)
        try:
            child = self._free.get(timeout=self._limit_s + START_S)
        except queue.Empty as exc:
            raise PageTooHard("Too many pages are waiting to be read.") from exc
        try:
            child = child or self._made()
            answer = child.ask(name, body, options, self._limit_s)
        except (TimeoutError, EOFError, OSError, ValueError) as exc:
            log.warning("page_not_read", function=name, bytes=len(body), error=type(exc).__name__)
            if child is not None:
                child.kill()
            child = None
            raise PageTooHard("A page took too long or too much memory to read; it was given up.") from exc
        finally:
            self._free.put(child)
        if "error" in answer:
            log.warning("page_not_read", function=name, bytes=len(body), error=answer["error"])
            raise PageTooHard("A page could not be read.")
        return answer["value"]

    def close(self) -> None:
        """End the children that wait for work."""
        with self._lock, contextlib.suppress(queue.Empty):
            while True:
                child = self._free.get_nowait()
                if child is not None:
                    child.kill()

    def _made(self) -> _Child:
        with self._lock:  # the server of children is started once
            return _Child(self._table, self._memory_bytes)


def _serve(line: Connection, table: Mapping[str, Callable[..., Any]], memory_bytes: int) -> None:
    """Answer questions until the other end goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # a file of the kernel, not of ours
        taken_bytes = int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken_bytes + memory_bytes, taken_bytes + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line.send_bytes(b"ready")
    while True:
        try:
            name, options = json.loads(line.recv_bytes())
            body = line.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            answer = {"value": table[name](body, **options)}
            text = json.dumps(answer).encode()
        except MemoryError:
            os._exit(1)  # what is left of the memory is nobody's
        except Exception as exc:  # noqa: BLE001  # the edge of the child: whatever a page does is an answer
            text = json.dumps({"error": type(exc).__name__}).encode()
        line.send_bytes(text)


PARSER: Final = Parser()


def plain_text_apart(value: object, *, longest: int, parser: Parser = PARSER) -> str | None:
    """Return the words of a text that may be HTML, read in a child if it is; raises PageTooHard."""
    text = "\n".join(texts_of(value))
    if "<" not in text:
        return plain_text(text, longest=longest)
    found = parser.run("plain_text", text.encode("utf-8", "replace"), longest=longest)
    return found if isinstance(found, str) else None
