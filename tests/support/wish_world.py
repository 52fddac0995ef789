"""Everything around a worker of the downloader, played by small classes with a switch per failure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.contracts.offers import Offer, OfferList
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import Progress, WishEvent, WishRequest, WishState
from kinodom_common.errors import KinodomError
from kinodom_downloader.domain import asking, working
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.holes import Leave
from kinodom_downloader.domain.room import Disk
from kinodom_downloader.domain.shown import video_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kinodom_common.contracts.videos import VideoIn

CARD = TitleCard(external_id="demo:salt-and-moon", name="Salt and Moon")
REQUEST = WishRequest(external_id="demo:salt-and-moon", title=CARD)
WISH_ID = rules.wish_id_of(REQUEST)


@dataclass
class MemoryWishes:
    kept: dict[str, rules.StoredWish] = field(default_factory=dict)
    turns: int = 0

    def add(self, wish: rules.StoredWish) -> bool:
        return self.kept.setdefault(wish.wish_id, wish) is wish

    def get(self, wish_id: str) -> rules.StoredWish:
        if wish_id not in self.kept:
            raise rules.NoSuchWish("gone")
        return self.kept[wish_id]

    def change(self, wish_id: str, step: Callable[[rules.StoredWish], rules.StoredWish]) -> rules.StoredWish:
        self.kept[wish_id] = step(self.get(wish_id))
        return self.kept[wish_id]

    def some(self, ids: Sequence[str]) -> list[rules.StoredWish]:
        return [self.kept[one] for one in ids if one in self.kept]

    def newest(self, limit: int) -> list[rules.StoredWish]:
        return list(self.kept.values())[:limit]

    def held(self) -> list[rules.StoredWish]:
        return [wish for wish in self.kept.values() if wish.state in ("running", "publishing")]

    def ripe(self, *, now_s: float, limit: int) -> list[rules.StoredWish]:
        return list(self.unfinished())

    def line(self, limit: int) -> list[rules.StoredWish]:
        return list(self.unfinished())[:limit]

    def done(self, limit: int) -> list[rules.StoredWish]:
        return [wish for wish in self.kept.values() if wish.state == "ready"][:limit]

    def of_title(self, external_id: str, limit: int) -> list[rules.StoredWish]:
        return [wish for wish in self.kept.values() if wish.request.external_id == external_id][:limit]

    def unfinished(self) -> Iterable[rules.StoredWish]:
        return [wish for wish in self.kept.values() if wish.state not in ("ready", "refused")]

    def ids_in(self, states: Sequence[WishState]) -> list[str]:
        return [wish.wish_id for wish in self.kept.values() if wish.state in states]

    def counts(self) -> dict[WishState, int]:
        return dict(Counter(wish.state for wish in self.kept.values()))

    def forget(self, wish: rules.StoredWish) -> bool:
        if self.kept.get(wish.wish_id) != wish:
            return False
        del self.kept[wish.wish_id]
        return True

    def turn(self) -> int:
        return self.turns

    def pass_turn(self, seen: int) -> bool:
        self.turns += 1
        return seen == self.turns - 1


@dataclass
class Hints:
    given: list[tuple[str, int]] = field(default_factory=list)
    hurried: list[str] = field(default_factory=list)

    def give(self, wish_id: str, attempt: int) -> None:
        self.given.append((wish_id, attempt))

    def hurry(self, wish_id: str) -> None:
        self.hurried.append(wish_id)


@dataclass
class News:
    said: list[WishEvent] = field(default_factory=list)

    def announce(self, event: WishEvent) -> None:
        self.said.append(event)

    def tell_queue(self) -> None:
        """Say nothing: `announce` is looked at."""


@dataclass
class Offers:
    offers_now: tuple[Offer, ...] = (Offer(source="demo", url="http://demo/a.m3u8", delivery="hls"),)
    error: KinodomError | None = None
    told: list[tuple[str, bool]] = field(default_factory=list)

    def tell(self, request: WishRequest, offer: Offer, *, played: bool) -> None:
        self.told.append((offer.url, played))

    def offers(self, request: WishRequest, *, fresh: bool) -> OfferList:
        if self.error is not None:
            raise self.error
        return OfferList(external_id=request.external_id, translation_id=request.translation_id, offers=self.offers_now)


@dataclass
class Fetch:
    broken: dict[str, BaseException] = field(default_factory=dict)  # by address
    planned_bytes: int | None = None
    endless: bool = False
    asked: list[str] = field(default_factory=list)

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
        self.asked.append(offer.url)
        if offer.url in self.broken:
            raise self.broken[offer.url]
        on_progress(
            Progress(
                stage="fetching",
                fraction=0.5,
                fetched_bytes=10,
                total_bytes=self.planned_bytes,
                duration_s=40.0,
                endless=self.endless,
            )
        )
        return Fetched(tracks=(), duration_s=40.0, total_bytes=10)


SHOWN = video_of(REQUEST, tracks=(), duration_s=40.0, height_px=720, size_bytes=10, now_s=1000.0)


@dataclass
class Folders:
    room: int = 10**12
    parts: int = 0
    error: KinodomError | None = None
    shown: VideoIn | None = None
    cleared: list[str] = field(default_factory=list)
    unpackable: dict[str, KinodomError] = field(default_factory=dict)  # by address
    before_fence: Callable[[], None] = lambda: None

    def work_folder(self, wish_id: str) -> Path:
        return Path("/nowhere")

    def disk(self) -> Disk:
        if self.error is not None:
            raise self.error
        return Disk(free_bytes=self.room, total_bytes=10**12)

    def library_bytes(self) -> int:
        return 0

    def parts_bytes(self, wish_id: str) -> int:
        return self.parts

    def published(self, wish_id: str) -> VideoIn | None:
        return self.shown

    def publish(
        self,
        wish: rules.StoredWish,
        fetched: Fetched,
        offer: Offer,
        *,
        fence: Callable[[], None],
        on_packaged: Callable[[float], None],
        should_stop: Callable[[], bool],
    ) -> VideoIn:
        if offer.url in self.unpackable:
            raise self.unpackable[offer.url]
        self.before_fence()
        fence()
        self.shown = SHOWN
        return self.shown

    def clear(self, wish_id: str) -> None:
        self.cleared.append(wish_id)

    def reap(self, is_current: Callable[[str], bool]) -> list[str]:
        return []


@dataclass
class Shelf:
    error: KinodomError | None = None
    told: list[tuple[str, VideoIn]] = field(default_factory=list)

    def register_video(self, video_id: str, video: VideoIn) -> object:
        if self.error is not None:
            raise self.error
        self.told.append((video_id, video))
        return None


def void(_: object) -> None:
    """Do nothing with a result."""


class World:
    """Everything around a worker, with a switch per failure."""

    def __init__(self) -> None:
        self.wishes, self.hints, self.news = MemoryWishes(), Hints(), News()
        self.resolver, self.fetch, self.folders, self.shelf = Offers(), Fetch(), Folders(), Shelf()
        self.now_s = 1000.0
        self.tools = working.Tools(
            wishes=self.wishes,
            resolver=self.resolver,
            fetch=self.fetch,
            library=self.folders,
            shelf=self.shelf,
            announcer=self.news,
            clock=lambda: self.now_s,
            heartbeat=working.Heartbeat,
        )
        self.desk = asking.Desk(
            wishes=self.wishes,
            hints=self.hints,
            announcer=self.news,
            library=self.folders,
            clock=lambda: self.now_s,
        )
        asking.ask(REQUEST, desk=self.desk, request_id="r" * 32)

    def work(self, token: str = "t") -> rules.StoredWish:
        working.fulfil(token=token, tools=self.tools)
        return self.wishes.get(WISH_ID)
