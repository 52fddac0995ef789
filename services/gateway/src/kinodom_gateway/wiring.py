"""Joins the gateway with the services behind it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from kinodom_common.clients.catalogue import CatalogueClient
from kinodom_common.clients.downloader import DownloaderClient
from kinodom_common.clients.resolver import ResolverClient
from kinodom_common.clients.sync import SyncClient
from kinodom_common.hosts import HostRule, house_rule
from kinodom_common.http import HttpClient
from kinodom_gateway.assets import Assets
from kinodom_gateway.viewer import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_gateway.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the routes work with."""

    settings: Settings
    catalogue: CatalogueClient
    resolver: ResolverClient
    downloader: DownloaderClient
    sync: SyncClient
    gate: Gate
    assets: Assets
    hosts: HostRule
    clock: Callable[[], float]  # seconds since 1970
    ready: Mapping[str, Callable[[], None]]


def deps() -> Deps:
    """Return the dependencies of the running app."""
    return cast("Deps", current_app.extensions["kinodom"])


def build(settings: Settings) -> Deps:
    """Return the real dependencies."""
    key = settings.inner_key.get_secret_value()

    def http(peer: str, url: object, timeout_s: float = 5.0) -> HttpClient:
        return HttpClient(peer, str(url), inner_key=key, timeout_s=timeout_s)

    assets = Assets(settings.static_root)
    return Deps(
        settings=settings,
        catalogue=CatalogueClient(http("catalogue", settings.catalogue_url)),
        resolver=ResolverClient(http("resolver", settings.resolver_url, timeout_s=15.0)),
        downloader=DownloaderClient(http("downloader", settings.downloader_url)),
        sync=SyncClient(http("sync", settings.sync_url)),
        gate=Gate(
            settings.session_key.get_secret_value(),
            settings.member_key.get_secret_value(),
            settings.api_tokens.get_secret_value(),
        ),
        assets=assets,
        hosts=house_rule(settings.allowed_hosts),
        clock=time.time,
        ready={"front end": assets.check},
    )
