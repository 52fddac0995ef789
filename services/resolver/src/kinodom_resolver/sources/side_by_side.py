"""Several places behind one source, asked at once: a slow one costs its own answers, not those of the others."""

from __future__ import annotations

import contextvars
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from kinodom_common.errors import KinodomError, UpstreamFailed
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = get_log(__name__)

Answer = TypeVar("Answer")
PART_OF_DEADLINE = 0.85  # of the search; what is left is for those that did answer


class PlacesSilent(UpstreamFailed):
    """None of the places of a source answered in time."""

    code = "places_silent"
    title = "A source does not answer"


def ask_all(asks: Sequence[Callable[[], Answer]], *, wait_s: float) -> list[Answer]:
    """Return the answers that came within `wait_s`, in the order of the places.

    Raises:
        KinodomError: no place answered; the trouble of the first that has one to tell.
    """
    if len(asks) == 1:
        return [asks[0]()]
    pool = ThreadPoolExecutor(max_workers=max(1, len(asks)), thread_name_prefix="place")
    try:
        # The request id goes along into each thread.
        waiting: list[Future[Answer]] = [pool.submit(contextvars.copy_context().run, ask) for ask in asks]
        wait(waiting, timeout=wait_s)
        return _answers(waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _answers(waiting: Sequence[Future[Answer]]) -> list[Answer]:
    answers: list[Answer] = []
    trouble: list[KinodomError] = []
    for place, future in enumerate(waiting):
        if not future.done():
            log.warning("place_stayed_silent", place=place)
            continue
        try:
            answers.append(future.result())
        except KinodomError as exc:
            log.warning("place_failed", place=place, code=exc.code, error=exc.detail)
            trouble.append(exc)
    if waiting and not answers:
        raise trouble[0] if trouble else PlacesSilent("None of the sites answered in time. Try again in a minute.")
    return answers
