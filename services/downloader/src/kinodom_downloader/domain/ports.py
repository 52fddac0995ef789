"""What the rules of the downloader need from the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from kinodom_common.contracts.offers import Offer, OfferList
    from kinodom_common.contracts.videos import VideoIn
    from kinodom_common.contracts.wishes import Progress, WishEvent, WishRequest, WishState
    from kinodom_downloader.domain.fetched import Fetched
    from kinodom_downloader.domain.holes import Leave
    from kinodom_downloader.domain.live import Spot
    from kinodom_downloader.domain.room import Disk
    from kinodom_downloader.domain.wishes import StoredWish


class Wishes(Protocol):
    """The store of wishes."""

    def add(self, wish: StoredWish) -> bool:
        """Store a new wish; false when one with this id is there already."""

    def get(self, wish_id: str) -> StoredWish:
        """Return a wish; raises NoSuchWish."""

    def change(self, wish_id: str, step: Callable[[StoredWish], StoredWish]) -> StoredWish:
        """Apply a pure step to the newest state until it is stored; errors of the step pass through."""

    def some(self, ids: Sequence[str]) -> list[StoredWish]:
        """Return those of these wishes that exist, in the order asked."""

    def newest(self, limit: int) -> list[StoredWish]:
        """Return the wishes asked for last."""

    def unfinished(self) -> Iterable[StoredWish]:
        """Return every wish that is neither ready nor refused; slow when they are many."""

    def held(self) -> list[StoredWish]:
        """Return the wishes that workers hold, or held when they died."""

    def ripe(self, *, now_s: float, limit: int) -> list[StoredWish]:
        """Return so many wishes that are due, those with the best places, and all that are held or watched.

        Among them may be some that are not due; what is due beyond `limit` comes when these are done.
        """

    def line(self, limit: int) -> list[StoredWish]:
        """Return what is not ready: first what is held, then what was refused, then the queue in its order."""

    def done(self, limit: int) -> list[StoredWish]:
        """Return what is ready, the last finished first."""

    def of_title(self, external_id: str, limit: int) -> list[StoredWish]:
        """Return the wishes for what a source calls by this id, the newest first."""

    def ids_in(self, states: Sequence[WishState]) -> list[str]:
        """Return the ids of all wishes in these states, in the order of the queue."""

    def counts(self) -> Mapping[WishState, int]:
        """Return how many wishes are in each state; a state without any may be left out."""

    def guests(self) -> Iterable[StoredWish]:
        """Return the wishes for films that were only watched."""

    def forget(self, wish: StoredWish) -> bool:
        """Delete a wish that is still as it was read, and return true; false when it has changed or is gone."""

    def turn(self) -> int:
        """Return the number of the turn in which wishes are claimed."""

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since `seen` was read."""


class Hints(Protocol):
    """The queue: a hint to act, never the truth."""

    def give(self, wish_id: str, attempt: int) -> None:
        """Tell some worker that something is due, this wish for one; may be lost."""

    def hurry(self, wish_id: str) -> None:
        """Tell the usher that somebody watches this wish and nobody fetches it; may be lost."""


class Announcer(Protocol):
    """Live news for browsers."""

    def announce(self, event: WishEvent) -> None:
        """Send, and how the queue stands after anything but progress; never raises: news may be lost."""

    def tell_queue(self) -> None:
        """Send how the queue stands; never raises."""


class Resolver(Protocol):
    """Fresh addresses for a wish."""

    def offers(self, request: WishRequest, *, fresh: bool) -> OfferList:
        """Return what sources offer; raises NotFound, Rejected or UpstreamFailed.

        `fresh`: an address that was kept will not do, it may be the one that just died.
        """

    def tell(self, request: WishRequest, offer: Offer, *, played: bool) -> None:
        """Tell what came of an offer; never raises."""


class Fetcher(Protocol):
    """The fetch engine."""

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
        """Fetch an offer into a work folder, going on from what is there.

        `hurry`: somebody waits for its beginning. `leave`: what may be missing in the end.
        """


class Ear(Protocol):
    """What viewers ask for, as whoever fetches their film hears it."""

    def next(self, wish_id: str, wait_s: float) -> Spot | None:
        """Return the next piece that somebody waits for; None when there is none for so long."""

    def someone_waits(self, wish_id: str) -> bool:
        """Tell whether a viewer of another film waits."""


class Library(Protocol):
    """The media folder."""

    def work_folder(self, wish_id: str) -> Path:
        """Return the folder in which this wish is worked on; made when missing, kept over restarts."""

    def disk(self) -> Disk:
        """Return how full the disk of the media folder is; cheap enough to ask several times a second."""

    def library_bytes(self) -> int:
        """Return what the published films take on the disk."""

    def parts_bytes(self, wish_id: str) -> int:
        """Return what the fetched parts of this wish take on the disk."""

    def published(self, wish_id: str) -> VideoIn | None:
        """Return what the folder of this wish holds when it is there and whole."""

    def publish(
        self,
        wish: StoredWish,
        fetched: Fetched,
        offer: Offer,
        *,
        fence: Callable[[], None],
        on_packaged: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> VideoIn:
        """Package and make visible in one step.

        `fence` is called just before the folder is shown and may forbid it; `on_packaged` hears 0 to 1.
        """

    def clear(self, wish_id: str) -> None:
        """Delete the work folder of this wish."""

    def reap(self, is_current: Callable[[str], bool]) -> list[str]:
        """Delete the work folders of wishes that are not current, and return their ids."""


class Shelf(Protocol):
    """The catalogue."""

    def register_video(self, video_id: str, video: VideoIn) -> object:
        """Tell it about a published folder; may be told again."""

    def delete_video(self, video_id: str) -> None:
        """Make it forget a video; one that it does not know is forgotten already."""
