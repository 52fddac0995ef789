"""Logs: one JSON line per event, with the request id bound on the way. Events are constants in the past tense.

structlog is imported by those who use it, not with this module: it takes 3 MB, and every module has a log.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, FilteringBoundLogger, Processor

REQUEST_ID_HEADER = "X-Request-ID"
# What JSON leaves as it is and a terminal or a reader of lines does not: DEL, the C1 controls, two more ends of lines,
# and halves of characters, which cannot be written as UTF-8.
UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _Log:
    """The logger of a module, made with its first event."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if "_log" not in self.__dict__:
            import structlog

            self._log = structlog.get_logger(self._name)
        return getattr(self._log, method)


def get_log(name: str) -> FilteringBoundLogger:
    """Return the logger of a module; call as `log = get_log(__name__)`."""
    return cast("FilteringBoundLogger", _Log(name))


def set_up_logs(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs, ours and the libraries', to one stream as JSON lines. Called once per process."""
    import structlog

    def name_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["service"] = service  # not a context variable: threads begin with an empty context
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("event"),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_json_line),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()


def _json_line(event: EventDict, **options: Any) -> str:
    line = json.dumps(event, ensure_ascii=False, **options)
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def request_id() -> str:
    """Return the id of the request being served, or an empty string outside of one."""
    import structlog

    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@contextmanager
def bound_request_id(value: str) -> Iterator[None]:
    """Bind a request id to everything logged and called inside the block."""
    import structlog

    with structlog.contextvars.bound_contextvars(request_id=value):
        yield
