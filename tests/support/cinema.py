"""A small cinema for browser tests: the real Nginx, gateway pages and front end around a short film made on the spot.

The services behind the gateway are fakes, except sync when a test asks for rooms.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kinodom_common.contracts.offers import Skip
from kinodom_common.contracts.rooms import RoomList
from kinodom_common.contracts.titles import (
    SearchLine,
    SearchReply,
    SourceCard,
    SourceList,
    SourceOutcome,
    SourceTitle,
    TitleCard,
    TitleHit,
)
from kinodom_common.contracts.videos import (
    RemovedVideo,
    RenditionList,
    RestoredVideo,
    Title,
    TitleList,
    TitlePage,
    Video,
)
from kinodom_common.contracts.wishes import DiskRoom, Progress, Wish, WishList, WishRequest, WishState
from kinodom_common.errors import NotFound
from kinodom_common.hosts import HOME, HostRule
from kinodom_common.ids import folder_of
from kinodom_gateway.app import create_app
from kinodom_gateway.assets import Assets
from kinodom_gateway.settings import Settings
from kinodom_gateway.viewer import Gate
from kinodom_gateway.wiring import Deps
from kinodom_resolver.domain.merging import Grouping, groups_of
from tests.support.nginx_house import MEDIA_KEY, NginxHouse, nginx_house
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

FRONT_END = Path(__file__).parents[2] / "services/gateway/frontend"
FILM_S = 60.0
FIRST, SECOND, OTHER_DUB = "a1" * 32, "b2" * 32, "c3" * 32
MEMBER_KEY, INNER_KEY = "member-key-of-a-test", "inner-key-of-a-test"
LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    """The wall clock of the gateway, to be moved by tests of links that lapse."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


class FakeCatalogue:
    """One series with two episodes, the first in two dubs."""

    def __init__(self) -> None:
        self.videos = (
            _video(FIRST, 1, "The Tin Lighthouse", "prichal", "Prichal"),
            _video(SECOND, 2, "Oil for the Lamp", "prichal", "Prichal"),
            _video(OTHER_DUB, 1, "The Tin Lighthouse", "original", "Original"),
        )
        title = Title(title_id="t1", name="Keepers", kind="series", added_at=LONG_AGO, videos_count=3)
        self.page = TitlePage(title=title, videos=self.videos)

    def video(self, video_id: str) -> Video:
        for one in self.videos:
            if one.video_id == video_id:
                return one
        raise NotFound("There is no such video.")

    def title(self, title_id: str) -> TitlePage:
        return self.page

    def titles(self, q: str | None = None, **_: object) -> TitleList:
        found = (self.page.title,) if (q or "").lower() in self.page.title.name.lower() else ()
        return TitleList(titles=found, total=len(found))


class FakeDownloader:
    """What is on its way."""

    def __init__(self) -> None:
        self.list = WishList()
        self.moved: list[tuple[str, str | None]] = []
        self.removed: list[str] = []

    def remove_video(self, video_id: str) -> RemovedVideo:
        self.removed.append(video_id)
        return RemovedVideo(video_id=video_id, restorable_until=LONG_AGO)

    def restore_video(self, video_id: str) -> RestoredVideo:
        self.removed.remove(video_id)
        return RestoredVideo(video_id=video_id)

    def renditions(self) -> RenditionList:
        return RenditionList(renditions=())

    def view(self, wish_id: str) -> Wish:
        raise NotFound("There is no such wish.")

    def one(self, wish_id: str) -> Wish:
        raise NotFound("There is no such wish.")

    def wishes(self, ids: tuple[str, ...] = (), *, part: str = "newest", limit: int = 100) -> WishList:
        ready = tuple(wish for wish in self.list.wishes if wish.state == "ready")
        rest = tuple(wish for wish in self.list.wishes if wish.state != "ready")
        return WishList(wishes={"done": ready, "line": rest}.get(part, self.list.wishes))

    def move(self, wish_id: str, before: str | None) -> Wish:
        self.moved.append((wish_id, before))
        queue = {wish.wish_id: wish for wish in self.list.wishes}
        wish = queue.pop(wish_id)
        rest = list(queue.values())
        rest.insert(next((n for n, one in enumerate(rest) if one.wish_id == before), len(rest)), wish)
        self.list = WishList(wishes=tuple(rest))
        return wish

    def wishes_of(self, external_id: str) -> WishList:
        return WishList(wishes=tuple(wish for wish in self.list.wishes if wish.request.external_id == external_id))

    def disk(self) -> DiskRoom:
        gb = 10**9
        return DiskRoom(free_bytes=120 * gb, total_bytes=500 * gb, library_bytes=80 * gb, keep_free_bytes=10 * gb)


