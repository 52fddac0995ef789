"""Watching while it comes, without a browser: real Nginx, the real door and the real engine, a host that waits."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import HttpUrl, SecretStr

from kinodom_common.contracts.offers import Delivery, Offer
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.ids import folder_of
from kinodom_common.store import open_store
from kinodom_downloader.adapters.audience import Audience
from kinodom_downloader.adapters.engine import fetch
from kinodom_downloader.adapters.library import MediaLibrary
from kinodom_downloader.adapters.live_pieces import LivePieces
from kinodom_downloader.adapters.packaging import package
from kinodom_downloader.adapters.pieces import Job, Pieces
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.adapters.workfolder import WorkFolder
from kinodom_downloader.app import create_app
from kinodom_downloader.domain import asking
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.door import Door
from kinodom_downloader.domain.faults import Stopped
from kinodom_downloader.domain.fetched import Fetched
from kinodom_downloader.domain.holes import Leave
from kinodom_downloader.domain.plan import Plan, Segment, TrackPlan
from kinodom_downloader.settings import WebSettings
from kinodom_downloader.wiring import WebDeps
from tests.support import clips, media, origin
from tests.support.fetching import transport_for
from tests.support.nginx_house import INNER_KEY, NginxHouse, nginx_house, signed
from tests.support.origin import Answer, Origin
from tests.support.served import served
from tests.support.wants import LoopWants

pytestmark = pytest.mark.slow

CARD = TitleCard(external_id="direct:x", name="Long")
REQUEST = WishRequest(external_id="direct:x", title=CARD, watch=True)
WISH_ID = rules.wish_id_of(REQUEST)
VIEWER = "viewer-1"


class News:
    def announce(self, event: object) -> None:
        """Nobody listens."""


class Cinema:
    """A film on its way, and a browser's side of it."""

    def __init__(self, root: Path, host: Origin) -> None:
        self.host = host
        self.root = root
        self.wants = LoopWants()
        self.wishes = StoredWishes(open_store(f"sqlite:///{root / 'd.sqlite'}"))
        self.library = MediaLibrary(root)
        self.desk = asking.Desk(
            wishes=self.wishes,
            hints=cast("Any", self),
            announcer=cast("Any", News()),
            library=self.library,
            clock=time.time,
        )
        self.nginx: NginxHouse | None = None
        self.over = threading.Event()
        self.failure: list[BaseException] = []
        self.fetched: Fetched | None = None
        self.thread: threading.Thread | None = None

    def give(self, wish_id: str, attempt: int) -> None:
        """Hints are not needed: the test begins the fetch."""

    def hurry(self, wish_id: str) -> None:
        """As above."""

    def app(self) -> Any:
        here = HttpUrl("http://127.0.0.1:9")
        settings = WebSettings(
            inner_key=SecretStr(INNER_KEY), store="sqlite:///:memory:", redis_url=SecretStr("redis://nowhere/0"),
            media_root=self.root, catalogue_url=here,
        )  # fmt: skip
        pieces = LivePieces(self.root)
        door = Door(desk=self.desk, pieces=pieces, wants=self.wants, clock=time.monotonic, pause=time.sleep)
        deps = WebDeps(
            desk=self.desk,
            door=door,
            removals=cast("Any", None),
            exports=cast("Any", None),
            ready={},
            remakes=cast("Any", None),
        )
        return create_app(settings, deps=deps)

    def begin(self, entry: str, delivery: Delivery, *, workers: int = 2, leave: Leave = "nothing") -> None:
        """Store the wish, hold it as a worker does, and fetch in a thread."""
        asking.ask(REQUEST, desk=self.desk, request_id="")
        self.wishes.change(WISH_ID, lambda wish: rules.claim(wish, token="t", now_s=time.time()))
        offer = Offer(source="test", url=f"{self.host.address}{entry}", delivery=delivery)

        def run() -> None:
            try:
                with Audience(WISH_ID, self.wants, hurry=True) as audience:
                    self.fetched = fetch(
                        offer,
                        self.library.work_folder(WISH_ID),
                        transport=transport_for(self.host, limits=None),
                        workers=workers,
                        on_progress=lambda _progress: None,
                        should_stop=self.over.is_set,
                        on_start=audience.begin,
                        hurry=True,
                        leave=leave,
                    )
            except Stopped:
                pass
            except BaseException as exc:  # noqa: BLE001  # told to the test
                self.failure.append(exc)

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def end(self) -> None:
        self.over.set()
        self.host.gate.set()
        if self.thread is not None:
            self.thread.join(20)

    def ask(self, file: str, *, viewer: str = VIEWER, seconds: int = 600, **headers: str) -> tuple[int, bytes]:
        """Ask Nginx for a file of the film."""
        assert self.nginx is not None
        link = signed(folder_of(WISH_ID), expires_s=int(time.time()) + seconds, viewer=viewer)
        path = link.replace("/v/", "/w/", 1) + file
        status, _headers, body = self.nginx.ask(path, Cookie=f"viewer={VIEWER}", **headers)
        return status, body

    def facts(self) -> dict[str, Any]:
        status, body = self.ask("live.json")
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def names(self, playlist: str) -> list[str]:
        """Return what a playlist lists, init sections too."""
        status, body = self.ask(f"{self.facts()['generation']}/{playlist}")
        assert status == 200
        return re.findall(r"t\d+-\d{6}\.seg", body.decode())


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


