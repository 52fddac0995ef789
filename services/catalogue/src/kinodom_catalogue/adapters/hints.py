"""Hints to the workers, over RQ."""

from __future__ import annotations

from kinodom_common.queueing import HouseQueue, hint

QUEUE = "catalogue"
ENRICH = "enrich"
ENRICH_TIMEOUT_S = 180


class QueueHints:
    """The queue of the catalogue's worker."""

    def __init__(self, queue: HouseQueue) -> None:
        self._queue = queue

    def enrich(self, title_id: str, tries: int) -> None:
        """Ask some worker to enrich a title; the same hint twice is one."""
        hint(self._queue, ENRICH, title_id, job_id=f"{title_id}-{tries}", timeout_s=ENRICH_TIMEOUT_S)
