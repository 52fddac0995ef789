"""What Prometheus is told about the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from kinodom_common.contracts.rooms import AckStatus, Report
    from kinodom_sync.adapters.outbox import SocketOutbox
    from kinodom_sync.adapters.room_clock import RoomClock
    from kinodom_sync.domain.rooms import Hall

DRIFT_BUCKETS_MS = (1, 2, 5, 10, 20, 40, 100, 250, 1000)


class Figures:
    """The figures of one replica."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._ops = Counter("kinodom_room_ops_total", "Operations answered.", ["status"], registry=registry)
        self._drift = Histogram(
            "kinodom_room_drift_ms", "Reported distance from the room, ms.", buckets=DRIFT_BUCKETS_MS, registry=registry
        )

    def watch(self, hall: Hall, outbox: SocketOutbox, clock: RoomClock) -> None:
        """Read these whenever the figures are asked for."""
        for name, words, read in (
            ("kinodom_sockets", "Open connections.", lambda: len(hall.seats)),
            ("kinodom_rooms_open", "Rooms with a connection here.", lambda: len(hall.rooms)),
            ("kinodom_sockets_cut", "Connections cut because they did not read.", lambda: outbox.cut),
            ("kinodom_room_clock_error_ms", "Bound of the clock's error, ms.", lambda: clock.error_ms or 0.0),
        ):
            Gauge(name, words, registry=self._registry).set_function(read)

    def acted(self, status: AckStatus) -> None:
        """Count an answered operation."""
        self._ops.labels(status).inc()

    def reported(self, report: Report) -> None:
        """Note a reported drift of a member whose page is in view."""
        if not report.hidden:
            self._drift.observe(abs(report.drift_ms))
