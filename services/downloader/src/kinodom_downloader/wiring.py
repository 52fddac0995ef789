"""Joins the rules of the downloader with the real world. Only this module names adapters."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from flask import current_app

from kinodom_common.clients.catalogue import CatalogueClient
from kinodom_common.clients.resolver import ResolverClient
from kinodom_common.egress import EgressRules, parse_allow_lan
from kinodom_common.http import HttpClient
from kinodom_common.queueing import connect, make_queue, ping
from kinodom_common.store import open_store
from kinodom_downloader.adapters.catalogue_dubs import CatalogueDubs
from kinodom_downloader.adapters.connections import HostSlots
from kinodom_downloader.adapters.errands import StoredErrands
from kinodom_downloader.adapters.exports import LibraryExports
from kinodom_downloader.adapters.fetcher import EngineFetcher
from kinodom_downloader.adapters.heartbeat import ThreadHeartbeat
from kinodom_downloader.adapters.library import MediaLibrary
from kinodom_downloader.adapters.live_pieces import LivePieces
from kinodom_downloader.adapters.news import QUEUE, RedisAnnouncer, RqHints, RqRemakeHints
from kinodom_downloader.adapters.offers import ResolverOffers
from kinodom_downloader.adapters.remake_figures import RemakeFigures
from kinodom_downloader.adapters.remake_store import StoredRemakes
from kinodom_downloader.adapters.remaker import MediaRemaker
from kinodom_downloader.adapters.shelves import LibraryShelves
from kinodom_downloader.adapters.trash import MediaTrash
from kinodom_downloader.adapters.ushering import Usher
from kinodom_downloader.adapters.wants import RedisWants
from kinodom_downloader.adapters.wish_store import StoredWishes
from kinodom_downloader.domain import asking, checking, exporting, guests, remaking, removing, working
from kinodom_downloader.domain.codecs import Coding
from kinodom_downloader.domain.door import Door
from kinodom_downloader.domain.hours import ALWAYS, Hours
from kinodom_downloader.domain.ladder import Ladder
from kinodom_downloader.domain.remake_ports import Tools as RemakeTools
from kinodom_downloader.domain.remake_survey import Survey
from kinodom_downloader.domain.room import KeepFree
from kinodom_downloader.domain.taking import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis
    from flask import Flask

    from kinodom_common.store import Store
    from kinodom_downloader.settings import CheckSettings, WebSettings, WorkerSettings


PATIENT_REPLY_S = 5.0  # longer than any wait for a viewer
REPLY_S = 1.0  # of Redis: who asks for a film does not wait for a Redis that hangs


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """What the routes work with."""

    desk: asking.Desk
    door: Door
    removals: removing.RemovalDesk
    remakes: StoredRemakes
    exports: exporting.Exports
    ready: Mapping[str, Callable[[], None]]


def deps() -> WebDeps:
    """Return the dependencies of the running app."""
    return cast("WebDeps", current_app.extensions["kinodom"])


def add_figures(app: Flask, made: WebDeps) -> None:
    """Let the app tell Prometheus what is being remade."""
    app.extensions["kinodom_metrics"].register(RemakeFigures(made.remakes))


def connection(settings: WebSettings) -> redis.Redis:
    """Return a connection to the queue for those who ask it something; an answer is waited for a second."""
    return connect(settings.redis_url.get_secret_value(), reply_s=REPLY_S)


def _announcer(settings: WebSettings, wishes: StoredWishes, library: MediaLibrary) -> RedisAnnouncer:
    status = partial(asking.queue_status, wishes=wishes, library=library, parallel=settings.parallel_wishes)
    return RedisAnnouncer(connection(settings), status)


def wants(settings: WebSettings) -> RedisWants:
    """Return the wire between viewers and those who fetch; it connects when it is first used."""
    return RedisWants(lambda: connect(settings.redis_url.get_secret_value(), reply_s=PATIENT_REPLY_S))


def web(settings: WebSettings, store: Store | None = None) -> WebDeps:
    """Return the real dependencies of the web service; who gives the store closes it."""
    store = store or open_store(settings.store)
    queue = connection(settings)
    wire = wants(settings)
    wishes, library = StoredWishes(store), MediaLibrary(settings.media_root)
    wishes.migrate()
    desk = asking.Desk(
        wishes=wishes,
        hints=RqHints(make_queue(QUEUE, queue), wire),
        announcer=_announcer(settings, wishes, library),
        library=library,
        clock=time.time,
        parallel=settings.parallel_wishes,
        keep_free=keep_free(settings),
    )
    ready = {"store": store.ping, "redis": lambda: ping(queue), "media": library.check}
    pieces = LivePieces(settings.media_root)
    return WebDeps(
        desk=desk,
        door=Door(desk=desk, pieces=pieces, wants=wire, clock=time.monotonic, pause=time.sleep),
        removals=removals(settings, store),
        remakes=StoredRemakes(store),
        exports=LibraryExports(settings.media_root),
        ready=ready,
    )


def removals(settings: WebSettings, store: Store) -> removing.RemovalDesk:
    """Return what removing works with."""
    return removing.RemovalDesk(
        wishes=StoredWishes(store),
        errands=StoredErrands(store),
        trash=MediaTrash(settings.media_root),
        shelf=shelf(settings),
        clock=time.time,
        keep_s=settings.trash_days * removing.DAY_S,
    )


def shelf(settings: CheckSettings) -> CatalogueClient:
    """Return the catalogue."""
    key = settings.inner_key.get_secret_value()
    return CatalogueClient(HttpClient("catalogue", str(settings.catalogue_url), inner_key=key))


def check_house(
    settings: CheckSettings, say: Callable[[str], None], *, repair: bool, with_sums: bool
) -> checking.Outcome:
    """Compare the disk with the catalogue."""
    shelves = LibraryShelves(settings.media_root)
    return checking.check(books=shelf(settings), shelves=shelves, repair=repair, with_sums=with_sums, say=say)


def keep_free(settings: WebSettings) -> KeepFree:
    """Return what stays free on the disk of the films."""
    return KeepFree(gb=settings.keep_free_gb, percent=settings.keep_free_percent)


def sweeper(settings: WorkerSettings) -> Callable[[], None]:
    """Return the sweep: it hints at every wish that is due, clears what dead workers left, and empties the trash."""
    parts = web(settings)
    desk = replace(parts.removals, keep_free=keep_free(settings))
    room = guests.GuestRoom(gb=settings.watched_gb, days=settings.watched_days)
    survey = Survey(remake_tools(settings))

    def sweep() -> None:
        asking.sweep(desk=parts.desk)
        removing.sweep(desk=desk)
        guests.sweep(room, desk=desk)
        survey()

    return sweep


def bereaved(settings: WorkerSettings) -> Callable[[str], None]:
    """Return what a worker does when the process of a job has died: the lease of its token ends."""
    store = open_store(settings.store)
    wishes, remakes = StoredWishes(store), StoredRemakes(store)

    def end_lease(token: str) -> None:
        let_go(token, wishes=wishes)
        remaking.let_go(token, remakes=remakes)

    return end_lease


def usher(settings: WorkerSettings, *, show: Callable[[str], None], mark: str) -> Usher:
    """Return the usher; leases that its children held in an earlier life are ended.

    Args:
        settings: of the worker.
        show: what a child does with its film.
        mark: how the tokens of the children begin; then comes the number of the process and a dash.
    """
    wire, wishes = wants(settings), StoredWishes(open_store(settings.store))

    def died(pid: int) -> None:
        for wish_id in let_go(f"{mark}{pid}-", wishes=wishes):
            wire.hurry(wish_id)

    let_go(mark, wishes=wishes)
    return Usher(wire, show=show, sweep=sweeper(settings), died=died)


def _time_of_day_s(now_s: float) -> float:
    at = time.localtime(now_s)
    return at.tm_hour * 3600.0 + at.tm_min * 60 + at.tm_sec


def tools(settings: WorkerSettings) -> working.Tools:
    """Return what a worker works with; called in the work horse, after the fork."""
    key = settings.inner_key.get_secret_value()
    rules, keep = EgressRules(parse_allow_lan(settings.allow_lan)), keep_free(settings)
    wishes, library = (
        StoredWishes(open_store(settings.store)),
        _library(settings),
    )
    fetcher = EngineFetcher(
        rules,
        workers=settings.segment_workers,
        user_agent=settings.user_agent,
        wants=wants(settings),
        import_root=settings.import_root,
        limit_bytes_s=settings.speed_limit_mbit and settings.speed_limit_mbit * 125_000,
        slots=_slots(settings),
    )
    return working.Tools(
        wishes=wishes,
        resolver=ResolverOffers(
            ResolverClient(HttpClient("resolver", str(settings.resolver_url), inner_key=key, timeout_s=30))
        ),
        fetch=fetcher,
        share_line=fetcher.share_line,
        library=library,
        shelf=shelf(settings),
        announcer=_announcer(settings, wishes, library),
        clock=time.time,
        heartbeat=ThreadHeartbeat,
        keep_free=keep,
        hours=_hours(settings),
        time_of_day_s=_time_of_day_s,
        make_room=partial(removing.make_room, trash=MediaTrash(settings.media_root), keep=keep),
        parallel=settings.parallel_wishes,
    )


def remake_tools(settings: WorkerSettings) -> RemakeTools:
    """Return what adding renditions works with; called in the work horse too, after the fork."""
    store = open_store(settings.store)
    return RemakeTools(
        remakes=StoredRemakes(store),
        wishes=StoredWishes(store),
        maker=MediaRemaker(settings.media_root, encoder=settings.encoder),
        shelf=shelf(settings),
        ladder=Ladder.of(settings.ladder, everywhere=settings.transcode_hevc),
        clock=time.time,
        heartbeat=ThreadHeartbeat,
        leaving=StoredErrands(store).leaving,
        hint=RqRemakeHints(make_queue(QUEUE, connection(settings))),
        keep_free=keep_free(settings),
        hours=_hours(settings),
        time_of_day_s=_time_of_day_s,
    )


def _slots(settings: WorkerSettings) -> HostSlots | None:
    most = settings.host_connections
    return None if most is None else HostSlots(settings.media_root / "hosts", most)


def _hours(settings: WorkerSettings) -> Hours:
    return Hours.of(settings.hours) if settings.hours else ALWAYS


def _library(settings: WorkerSettings) -> MediaLibrary:
    dubs = CatalogueDubs(shelf(settings))
    coding = Coding(encoder=settings.encoder)
    return MediaLibrary(settings.media_root, coding=coding, other_dubs=dubs)
