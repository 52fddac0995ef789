"""The wire between viewers and those who fetch, without Redis."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinodom_downloader.domain.live import Spot


class LoopWants:
    """What the door asks for is heard by the fetch of the same process."""

    def __init__(self) -> None:
        self.wanted: queue.Queue[Spot] = queue.Queue()
        self.asked: list[tuple[str, Spot]] = []
        self.hungry_ones: list[str] = []
        self.hurried: list[str] = []
        self.others_wait = False

    def want(self, wish_id: str, spot: Spot) -> None:
        self.asked.append((wish_id, spot))
        self.wanted.put(spot)

    def next(self, wish_id: str, wait_s: float) -> Spot | None:
        try:
            return self.wanted.get(timeout=wait_s)
        except queue.Empty:
            return None

    def hungry(self, wish_id: str) -> None:
        self.hungry_ones.append(wish_id)

    def someone_waits(self, wish_id: str) -> bool:
        return self.others_wait

    def hurry(self, wish_id: str) -> None:
        self.hurried.append(wish_id)
