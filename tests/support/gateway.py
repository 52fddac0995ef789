"""A gateway whose neighbours are small classes with a switch per failure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from kinodom_common.contracts.rooms import Room, RoomItem, RoomList, RoomRequest, Vec
from kinodom_common.contracts.sources import CookieIn, CookieNames, SourceChange, SourceTrial
from kinodom_common.contracts.titles import (
    EpisodeRef,
    SearchLine,
    SearchReply,
    SourceCard,
    SourceHealth,
    SourceList,
    SourceOutcome,
    SourceTitle,
    TitleCard,
    TitleHit,
    Translation,
)
from kinodom_common.contracts.videos import (
    RemovedVideo,
    RenditionJob,
    RenditionList,
    RestoredVideo,
    Title,
    TitleList,
    TitlePage,
    TitleReply,
    Video,
    VideoList,
)
from kinodom_common.contracts.wishes import (
    DiskRoom,
    ManyChanged,
    Progress,
    QueueStatus,
    Wish,
    WishList,
    WishReply,
    WishRequest,
)
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_common.hosts import HostRule
from kinodom_common.ids import content_key, title_id_of, video_id_of
from kinodom_gateway.app import create_app
from kinodom_gateway.assets import Assets
from kinodom_gateway.settings import Settings
from kinodom_gateway.viewer import Gate
from kinodom_gateway.wiring import Deps
from kinodom_resolver.domain.merging import Grouping, groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

NOW = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
EXTERNAL = "demo:tin-lighthouse"
TITLE_ID = "t0123456789abcdef0123"
CARD = TitleCard(
    external_id=EXTERNAL, name="The Tin Lighthouse", year=2026, kind="series", original_name="Жестяной маяк"
)
EPISODES = tuple(EpisodeRef(season=1, episode=n, name=f"Part {n}") for n in (1, 2, 3))
PRICHAL = Translation(
    translation_id="prichal", name="Prichal", kind="voice", language="ru", heights_px=(720, 360), episodes=EPISODES
)
KOTELNAYA = Translation(
    translation_id="kotelnaya", name="Studio Kotelnaya", kind="voice", heights_px=(360,), episodes=EPISODES[:2]
)
SOURCES = (
    SourceCard(
        name="demo",
        label="Demo films",
        weight=80,
        enabled=True,
        cookies=1,
        reads=("words",),
        health=SourceHealth(last_success_at=NOW, took_ms=300),
    ),
    SourceCard(
        name="internet_archive",
        label="Internet Archive",
        weight=70,
        enabled=True,
        reads=("address", "words"),
        health=SourceHealth(state="open", last_success_at=LONG_AGO, last_failure_at=NOW, last_code="outside_timeout"),
    ),
    SourceCard(name="direct", label="Typed address", weight=60, enabled=True, reads=("address",)),
    SourceCard(
        name="kodik",
        label="Kodik",
        weight=50,
        enabled=False,
        set_up=False,
        note="Not configured. Set KINODOM_KODIK_TOKEN to a token of your own.",
    ),
)
SOURCE_TITLE = SourceTitle(source="demo", card=CARD, translations=(PRICHAL, KOTELNAYA))


def a_video(episode: int = 1, translation: str = "prichal", height: int = 720) -> Video:
    """Return a video on the disk."""
    return Video(
        video_id=video_id_of(content_key(EXTERNAL, 1, episode, translation, height)),
        title_id=TITLE_ID,
        external_id=EXTERNAL,
        season=1,
        episode=episode,
        episode_name=f"Part {episode}",
        translation_id=translation,
        translation_name=translation.title(),
        translation_kind="voice",
        height_px=height,
        duration_s=40.0,
        size_bytes=5_000_000,
        published_at=NOW,
    )


def a_title(videos: int = 1) -> Title:
    """Return a title of the house."""
    return Title(
        title_id=TITLE_ID,
        name="The Tin Lighthouse",
        year=2026,
        kind="series",
        external_ids=(EXTERNAL,),
        videos_count=videos,
        added_at=NOW,
    )


def a_wish(state: str = "running", episode: int = 2, **changes: Any) -> Wish:
    """Return a wish."""
    request = WishRequest(
        external_id=EXTERNAL, season=1, episode=episode, translation_id="prichal", height_px=720, title=CARD
    )
    shown = {"wish_id": "w" * 8, "request": request, "state": state, "asked_at": NOW, "changed_at": NOW}
    return Wish.model_validate({**shown, "progress": Progress(fraction=0.38, stage="fetching"), **changes})


@dataclass
class FakeCatalogue:
    pages: dict[str, TitlePage] = field(default_factory=dict)
    error: KinodomError | None = None
    asked: list[dict[str, object]] = field(default_factory=list)
    refreshed: list[tuple[str, TitleCard]] = field(default_factory=list)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def titles(self, q: str | None = None, **asked: object) -> TitleList:
        self._check()
        self.asked.append({name: value for name, value in asked.items() if value is not None})
        found = tuple(page.title for page in self.pages.values() if (q or "").lower() in page.title.name.lower())
        return TitleList(titles=found, total=len(found))

    def add_title(self, card: TitleCard) -> TitleReply:
        self._check()
        title_id = title_id_of(card.external_id)
        made = Title(title_id=title_id, name=card.name, external_ids=(card.external_id,), added_at=NOW)
        page = self.pages.setdefault(title_id, TitlePage(title=made))
        return TitleReply(title=page.title, created=page.title is made)

    def refresh_title(self, title_id: str, card: TitleCard) -> Title:
        self.refreshed.append((title_id, card))
        return self.title(title_id).title

    def delete_title(self, title_id: str) -> None:
        self.title(title_id)
        del self.pages[title_id]

    def videos(self, *, limit: int = 60, after: str | None = None) -> VideoList:
        found = tuple(video for page in self.pages.values() for video in page.videos)
        return VideoList(videos=found[:limit], total=len(found))

    def title(self, title_id: str) -> TitlePage:
        self._check()
        if title_id not in self.pages:
            raise NotFound("The house has no such title.")
        return self.pages[title_id]

    def title_by_external(self, external_id: str) -> TitlePage | None:
        self._check()
        return next((page for page in self.pages.values() if external_id in page.title.external_ids), None)

    def video(self, video_id: str) -> Video:
        self._check()
        for page in self.pages.values():
            for video in page.videos:
                if video.video_id == video_id:
                    return video
        raise NotFound("This film is not on the disk.")


@dataclass
class FakeResolver:
    titles: dict[str, SourceTitle] = field(default_factory=lambda: {EXTERNAL: SOURCE_TITLE})
    error: KinodomError | None = None
    breaks_off: bool = False
    cards: list[SourceCard] = field(default_factory=lambda: list(SOURCES))
    changes: list[tuple[str, SourceChange]] = field(default_factory=list)
    kept_cookies: dict[str, CookieIn] = field(default_factory=dict)
    refuses: KinodomError | None = None  # whatever is to be changed or tried
    all_answer: bool = False  # the Internet Archive too, with nothing
    age_s: int | None = None  # of its answers to searches; None: asked just now
    also: tuple[TitleHit, ...] = ()  # what the Internet Archive has; empty: it is silent

    def search(self, query: str) -> SearchReply:
        if self.error is not None:
            raise self.error
        hits = tuple(
            TitleHit(**one.card.model_dump(), source=one.source, dubs=("Prichal",), heights_px=(720,), episodes=3)
            for one in self.titles.values()
            if query.lower() in one.card.name.lower()
        )
        answered = SourceOutcome(
            source="demo", label="Demo films", state="answered", count=len(hits), took_ms=12, age_s=self.age_s
        )
        silent = SourceOutcome(
            source="internet_archive",
            label="Internet Archive",
            state="silent",
            code="outside_timeout",
            detail="No answer in 4 s.",
        )
        if self.also or self.all_answer:
            silent = answered.model_copy(
                update={"source": "internet_archive", "label": "Internet Archive", "count": len(self.also)}
            )
        hits = (*hits, *self.also)
        return SearchReply(query=query, hits=hits, sources=(answered, silent), groups=groups_of(hits))

    def search_lines(self, query: str) -> Iterator[SearchLine]:
        reply = self.search(query)

        def told() -> Iterator[SearchLine]:
            grouping = Grouping()
            for outcome in reply.sources:
                hits = tuple(hit for hit in reply.hits if hit.source == outcome.source)
                yield SearchLine(outcome=outcome, hits=hits, groups=grouping.with_these(hits))
                if self.breaks_off:
                    raise UpstreamFailed("It broke off.")
            yield SearchLine(done=True)

        return told()

    def title(self, external_id: str) -> SourceTitle:
        if self.error is not None:
            raise self.error
        if external_id not in self.titles:
            raise NotFound("The source does not know this title.")
        return self.titles[external_id]

    def sources(self) -> SourceList:
        if self.error is not None:
            raise self.error
        return SourceList(sources=tuple(sorted(self.cards, key=lambda one: -one.weight)))

    def change_source(self, name: str, wanted: SourceChange) -> SourceCard:
        self._may(name)
        self.changes.append((name, wanted))
        return self._card(name)

    def cookie(self, name: str) -> CookieNames:
        return CookieNames(source=name, names=("session",), domains=("films.example",))

    def set_cookie(self, name: str, cookie: CookieIn) -> CookieNames:
        self._may(name)
        self.kept_cookies[name] = cookie
        return self.cookie(name)

    def forget_cookie(self, name: str) -> None:
        self._may(name)
        del self.kept_cookies[name]

    def try_source(self, name: str, query: str) -> SourceTrial:
        self._may(name)
        reply = self.search(query)
        outcome = next(one for one in reply.sources if one.source == name)
        return SourceTrial(outcome=outcome, hits=tuple(hit for hit in reply.hits if hit.source == name))

    def _may(self, name: str) -> None:
        self._card(name)
        if self.refuses is not None:
            raise self.refuses

    def _card(self, name: str) -> SourceCard:
        for card in self.cards:
            if card.name == name:
                return card
        raise NotFound("No source of this name is installed here.")


@dataclass
class FakeDownloader:
    kept: list[Wish] = field(default_factory=list)
    asked: list[WishRequest] = field(default_factory=list)
    done: list[tuple[str | None, ...]] = field(default_factory=list)
    disk_error: KinodomError | None = None
    keeps_trash: bool = True
    remade: list[RenditionJob] = field(default_factory=list)
    refuses: dict[int | None, KinodomError] = field(default_factory=dict)  # by episode

    def wish(self, request: WishRequest) -> WishReply:
        if request.episode in self.refuses:
            raise self.refuses[request.episode]
        self.asked.append(request)
        key = content_key(
            request.external_id, request.season, request.episode, request.translation_id, request.height_px
        )
        wish = Wish(wish_id=video_id_of(key), request=request, state="wanted", asked_at=NOW, changed_at=NOW)
        return WishReply(wish=wish, created=all(one.wish_id != wish.wish_id for one in self.kept))

    def wishes(self, ids: Iterable[str] = (), *, part: str = "newest", limit: int = 100) -> WishList:
        wanted = set(ids)
        found = [one for one in self.kept if not wanted or one.wish_id in wanted]
        if part != "newest":
            found = [one for one in found if (one.state == "ready") == (part == "done")]
            found = sorted(found, key=lambda one: one.position)[:limit]
        return WishList(wishes=tuple(found))

    def wishes_of(self, external_id: str) -> WishList:
        return WishList(wishes=tuple(one for one in self.kept if one.request.external_id == external_id))

    def queue(self) -> QueueStatus:
        counts = Counter(one.state for one in self.kept)
        return QueueStatus.model_validate({**counts, "parallel": 2, "free_bytes": 5, "total_bytes": 9})

    def one(self, wish_id: str) -> Wish:
        for wish in self.kept:
            if wish.wish_id == wish_id:
                return wish
        raise NotFound("There is no such wish.")

    def keep_with_holes(self, wish_id: str) -> Wish:
        return self._did("keep_with_holes", wish_id)

    def view(self, wish_id: str) -> Wish:
        return self._did("view", wish_id)

    def keep(self, wish_id: str) -> Wish:
        return self._did("keep", wish_id)

    def disk(self) -> DiskRoom:
        if self.disk_error is not None:
            raise self.disk_error
        gb = 10**9
        return DiskRoom(free_bytes=120 * gb, total_bytes=500 * gb, library_bytes=80 * gb, keep_free_bytes=10 * gb)

    def change_all(self, act: str) -> ManyChanged:
        self.done.append(("all", act))
        return ManyChanged(changed=len(self.kept))

    def pause(self, wish_id: str) -> Wish:
        return self._did("pause", wish_id)

    def resume(self, wish_id: str) -> Wish:
        return self._did("resume", wish_id)

    def move(self, wish_id: str, before: str | None) -> Wish:
        return self._did("move", wish_id, before)

    def forget(self, wish_id: str) -> None:
        self._did("forget", wish_id)

    def renditions(self) -> RenditionList:
        return RenditionList(renditions=tuple(self.remade))

    def retry_rendition(self, video_id: str) -> RenditionJob:
        self.done.append(("retry_rendition", video_id))
        return next(one for one in self.remade if one.video_id == video_id)

    def remove_video(self, video_id: str) -> RemovedVideo:
        self.done.append(("remove", video_id))
        return RemovedVideo(video_id=video_id, restorable_until=NOW if self.keeps_trash else None)

    def restore_video(self, video_id: str) -> RestoredVideo:
        self.done.append(("restore", video_id))
        return RestoredVideo(video_id=video_id)

    def _did(self, *what: str | None) -> Wish:
        self.done.append(what)
        return self.kept[0]


@dataclass
class FakeSync:
    kept: dict[str, Room] = field(default_factory=dict)

    def create_room(self, request: RoomRequest) -> Room:
        vec = Vec(
            epoch="e", v=1, item=request.item, pos_ms=request.pos_ms, rate=0, at_ms=0, by=request.owner, op="pause"
        )
        room = Room(room_id="room-1", title_id=request.title_id, name=request.name, items=request.items, vec=vec)
        self.kept[room.room_id] = room
        return room

    def room(self, room_id: str) -> Room:
        if room_id not in self.kept:
            raise NotFound("This room is closed.")
        return self.kept[room_id]

    def rooms(self) -> RoomList:
        return RoomList(rooms=tuple(self.kept.values()))


@dataclass
class House:
    """A gateway's app with its fakes."""

    settings: Settings
    catalogue: FakeCatalogue = field(default_factory=FakeCatalogue)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    downloader: FakeDownloader = field(default_factory=FakeDownloader)
    sync: FakeSync = field(default_factory=FakeSync)
    now_s: float = 1_800_000_000.0

    def client(self) -> FlaskClient:
        """Return a browser."""
        deps = Deps(
            settings=self.settings,
            catalogue=cast("Any", self.catalogue),
            resolver=cast("Any", self.resolver),
            downloader=cast("Any", self.downloader),
            sync=cast("Any", self.sync),
            gate=Gate("s" * 64, "m" * 64, self.settings.api_tokens.get_secret_value()),
            assets=Assets(self.settings.static_root),
            hosts=HostRule(),
            clock=lambda: self.now_s,
            ready={},
        )
        return create_app(self.settings, deps=deps).test_client()

    def put_film_at_source(self, film: TitleCard) -> None:
        """Let the demo site have a film in one dub."""
        dub = Translation(translation_id="original", name="Original", episodes=(EpisodeRef(),))
        self.resolver.titles[film.external_id] = SourceTitle(source="demo", card=film, translations=(dub,))

    def put_on_disk(self, *videos: Video) -> None:
        """Put videos of the one title on the shelf."""
        self.catalogue.pages[TITLE_ID] = TitlePage(title=a_title(len(videos)), videos=videos)


def a_house(static_root: Path, **changes: object) -> House:
    """Return a house with an empty shelf and a built front end."""
    names = ("app.js", "player.js", "room.js", "kinodom.css", "sprite.svg", "favicon.svg")
    (static_root / "manifest.json").write_text(json.dumps({name: f"x-{name}" for name in names}))
    settings = Settings.model_validate(
        {
            "inner_key": "k" * 64,
            "session_key": "s" * 64,
            "media_key": "q" * 64,
            "member_key": "m" * 64,
            "static_root": static_root,
            **{f"{name}_url": f"http://{name}:8000" for name in ("resolver", "catalogue", "downloader", "sync")},
            **changes,
        }
    )
    return House(settings)


def item_of(video: Video) -> RoomItem:
    """Return a room item for a video."""
    return RoomItem(video_id=video.video_id, label="x", duration_ms=video.duration_s * 1000)
