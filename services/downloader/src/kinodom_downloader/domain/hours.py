"""When films may be fetched, and how fast. Pure: the time is passed in, by the clock on the wall of the house."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kinodom_common.errors import KinodomError

if TYPE_CHECKING:
    from kinodom_downloader.domain.wishes import StoredWish

DAY_S: Final = 86_400.0
_SPAN: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_BURST_S: Final = 0.25  # of the speed limit, that may come at once after a pause


class OutsideHours(KinodomError):
    """It is not the time of day for downloads. Facts: `opens_in_s`."""

    code = "outside_hours"
    title = "Waits for its hours"


@dataclass(frozen=True, slots=True)
class Hours:
    """The part of a day in which downloads begin and go on; it may go over midnight."""

    begins_s: float  # after midnight
    ends_s: float

    @classmethod
    def of(cls, text: str) -> Hours:
        """Return the hours that a text such as `01:00-07:00` names; raises ValueError."""
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            raise ValueError("write hours as 01:00-07:00")
        first, first_min, last, last_min = map(int, match.groups())
        begins_s, ends_s = first * 3600.0 + first_min * 60, last * 3600.0 + last_min * 60
        if begins_s >= DAY_S or ends_s > DAY_S or begins_s == ends_s:
            raise ValueError("write hours as 01:00-07:00, within one day and not empty")
        return cls(begins_s, ends_s)

    def closed_for_s(self, time_of_day_s: float, *, watched: bool) -> float:
        """Return how long nothing may be fetched from now on; 0: it may. What somebody watches always may.

        Args:
            time_of_day_s: since midnight.
            watched: somebody watches it while it comes.
        """
        since_begin_s = (time_of_day_s - self.begins_s) % DAY_S
        length_s = (self.ends_s - self.begins_s) % DAY_S or DAY_S
        return 0.0 if watched or since_begin_s < length_s else DAY_S - since_begin_s

    def check(self, time_of_day_s: float, *, watched: bool) -> None:
        """Return when something may be fetched now.

        Raises:
            OutsideHours: it may not.
        """
        if closed_s := self.closed_for_s(time_of_day_s, watched=watched):
            begins = f"{int(self.begins_s // 3600):02d}:{int(self.begins_s % 3600 // 60):02d}"
            raise OutsideHours(
                f"Downloads run at set hours only. It goes on by itself at {begins}; what is fetched is kept.",
                opens_in_s=closed_s,
            )


ALWAYS: Final = Hours(0.0, 0.0)


def put_off(wish: StoredWish, closed: OutsideHours, *, now_s: float) -> StoredWish:
    """Return the wish waiting for its hours; that is no failed try."""
    opens_in_s = closed.facts["opens_in_s"]
    assert isinstance(opens_in_s, float)
    return replace(
        wish, state="waiting", reason_code=closed.code, reason=closed.detail, token=None, lease_until_s=0.0,
        next_try_at_s=now_s + opens_in_s, changed_at_s=now_s,
    )  # fmt: skip


@dataclass(slots=True)
class Pace:
    """A speed limit: says how long to hold still after bytes that came. Not safe for threads by itself."""

    bytes_s: float
    _paid_until_s: float = 0.0

    def hold_s(self, count: int, *, now_s: float) -> float:
        """Take note of so many bytes, and return how long nobody should take more."""
        self._paid_until_s = max(self._paid_until_s, now_s - _BURST_S) + count / self.bytes_s
        return max(0.0, self._paid_until_s - now_s)
