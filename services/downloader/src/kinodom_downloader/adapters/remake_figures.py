"""How many films get further renditions, for Prometheus."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kinodom_common.errors import KinodomError
from kinodom_downloader.domain.remakes import RemakeState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinodom_downloader.domain.remake_ports import Remakes


class RemakeFigures(Collector):
    """Reads the store whenever the figures are asked for; a store that is away leaves them out."""

    def __init__(self, remakes: Remakes) -> None:
        self._remakes = remakes

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one figure for each state."""
        try:
            counts = Counter(one.state for one in self._remakes.every())
        except KinodomError:
            return
        told = GaugeMetricFamily("kinodom_renditions", "Films that get further renditions.", labels=["state"])
        for state in get_args(RemakeState):
            told.add_metric([state], counts[state])
        yield told
