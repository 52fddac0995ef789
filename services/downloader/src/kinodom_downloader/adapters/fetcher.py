"""The fetch engine, and the import of local files, behind the port `Fetcher`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from kinodom_common.contracts.wishes import Progress
from kinodom_downloader.adapters import engine, imports
from kinodom_downloader.adapters.audience import Audience
from kinodom_downloader.adapters.connections import SharedConnections
from kinodom_downloader.adapters.patience import Brake
from kinodom_downloader.adapters.worker_thread import Retry
from kinodom_downloader.domain.faults import Stopped
from kinodom_downloader.domain.wishes import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.egress import EgressRules
    from kinodom_downloader.adapters.connections import HostSlots
    from kinodom_downloader.domain.fetched import Fetched, Headway
    from kinodom_downloader.domain.holes import Leave
    from kinodom_downloader.domain.ports import Ear

HURRIED_ATTEMPTS: Final = 7  # about two seconds


class EngineFetcher:
    """Fetches with so many workers; everything it does lies in the work folder, so that the next call goes on."""

    def __init__(
        self,
        rules: EgressRules,
        *,
        workers: int,
        user_agent: str,
        wants: Ear,
        import_root: Path | None = None,
        limit_bytes_s: float | None = None,
        slots: HostSlots | None = None,
    ) -> None:
        self._brake = None if limit_bytes_s is None else Brake(limit_bytes_s)
        self._transport = engine.Transport(
            rules=rules,
            user_agent=user_agent,
            brake=self._brake,
            hosts=None if slots is None else SharedConnections(rules, slots),
        )
        # A viewer waits: another offer is tried before the buffer is empty.
        self._hurried = replace(self._transport, retry=Retry(attempts=HURRIED_ATTEMPTS))
        self._workers = workers
        self._wants = wants
        self._import_root = import_root

    def share_line(self, films: int) -> None:
        """Keep to this film's share of the limit of speed while the house fetches so many."""
        if self._brake is not None:
            self._brake.share(films)

    def __call__(
        self,
        offer: Offer,
        work: Path,
        *,
        wanted_height_px: int | None,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        hurry: bool = False,
        leave: Leave = "nothing",
    ) -> Fetched:
        """Fetch an offer into a work folder, or copy a file of the household there; a lost lease ends it."""

        def tell(headway: Headway) -> None:
            on_progress(Progress(stage="fetching", **asdict(headway)))

        try:
            if offer.delivery == "file":
                return imports.copy_in(offer, work, root=self._import_root, on_progress=tell, should_stop=should_stop)
            with Audience(work.parent.name, self._wants, hurry=hurry) as audience:
                return engine.fetch(
                    offer,
                    work,
                    transport=self._hurried if hurry else self._transport,
                    workers=self._workers,
                    on_progress=tell,
                    should_stop=should_stop,
                    wanted_height_px=wanted_height_px,
                    on_start=audience.begin,
                    hurry=hurry,
                    leave=leave,
                )
        except Stopped as exc:
            raise LeaseLost("Another worker has taken this wish over.") from exc
