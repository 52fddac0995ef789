"""Puts the resolver together. The only place that names its adapters."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, cast

from flask import current_app
from pydantic import SecretStr

from kinodom_common.egress import EgressRules, OutsideClient, OutsideLimits, parse_allow_lan
from kinodom_common.logs import get_log
from kinodom_resolver.adapters import browser_tls, site_check
from kinodom_resolver.adapters.parsing import PARSER
from kinodom_resolver.adapters.probe import OutsideProbe
from kinodom_resolver.adapters.redis_health import RedisHealth
from kinodom_resolver.adapters.redis_line import RedisLine, connect
from kinodom_resolver.adapters.redis_plays import RedisPlays
from kinodom_resolver.adapters.redis_settings import RedisSettings
from kinodom_resolver.adapters.redis_shelf import Bounds, RedisShelf
from kinodom_resolver.adapters.saved_file import read_saved
from kinodom_resolver.adapters.sending import Hosts, SourceOutside, through
from kinodom_resolver.adapters.site_files import read_site
from kinodom_resolver.adapters.site_folder import SiteFolder
from kinodom_resolver.adapters.stored_manners import StoredManners
from kinodom_resolver.domain.health import Sentinel
from kinodom_resolver.domain.keeping import Keeper, Life, import_answers
from kinodom_resolver.domain.operating import as_set
from kinodom_resolver.domain.ports import Listed
from kinodom_resolver.domain.probing import Tools
from kinodom_resolver.domain.questions import KINDS
from kinodom_resolver.domain.wall import Wall
from kinodom_resolver.sources import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kinodom_resolver.adapters.site_web import Way
    from kinodom_resolver.domain.health import HealthBook
    from kinodom_resolver.domain.operating import SettingsBook
    from kinodom_resolver.domain.playing import PlayBook
    from kinodom_resolver.domain.ports import Outside, SourceClass
    from kinodom_resolver.domain.probing import Probe
    from kinodom_resolver.domain.questions import Asks, QuestionKind
    from kinodom_resolver.settings import Settings

log = get_log(__name__)

GROUP = "kinodom.sources"
USER_AGENT = "Kinodom/0.1 (home cinema)"
SECRETS = {"inner_key", "redis_url", "source_key"}


def _no_settings() -> SettingsBook:
    return RedisSettings(RedisLine(None), key=None)


def _no_book() -> HealthBook:
    return RedisHealth(RedisLine(None))


def _no_plays() -> PlayBook:
    return RedisPlays(RedisLine(None))


def _no_way_out() -> Probe:
    return OutsideProbe(lambda _: OutsideClient(rules=EgressRules(), user_agent="Kinodom"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the views work with."""

    listed: tuple[Listed, ...]  # those that stay as long as we run
    wall: Asks
    search_deadline_s: float
    open_deadline_s: float
    settings: SettingsBook = field(default_factory=_no_settings)
    book: HealthBook = field(default_factory=_no_book)
    plays: PlayBook = field(default_factory=_no_plays)
    probe: Probe = field(default_factory=_no_way_out)
    clock: Callable[[], float] = time.monotonic
    browser_tls: bool = True  # whether requests can look like a browser's here
    sites: Callable[[], tuple[Listed, ...]] = tuple  # those the operator described; they change while we run

    @property
    def present(self) -> tuple[Listed, ...]:
        """All sources as they are now, without what the operator set for them at run time."""
        return (*self.listed, *self.sites())

    def shown(self) -> list[Listed]:
        """Return the sources as the operator wants them now."""
        return as_set(self.present, self.settings.overrides())

    def probing(self) -> Tools:
        """Return what is needed to find an address that plays."""
        return Tools(
            listed=self.shown(),
            wall=self.wall,
            deadline_s=self.open_deadline_s,
            probe=self.probe,
            book=self.plays,
            now=time.time,
        )


def warm_up() -> None:
    """Start what reads pages beside the service's own start, so that the first search does not wait for it."""
    threading.Thread(target=PARSER.warm, name="warm-up", daemon=True).start()


def deps() -> Deps:
    """Return the parts of the app that serves the present request."""
    return cast("Deps", current_app.extensions["kinodom"])


