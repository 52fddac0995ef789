"""Puts the resolver together. The only place that names its adapters."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, cast

from flask import current_app
from pydantic import SecretStr

from kinodom_common.egress import EgressRules, OutsideClient, OutsideLimits, parse_allow_lan
from kinodom_common.logs import get_log
from kinodom_resolver.adapters import site_check
from kinodom_resolver.adapters.site_files import read_site
from kinodom_resolver.adapters.site_folder import SiteFolder
from kinodom_resolver.domain.ports import Listed
from kinodom_resolver.domain.wall import Wall
from kinodom_resolver.sources import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kinodom_resolver.domain.ports import Outside, SourceClass
    from kinodom_resolver.settings import Settings

log = get_log(__name__)

GROUP = "kinodom.sources"
USER_AGENT = "Kinodom/0.1 (home cinema)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What the views work with."""

    listed: tuple[Listed, ...]  # those that stay as long as we run
    wall: Wall
    search_deadline_s: float
    open_deadline_s: float
    sites: Callable[[], tuple[Listed, ...]] = tuple  # those the operator described; they change while we run

    @property
    def present(self) -> tuple[Listed, ...]:
        """All sources as they are now."""
        return (*self.listed, *self.sites())


def deps() -> Deps:
    """Return the parts of the app that serves the present request."""
    return cast("Deps", current_app.extensions["kinodom"])


def build(settings: Settings) -> Deps:
    """Return the parts as the settings ask for them."""
    outside = way_out(settings)
    classes = known_sources(entry_points())
    return Deps(
        listed=tuple(list_sources(settings, outside, classes)),
        wall=Wall(),
        search_deadline_s=settings.search_deadline_s,
        open_deadline_s=settings.open_deadline_s,
        sites=described_sites(settings, outside, classes),
    )


def described_sites(
    settings: Settings, outside: OutsideClient, known: Iterable[SourceClass]
) -> Callable[[], tuple[Listed, ...]]:
    """Return what gives the sites of the operator's folder as they stand there now."""
    if settings.sites_root is None:
        return tuple
    # Also those that are off: ids of theirs may be on the shelf.
    taken = {name for one in known for name in (one.name, *getattr(one, "schemes", ()))}
    return SiteFolder(settings.sites_root, outside, taken=frozenset(taken), off=settings.sources_off).rows


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


def list_sources(settings: Settings, outside: Outside, known: Iterable[SourceClass]) -> list[Listed]:
    """Return one row per known source; those switched off have no source in it."""
    rows = []
    for one in known:
        off = one.name in settings.sources_off
        rows.append(Listed.of(one, None if off else one.build(options_for(one.name, settings), outside), off=off))
    return rows


def options_for(name: str, settings: Settings) -> dict[str, str]:
    """Return the settings that are set, as text; of the secrets only those that belong to this source."""
    options: dict[str, str] = {}
    for key, value in settings.model_dump(exclude={"inner_key"}).items():
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
