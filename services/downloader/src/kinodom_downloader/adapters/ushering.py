"""The usher: begins at once what somebody watches, each film in a process of its own.

Downloads wait for their turn; a viewer waits for nobody. So these films come by their own list and have no limit but
the machine's. A film that kills its process takes no other one with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import TYPE_CHECKING

import redis

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_downloader.adapters.wants import RedisWants

log = get_log(__name__)

MOST_FILMS = 16
WAIT_S = 1.0
AWAY_S = 2.0
SWEEP_EVERY_S = 5.0
PR_SET_PDEATHSIG = 1


class Usher:
    """One process that waits for films and forks one child for each.

    Args:
        wants: where films are named.
        show: fetches a film in the child, and returns when it is ready or stopped.
        sweep: finds what no hint names.
        died: called with the id of a child whose process ended badly.
    """

    def __init__(
        self,
        wants: RedisWants,
        *,
        show: Callable[[str], None],
        sweep: Callable[[], None],
        died: Callable[[int], None],
    ) -> None:
        self._wants = wants
        self._show = show
        self._sweep = sweep
        self._died = died
        self._children: dict[int, str] = {}  # process: wish
        self._stopping = False
        self._prctl = ctypes.CDLL(None).prctl

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; then tell the children to hand their films back, and wait for them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        swept_s = 0.0
        while not self._stopping:
            wish_id = self._next()
            self._collect()
            if wish_id is not None and not self._stopping:
                self._begin(wish_id)
            if time.monotonic() - swept_s >= SWEEP_EVERY_S:
                swept_s = time.monotonic()
                self._look_around()
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        while self._children:
            self._collect(os.WUNTRACED)

    def _next(self) -> str | None:
        try:
            return self._wants.next_hurry(WAIT_S)
        except redis.RedisError as exc:
            if not self._stopping:
                log.warning("redis_away", error=type(exc).__name__)
                time.sleep(AWAY_S)
            return None

    def _look_around(self) -> None:
        try:
            self._sweep()
        except KinodomError as exc:
            log.warning("sweep_failed", code=exc.code, detail=exc.detail)

    def _begin(self, wish_id: str) -> None:
        if wish_id in self._children.values():
            return
        if len(self._children) >= MOST_FILMS:
            log.warning("too_many_films", wish_id=wish_id, films=len(self._children))
            return
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._live(parent, wish_id)
        self._children[pid] = wish_id

    def _live(self, parent: int, wish_id: str) -> None:
        """Be the child: never return."""
        code = 1
        try:
            self._prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == parent:
                self._show(wish_id)
                code = 0
        finally:
            os._exit(code)

    def _collect(self, options: int = os.WNOHANG) -> None:
        while self._children:
            pid, status = os.waitpid(-1, options)
            if pid == 0:
                return
            wish_id = self._children.pop(pid, "")
            if status != 0:
                log.warning("film_process_died", wish_id=wish_id, status=os.waitstatus_to_exitcode(status))
                self._died(pid)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True