@pytest.fixture
def cinema(host: Origin, tmp_path: Path) -> Iterator[Cinema]:
    film = Cinema(tmp_path, host)
    with served(film.app()) as url, nginx_house(tmp_path, downloader_url=url) as nginx:
        film.nginx = nginx
        try:
            yield film
        finally:
            film.end()


def held_but(server: Origin, *may_go: int) -> Callable[[Answer, int], bool]:
    """Return a fault that keeps all segments back but these until the gate opens."""

    def fault(answer: Answer, _number: int) -> bool:
        found = re.search(r"seg(\d+)\.", answer.path)
        if found and int(found[1]) not in may_go:
            server.gate.wait(30)
        return False

    return fault


def whole(folder: Path, pattern: str) -> bytes:
    names = sorted(folder.glob(pattern), key=lambda path: int(re.sub(r"\D", "", path.stem) or -1))
    return b"".join(path.read_bytes() for path in names)


def test_the_whole_playlist_is_there_and_every_piece_can_be_had_before_it_has_come(
    cinema: Cinema, host: Origin
) -> None:
    host.put(media.hls_ts())
    host.faults["*"] = held_but(host, 0, 5)
    cinema.begin("/index.m3u8", "hls")

    names = cinema.names("t0.m3u8")
    status, last = cinema.ask(f"{cinema.facts()['generation']}/{names[5]}")

    assert len(names) == 6
    assert (status, last) == (200, (media.hls_ts() / "seg5.ts").read_bytes())
    assert host.asked["/seg1.ts"] <= 1


@pytest.mark.parametrize(
    ("make", "delivery", "entry"),
    [
        (media.hls_ts, "hls", "/index.m3u8"),
        (media.hls_aes, "hls", "/index.m3u8"),
        (media.hls_fmp4, "hls", "/index.m3u8"),
        (media.dash_template, "dash", "/manifest.mpd"),
    ],
)
def test_pieces_of_every_kind_of_source_are_whole_and_open(
    cinema: Cinema, host: Origin, make: Callable[[], Path], delivery: Delivery, entry: str
) -> None:
    host.put(make())
    cinema.begin(entry, delivery)

    generation = cinema.facts()["generation"]
    tracks = {name: cinema.names(name) for name in ("t0.m3u8", "t1.m3u8")[: 2 if delivery == "dash" else 1]}
    got = [b"".join(cinema.ask(f"{generation}/{one}")[1] for one in names) for names in tracks.values()]

    folder = cinema.library.work_folder(WISH_ID)
    assert cinema.thread is not None
    cinema.thread.join(20)
    assert cinema.failure == []
    if delivery == "dash":
        for number, body in enumerate(got):
            (folder / f"{number}.got").write_bytes(body)
            chunks = sorted(make().glob(f"chunk-stream{number}-*.m4s"))
            there = media.packets_of(make() / f"init-stream{number}.m4s", *chunks)
            assert media.packets_of(folder / f"{number}.got") == there
        return
    assert got == [b"".join(p.read_bytes() for p in sorted((folder / f"t{n}").glob("*.seg"))) for n in range(len(got))]
    if make is media.hls_aes:
        assert got == [whole(media.hls_ts(), "seg*.ts")]