class FakeSources:
    """Sources that answer a search when a test lets them."""

    def __init__(self) -> None:
        self.cards: tuple[SourceCard, ...] = ()
        self.hits: dict[str, tuple[TitleHit, ...]] = {}
        self.order: tuple[str, ...] = ()  # in which they answer
        self.may_answer: dict[str, threading.Event] = {}
        self.breaks_off = False

    def title(self, external_id: str) -> SourceTitle:
        raise NotFound("The source does not know this title.")

    def sources(self) -> SourceList:
        return SourceList(sources=self.cards)

    def search(self, query: str) -> SearchReply:
        hits = tuple(hit for card in self.cards for hit in self.hits.get(card.name, ()))
        outcomes = tuple(self._outcome(card) for card in self.cards)
        return SearchReply(query=query, hits=hits, sources=outcomes, groups=groups_of(hits))

    def search_lines(self, query: str) -> Iterator[SearchLine]:
        grouping = Grouping()
        for name in self.order:
            assert self.may_answer[name].wait(20)
            if self.breaks_off:
                return
            card = next(one for one in self.cards if one.name == name)
            hits = self.hits.get(name, ())
            yield SearchLine(outcome=self._outcome(card), hits=hits, groups=grouping.with_these(hits))
        yield SearchLine(done=True)

    def _outcome(self, card: SourceCard) -> SourceOutcome:
        hits = self.hits.get(card.name, ())
        return SourceOutcome(
            source=card.name,
            label=card.label,
            state="answered" if hits else "silent",
            count=len(hits),
            took_ms=300,
            code=None if hits else "source_silent",
        )


class NoRooms:
    """Nobody watches together."""

    def rooms(self) -> RoomList:
        return RoomList()


def _video(video_id: str, episode: int, name: str, dub: str, dub_name: str) -> Video:
    return Video(
        video_id=video_id,
        title_id="t1",
        external_id="demo:keepers",
        season=1,
        episode=episode,
        episode_name=name,
        translation_id=dub,
        translation_name=dub_name,
        translation_kind="voice" if dub != "original" else "original",
        height_px=360,
        duration_s=FILM_S,
        sprites=True,
        skips=(Skip(kind="opening", start_s=20.0, end_s=40.0),) if episode == 2 else (),
        published_at=LONG_AGO,
    )


def a_wish(state: WishState, fraction: float) -> WishList:
    """Return a wish for one film, so far along."""
    card = TitleCard(external_id="demo:fox", name="The Fox's Tail")
    progress = Progress(
        stage="fetching", fraction=fraction, fetched_bytes=int(fraction * 1.5e9), total_bytes=1_500_000_000,
        speed_bytes_s=4.2e6, left_s=61,
    )  # fmt: skip
    request = WishRequest(external_id="demo:fox", title=card)
    wish = Wish(wish_id=FIRST, request=request, state=state, progress=progress, asked_at=LONG_AGO, changed_at=LONG_AGO)
    return WishList(wishes=(wish,))


def a_queue(*names: str) -> WishList:
    """Return wishes that wait for their turn, in this order; each name is the id too."""
    wishes = a_wish("wanted", 0.0).wishes

    def named(name: str) -> Wish:
        card = TitleCard(external_id=f"demo:{name}", name=name)
        request = WishRequest(external_id=card.external_id, title=card)
        return wishes[0].model_copy(update={"wish_id": name, "request": request, "progress": Progress()})

    return WishList(wishes=tuple(named(name) for name in names))


