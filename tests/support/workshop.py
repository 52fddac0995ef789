"""One wish and a worker of this process: real store, fetch engine, packaging and media folder, around a media host.

The resolver names one address; the catalogue keeps rows by the video's id. The clock stands where it is put.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kinodom_common.contracts.offers import Delivery, Offer, OfferList
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import VideoIn
from kinodom_common.contracts.wishes import Progress, WishEvent, WishRequest
from kinodom_common.egress import EgressRules
from kinodom_common.store import open_store
from kinodom_downloader.adapters.fetcher import EngineFetcher
from kinodom_downloader.adapters.library import MediaLibrary
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import asking, working
from kinodom_downloader.domain.room import Disk, KeepFree
from kinodom_downloader.domain.wishes import StoredWish, wish_id_of
from tests.support.origin import Origin
from tests.support.wants import LoopWants

REQUEST = WishRequest(external_id="test:film", title=TitleCard(external_id="test:film", name="A film"))
PLENTY = Disk(free_bytes=10**12, total_bytes=10**12)


class Library(MediaLibrary):
    """A media folder whose disk looks empty: others fill it after the look."""

    def disk(self) -> Disk:
        return PLENTY


class Workshop:
    """Everything around the wish.

    Args:
        folder: of the store.
        media_root: the media folder.
        host: where the film is.
        entry: its address there.
        on_progress: hears of every step.
        on_row: hears when the catalogue gets the film.
        sees_the_disk: the room on it is known before anything is written.
    """

    def __init__(
        self,
        folder: Path,
        media_root: Path,
        host: Origin,
        entry: str = "/index.m3u8",
        *,
        delivery: Delivery = "hls",
        request: WishRequest = REQUEST,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        on_row: Callable[[], None] = lambda: None,
        sees_the_disk: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.now_s = 1000.0
        self.rows: dict[str, VideoIn] = {}
        self.offer = Offer(source="test", url=f"{host.address}{entry}", delivery=delivery)
        self.wish_id, self.media_root = wish_id_of(request), media_root
        self._on_progress, self._on_row = on_progress, on_row
        self.wishes = StoredWishes(open_store(f"sqlite:///{folder}/wishes.sqlite"))
        self.wishes.migrate()
        self.library = MediaLibrary(media_root) if sees_the_disk else Library(media_root)
        rules = EgressRules(allow_lan=frozenset({("127.0.0.1", host.port)}))
        self.tools = working.Tools(
            wishes=self.wishes,
            resolver=self,
            fetch=EngineFetcher(rules, workers=4, user_agent="Kinodom test", wants=LoopWants()),
            library=self.library,
            shelf=self,
            announcer=self,
            clock=lambda: self.now_s,
            heartbeat=working.Heartbeat,
            keep_free=KeepFree(gb=0, percent=0),
        )
        self.desk = asking.Desk(
            wishes=self.wishes, hints=self, announcer=self, library=self.library, clock=lambda: self.now_s
        )
        asking.ask(request, desk=self.desk, request_id="")

    def work(self) -> StoredWish | None:
        """Let a worker take the wish when it is due, and return what became of it; None when it is gone or not due."""
        return working.fulfil(token=f"token-{self.now_s}", tools=self.tools)

    def offers(self, request: WishRequest, *, fresh: bool) -> OfferList:
        """Name the address, as the resolver."""
        return OfferList(external_id=request.external_id, translation_id=request.translation_id, offers=(self.offer,))

    def tell(self, request: WishRequest, offer: Offer, *, played: bool) -> None:
        """Hear what came of the offer, as the resolver."""

    def register_video(self, video_id: str, video: VideoIn) -> object:
        """Keep the row, as the catalogue."""
        self._on_row()
        self.rows[video_id] = video
        return None

    def delete_video(self, video_id: str) -> None:
        """Forget the row, as the catalogue."""
        del self.rows[video_id]

    def announce(self, event: WishEvent) -> None:
        """Hear the news, as Redis."""
        if event.type == "task_progress" and event.progress is not None:
            self._on_progress(event.progress)

    def tell_queue(self) -> None:
        """Hear of the queue, as Redis."""

    def give(self, wish_id: str, attempt: int) -> None:
        """Hear a hint, as Redis."""

    def hurry(self, wish_id: str) -> None:
        """Hear a hint, as Redis."""