def test_pieces_that_are_gathered_are_cut_out_for_viewers_before_and_after_packaging(
    cinema: Cinema, host: Origin
) -> None:
    host.put(clips.film_apart())
    cinema.begin("/master.m3u8", "hls")
    generation = cinema.facts()["generation"]
    names = {track: cinema.names(f"t{track}.m3u8") for track in (0, 1)}
    assert cinema.thread is not None
    cinema.thread.join(20)
    folder = cinema.library.work_folder(WISH_ID)
    assert {path.name for path in folder.glob("t*/*.seg")} == {"000000.seg"}

    def got() -> list[bytes]:
        for cut_out in (folder.parent / "live" / generation).glob("*.seg"):
            cut_out.unlink()
        return [b"".join(cinema.ask(f"{generation}/{name}")[1] for name in names[track]) for track in (0, 1)]

    before = got()
    assert cinema.fetched is not None
    package(cinema.fetched, cinema.root / "out")
    after = got()

    assert after == before
    for track, body in enumerate(before):
        (folder / "got").write_bytes(body)
        pieces = sorted(clips.film_apart().glob(f"s{track}-*.m4s"), key=lambda path: int(path.stem[3:]))
        source = media.packets_of(clips.film_apart() / f"init-{track}.mp4", *pieces)
        assert media.packets_of(folder / "got") == source


def test_what_is_on_the_disk_is_served_without_a_word_to_the_door(cinema: Cinema, host: Origin) -> None:
    host.put(media.hls_ts())
    cinema.begin("/index.m3u8", "hls")
    names = cinema.names("t0.m3u8")
    generation = cinema.facts()["generation"]
    assert cinema.thread is not None
    cinema.thread.join(20)
    cinema.wants.asked.clear()

    statuses = {cinema.ask(f"{generation}/{name}")[0] for name in names}

    assert (statuses, cinema.wants.asked) == ({200}, [])


def test_a_piece_that_is_given_up_becomes_a_gap_and_whoever_waits_for_it_hears_so(cinema: Cinema, host: Origin) -> None:
    host.put(media.long_hls_ts())

    def lost(answer: Answer, number: int) -> bool:
        host.gate.wait(30)
        return origin.status(404)(answer, number)

    host.faults["/seg5.ts"] = lost
    cinema.begin("/index.m3u8", "hls", leave="any")
    before = cinema.facts()
    threading.Timer(0.3, host.gate.set).start()

    status, told = cinema.ask(f"{before['generation']}/t0-000005.seg")

    assert (status, json.loads(told)["code"]) == (404, "left_out")
    after = cinema.facts()
    assert (before["holes"], after["holes"]) == ([], [{"from_s": 10.0, "to_s": 12.0, "lacks": "all"}])
    assert after["generation"] == before["generation"]
    listed = cinema.ask(f"{after['generation']}/t0.m3u8")[1].decode()
    assert re.search(r"#EXT-X-GAP\n#EXTINF:2.0+,\nt0-000005\.seg", listed)
    assert listed.count("#EXT-X-GAP") == 1


def test_a_jump_is_fetched_before_all_else_and_what_follows_it_next(cinema: Cinema, host: Origin) -> None:
    host.put(media.long_hls_ts())
    host.faults["*"] = held_but(host, 20, 21, 22, 23)
    cinema.begin("/index.m3u8", "hls", workers=2)
    generation = cinema.facts()["generation"]

    statuses = [cinema.ask(f"{generation}/t0-{index:06d}.seg")[0] for index in (20, 21, 22, 23)]

    assert statuses == [200] * 4
    begun = {int(n) for path, _ in host.heads if (n := "".join(re.findall(r"seg(\d+)", path)))}
    assert begun - {20, 21, 22, 23, 24} <= set(range(6))