def build(settings: Settings) -> Deps:
    """Return the parts as the settings ask for them."""
    line = RedisLine(connect(_secret(settings.redis_url)))
    book, own = RedisHealth(line), RedisSettings(line, key=_secret(settings.source_key))
    hosts, client = Hosts(book, line), way_out(settings)

    def outside_for(name: str, client: OutsideClient = client) -> Outside:
        return SourceOutside(name, partial(through, client), hosts=hosts, manners=StoredManners(name, own))

    def client_for(name: str) -> OutsideClient:
        return through(client, StoredManners(name, own).proxy)

    classes = known_sources(entry_points())
    return Deps(
        listed=tuple(list_sources(settings, outside_for, classes)),
        sites=described_sites(settings, client, classes, outside_for),
        wall=build_keeper(settings, line, Wall(watch=Sentinel(book, now=time.time))),
        search_deadline_s=settings.search_deadline_s,
        open_deadline_s=settings.open_deadline_s,
        settings=own,
        book=book,
        plays=RedisPlays(line),
        probe=OutsideProbe(client_for),
        browser_tls=browser_tls.installed(),
    )


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def build_keeper(settings: Settings, line: RedisLine, wall: Wall) -> Keeper:
    """Return what answers from memory and asks for the rest; answers saved elsewhere are read beside."""
    bounds = Bounds(count=settings.cache_count, total_bytes=round(settings.cache_mb * 1024**2))
    shelf, lives = RedisShelf(line, bounds=bounds), lives_of(settings)
    if (path := settings.saved_data_file) is not None and settings.save_data:

        def bring() -> None:
            done = import_answers(read_saved(path), shelf=shelf, lives=lives, now_s=time.time())
            log.info("saved_answers_imported", count=done)

        threading.Thread(target=bring, name="saved-answers", daemon=True).start()
    return Keeper(
        wall=wall,
        shelf=shelf,
        lives=lives,
        now=time.time,
        clock=time.monotonic,
        use=settings.use_saved_data,
        save=settings.save_data,
    )


def lives_of(settings: Settings) -> dict[QuestionKind, Life]:
    """Return how long answers are kept, by kind. Addresses are not shown stale: many die without saying when."""
    minutes = {kind: float(getattr(settings, f"{kind}_life_min")) for kind in KINDS}
    fresh = {kind: 60 * max(fresh_min, settings.saving_period) for kind, fresh_min in minutes.items()}
    stale_s = 86_400 * settings.cache_life_time
    return {kind: Life(fresh_s=fresh_s, kept_s=0 if kind == "offers" else stale_s) for kind, fresh_s in fresh.items()}


def described_sites(
    settings: Settings, outside: OutsideClient, known: Iterable[SourceClass], way: Way
) -> Callable[[], tuple[Listed, ...]]:
    """Return what gives the sites of the operator's folder as they stand there now."""
    if settings.sites_root is None:
        return tuple
    # Also those that are off: ids of theirs may be on the shelf.
    taken = {name for one in known for name in (one.name, *getattr(one, "schemes", ()))}
    return SiteFolder(settings.sites_root, outside, taken=frozenset(taken), off=settings.sources_off, way=way).rows


def check_site(file: Path, allow_lan: frozenset[tuple[str, int]], say: Callable[[str], None]) -> bool:
    """Say what a description of a site and its examples come to; return whether all is well."""
    outside = OutsideClient(rules=EgressRules(allow_lan=allow_lan), user_agent=USER_AGENT)
    return site_check.explain(read_site(file), outside, say)


def entry_points() -> list[metadata.EntryPoint]:
    """Return the built-in sources, then those that installed packages offer under `kinodom.sources`.

    The built-in ones are listed in the package and not in its metadata, so that they are there without an install.
    """
    ours = [metadata.EntryPoint(name=name, value=value, group=GROUP) for name, value in BUILT_IN.items()]
    return ours + [point for point in metadata.entry_points(group=GROUP) if point.name not in BUILT_IN]


def known_sources(points: Iterable[metadata.EntryPoint]) -> list[SourceClass]:
    """Return the classes behind the entry points; one that cannot be imported is logged and left out."""
    known: list[SourceClass] = []
    for point in points:
        try:
            known.append(point.load())
        except (ImportError, AttributeError):
            log.exception("source_could_not_be_loaded", source=point.name)
    return known


def list_sources(
    settings: Settings, outside_for: Callable[[str], Outside], known: Iterable[SourceClass]
) -> list[Listed]:
    """Return one row per known source; those switched off have no source in it."""
    return [
        Listed.of(
            one, one.build(options_for(one.name, settings), outside_for(one.name)), off=one.name in settings.sources_off
        )
        for one in known
    ]


def options_for(name: str, settings: Settings) -> dict[str, str]:
    """Return the settings that are set, as text; of the secrets only those that belong to this source."""
    options: dict[str, str] = {}
    for key, value in settings.model_dump(exclude=SECRETS).items():
        if isinstance(value, SecretStr):
            if key.startswith(f"{name}_"):
                options[key] = value.get_secret_value()
        elif value:
            options[key] = ",".join(map(str, value)) if isinstance(value, tuple | frozenset) else str(value)
    return options


def way_out(settings: Settings) -> OutsideClient:
    """Return the guarded client. The demo site may stand at home: the operator named it, not a visitor."""
    allowed = parse_allow_lan(settings.allow_lan)
    if settings.demo_url is not None:
        allowed |= {(str(settings.demo_url.host).strip("[]").lower(), int(settings.demo_url.port or 80))}
    contact = f"; {settings.contact}" if settings.contact else ""
    return OutsideClient(
        rules=EgressRules(allow_lan=frozenset(allowed)),
        user_agent=f"{USER_AGENT[:-1]}{contact})",
        limits=OutsideLimits(whole_s=settings.open_deadline_s),
    )
