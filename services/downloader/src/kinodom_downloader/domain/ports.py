"""What the rules of the downloader need from the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from kinodom_common.contracts.offers import Offer, OfferList
    from kinodom_common.contracts.videos import VideoIn
    from kinodom_common.contracts.wishes import Progress, WishEvent, WishRequest
    from kinodom_downloader.domain.fetched import Fetched
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
        """Return every wish that is neither ready nor refused."""

    def forget(self, wish_id: str) -> None:
        """Delete a wish; raises NoSuchWish."""

    def turn(self) -> int:
        """Return the number of the turn in which wishes are claimed."""

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since `seen` was read."""


class Hints(Protocol):
    """The queue: a hint to act, never the truth."""

    def give(self, wish_id: str, attempt: int) -> None:
        """Tell some worker that something is due, this wish for one; may be lost."""


class Announcer(Protocol):
    """Live news for browsers."""

    def announce(self, event: WishEvent) -> None:
        """Send; never raises: news may be lost, state is in the store."""


class Resolver(Protocol):
    """Fresh addresses for a wish."""

    def offers(self, request: WishRequest) -> OfferList:
        """Return what sources offer now; raises NotFound, Rejected or UpstreamFailed."""


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
    ) -> Fetched:
        """Fetch an offer into a work folder, going on from what is there."""


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