@pytest.mark.parametrize("front", [True, False], ids=["moov in front", "moov at the end"])
def test_a_single_file_is_served_by_ranges_before_it_has_come(cinema: Cinema, host: Origin, front: bool) -> None:
    film = (media.film_mp4() if front else media.long_mp4()).read_bytes()
    host.files["/film.mp4"] = film
    last = len(film) - 1

    def slow_middle(answer: Answer, _number: int) -> bool:
        asked = answer.headers.get("Range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").partition("-")[0])
        if 2**20 <= start < last // 2**20 * 2**20:
            host.gate.wait(30)
        return False

    host.faults["/film.mp4"] = slow_middle
    cinema.begin("/film.mp4", "progressive")
    generation = cinema.facts()["generation"]

    head = cinema.ask(f"{generation}/film", Range="bytes=0-99")
    tail = cinema.ask(f"{generation}/film", Range=f"bytes={last - 99}-{last}")
    host.gate.set()
    middle = cinema.ask(f"{generation}/film", Range=f"bytes={last // 2}-{last // 2 + 99_999}")

    assert head == (206, film[:100])
    assert tail == (206, film[-100:])
    assert middle == (206, film[last // 2 : last // 2 + 100_000])


def test_a_link_of_another_viewer_or_a_lapsed_one_opens_nothing(cinema: Cinema, host: Origin) -> None:
    host.put(media.hls_ts())
    cinema.begin("/index.m3u8", "hls")
    generation = cinema.facts()["generation"]

    files = ("live.json", f"{generation}/t0.m3u8", f"{generation}/t0-000000.seg")

    assert [cinema.ask(file, viewer="viewer-2")[0] for file in files] == [403] * 3
    assert [cinema.ask(file, seconds=-60)[0] for file in files] == [410] * 3


def test_pieces_of_another_cutting_are_not_given_out(cinema: Cinema, host: Origin) -> None:
    host.put(media.hls_ts())
    cinema.begin("/index.m3u8", "hls")
    cinema.facts()

    status, body = cinema.ask("00000000/t0-000000.seg")

    assert (status, json.loads(body)["code"]) == (404, "other_pieces")


@pytest.mark.parametrize("ended", ["refused", "paused", "cancelled"])
def test_who_waits_for_a_film_that_is_not_fetched_any_more_is_told_so(cinema: Cinema, host: Origin, ended: str) -> None:
    host.put(media.hls_ts())
    host.faults["*"] = held_but(host, 0)
    cinema.begin("/index.m3u8", "hls")
    generation = cinema.facts()["generation"]
    if ended == "refused":
        end = partial(rules.refused, code="drm_protected", reason="It is locked.", now_s=time.time())
        cinema.wishes.change(WISH_ID, end)
    elif ended == "paused":
        asking.pause(WISH_ID, desk=cinema.desk)
    else:
        asking.forget(WISH_ID, desk=cinema.desk)

    status, body = cinema.ask(f"{generation}/t0-000004.seg")

    problem = json.loads(body)
    assert status == 404
    assert problem["code"] == ("no_such_wish" if ended == "cancelled" else "not_coming")
    assert ended != "refused" or problem["detail"] == "It is locked."


def test_no_spelling_leads_out_of_the_film(cinema: Cinema, host: Origin) -> None:
    host.put(media.hls_ts())
    cinema.begin("/index.m3u8", "hls")
    generation = cinema.facts()["generation"]

    odd = ("../d.sqlite", f"{generation}/../../parts/plan.json", f"{generation}/t0-00000.seg", "parts/plan.json",
           f"{generation}/have/0", "%2e%2e/live.json", f"{generation}/t0-000000.seg/", "LIVE.json")  # fmt: skip

    assert {cinema.ask(file)[0] for file in odd} <= {400, 404}


def test_what_has_come_is_told_also_when_nothing_more_comes(cinema: Cinema, host: Origin) -> None:
    host.put(media.hls_ts())
    host.faults["*"] = held_but(host, 0, 1, 2)
    cinema.begin("/index.m3u8", "hls", workers=6)
    cinema.facts()

    until_s = time.monotonic() + 20
    while (have := json.loads(cinema.ask("have.json")[1])) != [[0.0, 6.0]]:
        assert time.monotonic() < until_s, have
        time.sleep(0.02)


def test_a_download_leaves_most_of_the_line_to_a_viewer_of_another_film(tmp_path: Path) -> None:
    segments = tuple(Segment(url=f"https://a/{n}.ts", duration_s=2.0) for n in range(20))
    folder = WorkFolder.opened(tmp_path / "w" / "parts", Plan(tracks=(TrackPlan(role="muxed", segments=segments),),
                                                             duration_s=40.0))  # fmt: skip
    pieces = Pieces([Job(2.0 * n, 0, n) for n in range(20)], at_once=4)
    wants = LoopWants()
    wants.others_wait = True

    def until(room: int) -> None:
        until_s = time.monotonic() + 20
        while pieces.room() != room:
            assert time.monotonic() < until_s
            time.sleep(0.01)

    with Audience("w", wants) as audience:
        audience.begin(pieces, folder)
        until(1)
        wants.others_wait = False
        until(4)
