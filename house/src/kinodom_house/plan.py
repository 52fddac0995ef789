"""Which processes make up the house on one machine, and exactly what each of them is told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_house.child import Process
from kinodom_house.nginx_files import HOME
from kinodom_house.probes import HttpProbe, Probe, RedisProbe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kinodom_house.layout import Layout
    from kinodom_house.settings import HouseSettings

INNER = ("redis", "catalogue", "resolver", "downloader", "sync", "gateway", "demo")
SLICES = "slices"  # a port at which Nginx asks itself, no part of its own
# The programs the house is made of, and the Debian packages they come in.
PROGRAMS = {"nginx": "nginx", "redis-server": "redis-server", "ffmpeg": "ffmpeg", "ffprobe": "ffmpeg"}
WORKER_GRACE_S = 10.0  # a fetch in flight is handed back
_GUNICORN = ("-m", "gunicorn", "--no-control-socket", "--worker-tmp-dir", "/dev/shm")  # noqa: S108 - memory, as advised
_THREADED = ("-k", "gthread", "--workers", "1", "--threads")
_THREADS = {"downloader": "48"}  # players wait at its door

# Settings of the operator that go to one service; LOG_LEVEL goes to all. Each may also be given as KINODOM_<NAME>_FILE.
OPERATOR_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "catalogue": ("OMDB_KEY", "OMDB_URL", "SHIKIMORI_ENABLED", "SHIKIMORI_URL", "SHIKIMORI_MIRRORS"),
    "resolver": (
        *("ARCHIVE_URL", "COMMONS_URL", "FEEDS", "IMPORT_ROOT", "PEERTUBE_INSTANCES", "SEPIA_URL"),
        *("SITES_ROOT", "YTDLP_EXTRACTORS", "YTDLP_COOKIES"),
        *("KODIK_TOKEN", "KODIK_API_URL", "KODIK_PLAYER_HOSTS"),
        *("SHIKIMORI_ENABLED", "SHIKIMORI_URL", "SHIKIMORI_MIRRORS"),
        *("SOURCES_OFF", "CONTACT", "SEARCH_DEADLINE_S", "OPEN_DEADLINE_S"),
        *("SAVE_DATA", "USE_SAVED_DATA", "SAVED_DATA_FILE", "CACHE_LIFE_TIME", "SAVING_PERIOD"),
        *("SEARCH_LIFE_MIN", "TITLE_LIFE_MIN", "OFFERS_LIFE_MIN", "CACHE_COUNT", "CACHE_MB"),
    ),
    "downloader": (
        *(
            "PARALLEL_WISHES",
            "KEEP_FREE_GB",
            "TRASH_DAYS",
            "ENCODER",
            "LADDER",
            "TRANSCODE_HEVC",
            "KEEP_FREE_PERCENT",
            "SEGMENT_WORKERS",
            "HOST_CONNECTIONS",
            "SPEED_LIMIT_MBIT",
            "HOURS",
            "WATCHED_GB",
            "WATCHED_DAYS",
            "USER_AGENT",
            "IMPORT_ROOT",
        ),
    ),
    "sync": ("ROOM_REMOVE_TIME_MIN",),
    "gateway": ("API_TOKENS", "HOUSE_NAME", "LINK_LIFE_S", "SEARCH_WAIT_S"),
    "demo": ("DEMO_SECONDS",),
}
PATHS_OF_OPERATOR = frozenset({"KINODOM_SITES_ROOT", "KINODOM_YTDLP_COOKIES"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where one run of the house takes place."""

    settings: HouseSettings
    layout: Layout
    ports: Mapping[str, int]  # of INNER, chosen for this run
    programs: Mapping[str, str]  # full paths of PROGRAMS

    def url(self, service: str) -> str:
        """Return the inner address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def secret(self, name: str) -> str:
        """Return the path of a secret file."""
        return str(self.layout.secrets / name)


def house_plan(site: Site) -> list[list[Process]]:
    """Return the groups in the order in which they start; they stop in the reverse order."""
    web = [_web(site, name) for name in ("catalogue", "resolver", "downloader", "gateway", "demo")]
    workers = [
        _worker(site, "downloader-worker-1", "downloader"),
        _worker(site, "downloader-worker-2", "downloader"),
        _worker(site, "downloader-usher", "downloader", module="usher"),
        _worker(site, "catalogue-worker", "catalogue"),
    ]
    return [[_redis(site)], [*web, _sync(site)], workers, [_nginx(site)]]


def service_environ(site: Site, service: str) -> dict[str, str]:
    """Return the whole environment of a service's processes; nothing else of the caller's goes along."""
    own = {f"KINODOM_{name}": value for name, value in _told(site, service).items()}
    given = site.settings.operator
    for name in ("LOG_LEVEL", *OPERATOR_SETTINGS[service]):
        for key in (f"KINODOM_{name}", f"KINODOM_{name}_FILE"):
            if key in given:
                own[key] = given[key]
    for key in PATHS_OF_OPERATOR & own.keys():  # written beside the Makefile, read in another folder
        own[key] = str(site.settings.repository / own[key])
    return _base_environ(site) | own


def _base_environ(site: Site) -> dict[str, str]:
    settings = site.settings
    base = {
        "PATH": settings.path,
        "HOME": str(site.layout.home),
        "TMPDIR": str(site.layout.temp),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    extra = {"TZ": settings.timezone, "PYTHONPATH": settings.python_path}
    return base | {name: value for name, value in extra.items() if value}


def _told(site: Site, service: str) -> dict[str, str]:
    layout = site.layout
    allow_lan = ",".join(
        filter(None, (f"127.0.0.1:{site.ports['demo']}", site.settings.operator.get("KINODOM_ALLOW_LAN")))
    )
    hosts = ",".join((HOME, *site.settings.hosts))
    redis = {"REDIS_URL_FILE": site.secret(f"redis_url_{service}")}
    told: Mapping[str, dict[str, str]] = {
        "catalogue": {
            **redis,
            "STORE": _store(site, service),
            "COVERS_ROOT": str(layout.covers),
            "ALLOW_LAN": allow_lan,
        },
        "resolver": {
            **redis,
            "DEMO_URL": site.url("demo"),
            "SOURCE_KEY_FILE": site.secret("source_key"),
            "ALLOW_LAN": allow_lan,
        },
        "downloader": {
            **redis,
            "STORE": _store(site, service, durable=True),
            "MEDIA_ROOT": str(layout.media),
            "RESOLVER_URL": site.url("resolver"),
            "CATALOGUE_URL": site.url("catalogue"),
            "ALLOW_LAN": allow_lan,
        },
        "sync": {**redis, "MEMBER_KEY_FILE": site.secret("member_key"), "ALLOWED_HOSTS": hosts},
        "gateway": {
            **{f"{name.upper()}_URL": site.url(name) for name in ("resolver", "catalogue", "downloader", "sync")},
            **{f"{name.upper()}_FILE": site.secret(name) for name in ("session_key", "media_key", "member_key")},
            "ALLOWED_HOSTS": hosts,
            "STATIC_ROOT": str(static_root(site.settings)),
        },
        "demo": {"DEMO_ROOT": str(layout.demo)},
    }
    return told[service] | {"INNER_KEY_FILE": site.secret("inner_key")}


def static_root(settings: HouseSettings) -> Path:
    """Return the folder of the built front end."""
    return settings.repository / "services/gateway/src/kinodom_gateway/static/dist"


def _store(site: Site, service: str, *, durable: bool = False) -> str:
    url = f"sqlite:///{quote(str(site.layout.store / f'{service}.sqlite'))}"
    return f"{url}?durable=full" if durable else url  # an accepted wish survives a power cut


def _web(site: Site, name: str) -> Process:
    bind = ("--bind", f"127.0.0.1:{site.ports[name]}")
    command = (sys.executable, *_GUNICORN, *_THREADED, _THREADS.get(name, "8"), *bind, f"kinodom_{name}.wsgi:app")
    return _process(site, name, name, command, HttpProbe(site.ports[name]))


def _sync(site: Site) -> Process:
    kind = ("-k", "gevent", "-w", "1", "-c", "python:kinodom_sync.gconf", "--bind", f"127.0.0.1:{site.ports['sync']}")
    command = (sys.executable, *_GUNICORN, *kind, "kinodom_sync.wsgi:app")
    return _process(site, "sync", "sync", command, HttpProbe(site.ports["sync"]))


def _worker(site: Site, name: str, service: str, *, module: str = "worker") -> Process:
    return _process(site, name, service, (sys.executable, "-m", f"kinodom_{service}.{module}"), None, WORKER_GRACE_S)


def _process(
    site: Site, name: str, service: str, command: tuple[str, ...], probe: Probe | None, grace_s: float = 4.0
) -> Process:
    return Process(name=name, command=command, environ=service_environ(site, service), probe=probe, grace_s=grace_s)


def _redis(site: Site) -> Process:
    return Process(
        name="redis",
        command=(site.programs["redis-server"], site.secret("redis.conf")),
        environ=_base_environ(site),
        probe=RedisProbe(site.ports["redis"]),
        ignore=("Memory overcommit must be enabled",),  # matters for snapshots of many gigabytes; this one has none
    )


def _nginx(site: Site) -> Process:
    folder = site.layout.nginx
    return Process(
        name="nginx",
        command=(site.programs["nginx"], "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", "stderr"),
        environ=_base_environ(site),
        probe=HttpProbe(site.settings.port, "/healthz", host=site.settings.own_address),
    )
