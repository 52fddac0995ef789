"""The viewers of a film that is being fetched: its files for players, and their places as the order of fetching."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import redis

from kinodom_common.logs import get_log
from kinodom_downloader.adapters.live_folder import LiveFolder
from kinodom_downloader.domain import live
from kinodom_downloader.domain.live import Head, Spot

if TYPE_CHECKING:
    from types import TracebackType

    from kinodom_downloader.adapters.pieces import Job, Pieces
    from kinodom_downloader.adapters.workfolder import WorkFolder
    from kinodom_downloader.domain.ports import Ear

log = get_log(__name__)

_WAIT_S: Final = 0.3  # so soon it is noticed that others wait, or that the fetch is over
_AWAY_S: Final = 2.0
_HEAD_LIFE_S: Final = 120.0  # a place nobody asked from for so long counts no more
_MOST_HEADS: Final = 6
_SHOWN_EVERY_S: Final = 1.0


class Audience:
    """Listens while a film is fetched. Used as a context; `begin` is the engine's `on_start`.

    `hurry`: somebody waits for the beginning already.
    """

    def __init__(self, wish_id: str, wants: Ear, *, hurry: bool = False) -> None:
        self._wish_id = wish_id
        self._wants = wants
        self._hurry = hurry
        self._lock, self._showing = threading.Lock(), threading.Lock()
        self._pieces: Pieces | None = None
        self._files: LiveFolder | None = None
        self._there: set[Spot] = set()
        self._heads: list[Head] = []
        self._over = threading.Event()
        self._shown_s = 0.0
        self._thread = threading.Thread(target=self._listen, name="audience", daemon=True)

    def __enter__(self) -> Audience:
        """Start listening."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and say for the last time what is there."""
        self._over.set()  # the thread ends by itself within one wait: nobody waits for it
        self._show()

    def begin(self, pieces: Pieces, folder: WorkFolder) -> None:
        """Take over the order of a queue, and let players begin."""
        files = LiveFolder(folder)
        there = {
            Spot(number, index)
            for number, track in enumerate(folder.plan.tracks)
            for index in range(len(track.segments))
            if folder.has(number, index)
        }
        files.open(there)
        pieces.on_done, pieces.on_gone = self._done, self._gone
        with self._lock:
            self._pieces, self._files, self._there = pieces, files, there
            if self._hurry and not self._heads:
                self._heads = live.first_heads(folder.plan, time.monotonic())
        self._order()

    def _done(self, job: Job) -> None:
        spot = Spot(job.track, job.index)
        with self._lock:
            files = self._files
            self._there.add(spot)
        if files is not None:
            files.arrived(spot)

    def _gone(self, job: Job) -> None:
        with self._lock:
            files = self._files
        if files is not None:
            with self._showing:  # one at a time
                files.gone(Spot(job.track, job.index))

    def _show(self) -> None:
        """Say what is there; one at a time, for the thread that listens may still be at it when the fetch is over."""
        with self._showing:
            with self._lock:
                files, there = self._files, set(self._there)
            self._shown_s = time.monotonic()
            if files is not None:
                files.show(there)

    def _listen(self) -> None:
        while not self._over.is_set():
            if time.monotonic() - self._shown_s >= _SHOWN_EVERY_S:
                self._show()
            try:
                spot = self._wants.next(self._wish_id, _WAIT_S)
                if spot is not None:
                    self._heard(spot)
                elif (pieces := self._pieces) is not None:
                    pieces.modest(self._wants.someone_waits(self._wish_id) and not self._is_wanted())
            except redis.RedisError as exc:
                log.warning("viewers_not_heard", wish_id=self._wish_id, error=type(exc).__name__)
                self._over.wait(_AWAY_S)

    def _heard(self, spot: Spot) -> None:
        with self._lock:
            now_s = time.monotonic()
            starts = self._files.starts if self._files else []
            at_s = starts[spot.track][spot.index] if _is_in(starts, spot) else 0.0
            near = [head for head in self._heads if head.spot != spot and now_s - head.heard_s < _HEAD_LIFE_S]
            self._heads = [Head(spot, at_s, now_s), *near][:_MOST_HEADS]
        self._order()

    def _order(self) -> None:
        with self._lock:
            pieces, files, heads = self._pieces, self._files, tuple(self._heads)
        if pieces is None or files is None or not heads:
            return
        pieces.modest(False)
        table = live.urgencies(files.plan, files.starts, heads)
        pieces.prefer(lambda job: table[job.track][job.index])

    def _is_wanted(self) -> bool:
        return any(time.monotonic() - head.heard_s < _WAIT_S * 10 for head in self._heads)


def _is_in(starts: list[list[float]], spot: Spot) -> bool:
    return 0 <= spot.track < len(starts) and 0 <= spot.index < len(starts[spot.track])
