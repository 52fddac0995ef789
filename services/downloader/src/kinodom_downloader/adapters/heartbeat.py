"""Keeps a lease alive from a thread of its own while the work blocks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.domain.wishes import LEASE_S, LeaseLost, NoSuchWish
from kinodom_downloader.domain.working import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_log(__name__)

LOOK_S = 1.0  # how soon a worker notices that its wish was paused or cancelled


class ThreadHeartbeat(Heartbeat):
    """Beats at a quarter of the lease and looks each second whether the wish is still ours.

    A store that is away is waited for; a lost lease ends the beating.
    """

    def __init__(
        self,
        beat: Callable[[], None],
        look: Callable[[], None],
        *,
        every_s: float = LEASE_S / 4,
        look_s: float = LOOK_S,
    ) -> None:
        super().__init__(beat, look)
        self._every_s = every_s
        self._look_s = min(look_s, every_s)
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> ThreadHeartbeat:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until no beat is under way."""
        self._stop.set()
        self._thread.join(timeout=10)

    @property
    def lost(self) -> bool:
        """Tell whether a beat found the lease gone."""
        return self._lost.is_set()

    def _run(self) -> None:
        next_beat_s = time.monotonic() + self._every_s
        while not self._stop.wait(self._look_s):
            due = time.monotonic() >= next_beat_s
            try:
                (self._beat if due else self._look)()
            except (LeaseLost, NoSuchWish):
                self._lost.set()
                return
            except KinodomError as exc:
                if due:
                    log.warning("lease_not_renewed", code=exc.code)
            if due:
                next_beat_s = time.monotonic() + self._every_s