class Cinema:
    """Where the running cinema is, and what tests may change in it."""

    def __init__(
        self,
        nginx: NginxHouse,
        catalogue: FakeCatalogue,
        downloader: FakeDownloader,
        clock: Clock,
        sources: FakeSources,
    ) -> None:
        self.nginx = nginx
        self.sources = sources
        self.catalogue = catalogue
        self.downloader = downloader
        self.clock = clock
        self.url = f"http://127.0.0.1:{nginx.port}"

    def watch_url(self, video_id: str = FIRST) -> str:
        return f"{self.url}/watch/{video_id}"


def make_film(folder: Path) -> None:
    """Write a film of 60 s as DASH over two CMAF files, with a poster."""
    folder.mkdir(parents=True)
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={FILM_S}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=330:duration={FILM_S}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    dash = ["-f", "dash", "-seg_duration", "4", "-single_file", "1", "-use_timeline", "0", "manifest.mpd"]
    run = ["ffmpeg", "-nostdin", "-v", "error"]
    subprocess.run([*run, *picture, *sound, *coding, "-shortest", *dash], cwd=folder, check=True)
    still = [*run, "-i", "manifest.mpd", "-frames:v", "1", "poster.jpg"]
    subprocess.run(still, cwd=folder, check=True)
    tiles = [*run, "-i", "manifest-stream0.mp4", "-vf", "fps=1/10,scale=240:136,tile=3x2", "-frames:v", "1"]
    subprocess.run([*tiles, "sprite-0.jpg"], cwd=folder, check=True)
    cues = "".join(
        f"00:00:{at:02d}.000 --> 00:{(at + 10) // 60:02d}:{(at + 10) % 60:02d}.000\n"
        f"sprite-0.jpg#xywh={240 * (at // 10 % 3)},{136 * (at // 30)},240,136\n\n"
        for at in range(0, 60, 10)
    )
    (folder / "sprites.vtt").write_text(f"WEBVTT\n\n{cues}")


def build_front_end(folder: Path) -> None:
    """Build the front end into a folder."""
    assert (FRONT_END / "node_modules").is_dir(), "run npm ci --ignore-scripts in services/gateway/frontend first"
    subprocess.run(["node", "build.mjs", str(folder)], cwd=FRONT_END, check=True)


@contextmanager
def cinema(root: Path, *, sync_url: str | None = None, rooms: object | None = None) -> Iterator[Cinema]:
    """Run a cinema below `root`. `rooms` is a client of a sync service that listens at `sync_url`."""
    catalogue, downloader, clock, sources = FakeCatalogue(), FakeDownloader(), Clock(), FakeSources()
    build_front_end(root / "static")
    make_film(root / "library" / folder_of(FIRST))
    for copy in (SECOND, OTHER_DUB):
        shutil.copytree(root / "library" / folder_of(FIRST), root / "library" / folder_of(copy))
    here = "http://127.0.0.1:9"
    settings = Settings.model_validate(
        {
            "inner_key": INNER_KEY, "session_key": "s" * 32, "media_key": MEDIA_KEY, "member_key": MEMBER_KEY,
            "resolver_url": here, "catalogue_url": here, "downloader_url": here, "sync_url": here,
            "static_root": root / "static",
        }
    )  # fmt: skip
    deps = Deps(
        settings=settings,
        catalogue=cast("Any", catalogue),
        resolver=cast("Any", sources),
        downloader=cast("Any", downloader),
        sync=cast("Any", rooms or NoRooms()),
        gate=Gate("s" * 32, MEMBER_KEY),
        assets=Assets(root / "static"),
        hosts=HostRule(HOME),
        clock=clock,
        ready={},
    )
    with ExitStack() as stack:
        gateway_url = stack.enter_context(served(create_app(settings, deps=deps)))
        nginx = stack.enter_context(nginx_house(root, gateway_url=gateway_url, sync_url=sync_url))
        yield Cinema(nginx, catalogue, downloader, clock, sources)
