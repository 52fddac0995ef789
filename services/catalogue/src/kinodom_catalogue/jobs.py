"""What the catalogue's worker does: enrich titles, and find those that no hint names."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from kinodom_catalogue.adapters.hints import ENRICH, QUEUE
from kinodom_catalogue.domain.enrichment import enrich, note_crash
from kinodom_catalogue.settings import Settings
from kinodom_catalogue.wiring import WorkerDeps
from kinodom_common.logs import bound_request_id, get_log
from kinodom_common.queueing import HouseWorker, connect, make_worker

log = get_log(__name__)

SWEEP_EVERY_S = 15.0
SWEEP_TITLES = 200
LATE = timedelta(seconds=10)  # a title this long overdue has lost its hint


def enrich_job(deps: WorkerDeps, title_id: str, request_id: str) -> None:
    """Enrich one title. Whatever goes wrong is noted in the store, and the title is tried again later."""
    with bound_request_id(request_id):
        try:
            enrich(title_id, shelf=deps.shelf, providers=deps.providers, covers=deps.covers, now=deps.clock())
        except Exception:
            log.exception("enrichment_broke", title_id=title_id)
            note_crash(title_id, shelf=deps.shelf, now=deps.clock())


def sweep(deps: WorkerDeps) -> int:
    """Give the hint again for every title that is due; return how many those are."""
    due = deps.shelf.due(deps.clock() - LATE, SWEEP_TITLES)
    for stored in due:
        deps.hints.enrich(stored.title.title_id, stored.tries)
    return len(due)


def each(
    seconds: float, work: Callable[[], object], clock_s: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """Return a function that does the work when so many seconds have gone since it last did."""
    last_s: float | None = None

    def maybe() -> None:
        nonlocal last_s
        if last_s is None or clock_s() - last_s >= seconds:
            last_s = clock_s()
            work()

    return maybe


def make_catalogue_worker(settings: Settings, deps: WorkerDeps) -> HouseWorker:
    """Return the worker; it runs the jobs of its table and nothing else."""
    table = {ENRICH: lambda title_id, request_id="": enrich_job(deps, title_id, request_id)}
    return make_worker(
        QUEUE, connect(settings.redis_url.get_secret_value()), table, sweep=each(SWEEP_EVERY_S, lambda: sweep(deps))
    )
