"""Joins the rules with the store, the queue, the disk and the outside. Nobody else knows both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app

from kinodom_catalogue.adapters.covers import DiskCovers
from kinodom_catalogue.adapters.hints import QUEUE, QueueHints
from kinodom_catalogue.adapters.omdb import OmdbProvider
from kinodom_catalogue.adapters.pace import Limit, Pace
from kinodom_catalogue.adapters.search_index import FreshIndex
from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.adapters.shikimori import LIMITS, Outsides, ShikimoriProvider
from kinodom_catalogue.domain.enrichment import OMDB, SHIKIMORI
from kinodom_catalogue.domain.ports import Covers, Hints, MetadataProvider, SearchIndex, Shelf
from kinodom_catalogue.settings import Settings
from kinodom_common.egress import EgressRules, OutsideClient, OutsideLimits, parse_allow_lan
from kinodom_common.queueing import connect, make_queue, ping
from kinodom_common.store import Store, open_store

USER_AGENT = "Kinodom"
OMDB_LIMITS = (Limit(calls=5, seconds=1.0), Limit(calls=950, seconds=86_400.0))  # a free key: 1000 a day


def now_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the routes hand to the rules."""

    shelf: Shelf
    index: SearchIndex
    hints: Hints
    ready: Mapping[str, Callable[[], None]]
    clock: Callable[[], datetime] = now_utc
    close: Callable[[], None] = lambda: None  # lets go of the store


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDeps:
    """What the worker's jobs hand to the rules."""

    shelf: Shelf
    hints: Hints
    providers: Mapping[str, MetadataProvider]
    covers: Covers
    clock: Callable[[], datetime] = now_utc
    close: Callable[[], None] = lambda: None  # lets go of the store


def deps() -> Deps:
    """Return what the app that serves this request was built with."""
    return cast("Deps", current_app.extensions["kinodom"])


def build(settings: Settings) -> Deps:
    """Return the parts of the web service. The store's collections are brought up to date first."""
    store = open_store(settings.store)
    shelf = StoreShelf(store, now_utc)
    shelf.migrate()
    connection = connect(settings.redis_url.get_secret_value())
    return Deps(
        shelf=shelf,
        index=FreshIndex(shelf, now_utc),
        hints=QueueHints(make_queue(QUEUE, connection)),
        ready={"store": store.ping, "redis": lambda: ping(connection)},
        close=store.close,
    )


def build_worker(settings: Settings) -> WorkerDeps:
    """Return the parts of the worker."""
    store = open_store(settings.store)
    shelf = StoreShelf(store, now_utc)
    shelf.migrate()
    outside = _outside(settings, redirects=5)
    return WorkerDeps(
        shelf=shelf,
        hints=QueueHints(make_queue(QUEUE, connect(settings.redis_url.get_secret_value()))),
        providers=_providers(settings, store, outside),
        covers=DiskCovers(outside, settings.covers_root),
        close=store.close,
    )


def _providers(settings: Settings, store: Store, outside: OutsideClient) -> dict[str, MetadataProvider]:
    notes = store.collection("providers")
    providers: dict[str, MetadataProvider] = {}
    if settings.shikimori_enabled:
        urls = [str(url) for url in (settings.shikimori_url, *settings.shikimori_mirrors)]
        outsides = Outsides(reading=outside, posting=_outside(settings, redirects=0))
        pace = Pace(notes, SHIKIMORI, LIMITS, clock=now_utc)
        providers[SHIKIMORI] = ShikimoriProvider(outsides, urls, pace=pace, clock=now_utc)
    if settings.omdb_key is not None:
        key, pace = settings.omdb_key.get_secret_value(), Pace(notes, OMDB, OMDB_LIMITS, clock=now_utc)
        providers[OMDB] = OmdbProvider(outside, str(settings.omdb_url), key, pace=pace, clock=now_utc)
    return providers


def _outside(settings: Settings, *, redirects: int) -> OutsideClient:
    rules = EgressRules(allow_lan=parse_allow_lan(settings.allow_lan))
    return OutsideClient(rules, user_agent=USER_AGENT, limits=OutsideLimits(redirects=redirects))
