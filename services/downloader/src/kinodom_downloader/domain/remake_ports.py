"""What remaking needs from the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_downloader.domain.hours import ALWAYS, DAY_S, Hours
from kinodom_downloader.domain.room import KeepFree
from kinodom_downloader.domain.working import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_common.contracts.videos import VideoIn
    from kinodom_downloader.domain.ladder import Ladder, Rung
    from kinodom_downloader.domain.ports import Shelf, Wishes
    from kinodom_downloader.domain.remakes import Remake
    from kinodom_downloader.domain.room import Disk


class Turns(Protocol):
    """Turns in which remakes are claimed."""

    def turn(self) -> int:
        """Return the number of the turn that is now."""

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since."""


class Remakes(Protocol):
    """The store of remakes."""

    @property
    def turns(self) -> Turns:
        """Return the turns in which they are claimed."""

    def add(self, remake: Remake) -> bool:
        """Store a new one; false when the film has one already."""

    def get(self, video_id: str) -> Remake:
        """Return the one of a film; raises NoSuchRemake."""

    def change(self, video_id: str, step: Callable[[Remake], Remake]) -> Remake:
        """Apply a pure step to the newest state until it is stored; raises NoSuchRemake."""

    def every(self) -> list[Remake]:
        """Return them in the order in which they come."""

    def in_line(self) -> list[Remake]:
        """Return those that are not refused, the oldest first."""

    def drop(self, video_id: str) -> None:
        """Delete one, if it is there."""


class Maker(Protocol):
    """The published films, and what makes renditions of them."""

    def every(self) -> Sequence[str]:
        """Return the ids of all films that have a folder."""

    def published(self, video_id: str) -> VideoIn | None:
        """Return what the folder of a film holds when it is there and whole."""

    def shown(self, video_id: str) -> bool:
        """Tell whether the folder of a film is there."""

    def disk(self) -> Disk:
        """Return how full the disk is."""

    def make(
        self,
        video_id: str,
        rungs: Sequence[Rung],
        *,
        attempt: int,
        fence: Callable[[], None],
        progress: Callable[[float], None],
        stopped: Callable[[], bool],
    ) -> VideoIn:
        """Add renditions to a film in one step, and return what it holds then."""

    def clear(self, is_current: Callable[[str], bool]) -> None:
        """Delete what nobody works on, and mend what was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What remaking works with."""

    remakes: Remakes
    wishes: Wishes
    maker: Maker
    shelf: Shelf
    ladder: Ladder
    clock: Callable[[], float]  # seconds since 1970
    heartbeat: Callable[[Callable[[], None], Callable[[], None]], Heartbeat] = Heartbeat
    leaving: Callable[[str], bool] = lambda _video_id: False  # tells of a film whether it is being deleted
    hint: Callable[[str, int], None] = lambda _video_id, _attempt: None
    keep_free: KeepFree = KeepFree()  # noqa: RUF009  # frozen
    hours: Hours = ALWAYS
    time_of_day_s: Callable[[float], float] = lambda now_s: now_s % DAY_S
