"""The downloader at work for tests of faults: real Redis, store, web service, catalogue and workers, around a media
host on loopback with a very short film. Only the resolver is a stand-in: it names the film at that host. The wishes are
in SQLite, or in a server that speaks MongoDB's protocol; workers are processes, or containers of the image.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess  # tests start real processes
import sys
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from kinodom_catalogue.adapters.search_index import FreshIndex
from kinodom_catalogue.adapters.shelf import StoreShelf
from kinodom_catalogue.app import create_app as catalogue_app
from kinodom_catalogue.settings import Settings as CatalogueSettings
from kinodom_catalogue.wiring import Deps as CatalogueDeps
from kinodom_catalogue.wiring import now_utc
from kinodom_common.clients.downloader import DownloaderClient
from kinodom_common.contracts.offers import Offer, OfferList
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.wishes import WishRequest
from kinodom_common.http import HttpClient
from kinodom_common.settings import read_settings
from kinodom_common.store import open_store
from kinodom_downloader import wiring
from kinodom_downloader.app import create_app
from kinodom_downloader.settings import WebSettings
from tests.support.catalogue_parts import FakeHints
from tests.support.media import ffmpeg, media_folder
from tests.support.mongod import running_mongod
from tests.support.origin import Origin, origin
from tests.support.redis_server import RedisServer
from tests.support.served import served
from tests.support.worker_containers import WorkerContainers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinodom_common.store import Store

INNER_KEY = "inner-key-of-a-test"
PARTS = ("index.m3u8", "seg0.ts", "seg1.ts")


@cache
def tiny_film() -> dict[str, bytes]:
    """Return 2 s of picture and sound as a playlist with two segments, by name."""
    folder = media_folder() / "tiny"
    folder.mkdir()
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=12:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "12", "-keyint_min", "12"),
        *("-sc_threshold", "0", "-c:a", "aac", "-b:a", "32k", "-f", "hls", "-hls_time", "1"),
        *("-hls_playlist_type", "vod", "-hls_segment_filename", folder / "seg%d.ts", folder / "index.m3u8"),
    )
    return {name: (folder / name).read_bytes() for name in PARTS}


def request_for(number: int, asked_by: str = "v1") -> WishRequest:
    """Return the wish for a film by its number."""
    external_id = f"test:film-{number}"
    card = TitleCard(external_id=external_id, name=f"Film {number}", year=2026, kind="film")
    return WishRequest(external_id=external_id, title=card, asked_by=asked_by)


def resolver_app(films_url: str) -> Flask:
    """Return a resolver that finds every film at one host."""
    app = Flask("resolver")

    @app.get("/offers")
    def offers() -> Response:
        external_id = request.args["external_id"]
        url = f"{films_url}/{external_id.partition(':')[2]}/index.m3u8"
        reply = OfferList(
            external_id=external_id,
            translation_id=request.args["translation_id"],
            offers=(Offer(source="test", url=url, delivery="hls"),),
        )
        return Response(reply.model_dump_json(), content_type="application/json")

    return app


def children_of(pid: int) -> list[int]:
    """Return the processes that this one has started and that live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def processes_about(word: str) -> list[str]:
    """Return the command lines of living processes that name this in their words or their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                told = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
                if word.encode() in told:
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


@dataclass(kw_only=True)
class Works:
    """Everything that runs, and where it keeps what it makes."""

    folder: Path
    redis: RedisServer
    host: Origin
    url: str  # of the downloader's web service
    environ: dict[str, str]  # of the workers
    store: Store  # of the wishes
    nest: subprocess.Popen[bytes] | None = None
    containers: WorkerContainers | None = None

    @property
    def client(self) -> DownloaderClient:
        """Return a client of the downloader."""
        return DownloaderClient(HttpClient("downloader", self.url, inner_key=INNER_KEY, timeout_s=20))

    @property
    def media(self) -> Path:
        """Return the media folder."""
        return self.folder / "media"

    @property
    def store_url(self) -> str:
        """Return where the wishes are."""
        return self.environ["KINODOM_STORE"]

    def put_film(self, number: int) -> None:
        """Let the host have a film."""
        self.host.files |= {f"/film-{number}/{name}": body for name, body in tiny_film().items()}

    def start_workers(self, count: int) -> None:
        """Start so many worker processes; whoever dies is replaced."""
        with (self.folder / "workers.log").open("ab") as log:
            self.nest = subprocess.Popen(
                [sys.executable, "-m", "tests.support.worker_nest", str(count)], env=self.environ, stderr=log
            )

    def start_containers(self, count: int) -> None:
        """Start so many workers in containers of their own; whoever dies is started again."""
        self.containers = WorkerContainers(count, self.folder, self.environ, self.folder / "workers.log")

    def stop_workers(self) -> None:
        """End all workers at once."""
        if self.containers is not None:
            self.containers.stop()
            self.containers = None
        if self.nest is not None:
            self.nest.send_signal(signal.SIGTERM)
            self.nest.wait(timeout=20)
            self.nest = None

    def workers(self) -> list[int]:
        """Return the pids of the workers."""
        if self.containers is not None:
            return [worker for first in self.containers.pids() for worker in children_of(first)]
        return children_of(self.nest.pid) if self.nest else []

    def deadly(self) -> list[int]:
        """Return the processes with which a whole worker dies: itself, or the first one of its container."""
        return self.containers.pids() if self.containers is not None else self.workers()

    def states(self) -> dict[str, str]:
        """Return the state of every wish, as the store has it."""
        documents = self.store.collection("wishes").find()
        return {document["_id"]: document["state"] for document in documents}

    def remakes(self) -> dict[str, dict[str, Any]]:
        """Return every remake, as the store has it."""
        documents = self.store.collection("remakes", indexed=("state", "asked_at_s")).find()
        return {document["_id"]: document for document in documents}


def until(holds: Callable[[], bool], limit_s: float = 30.0) -> bool:
    """Wait until something holds, and say whether it did in time."""
    until_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def works(folder: Path, *, parallel: int = 2, redis_config: str = "", mongodb: bool = False) -> Iterator[Works]:
    """Run everything but the workers for the length of a block. `mongodb`: the wishes are there, else in SQLite."""
    redis_folder = folder / "redis"
    redis_folder.mkdir(parents=True)
    (folder / "media").mkdir()
    with ExitStack() as stack:
        server = RedisServer(redis_folder, config=redis_config).start()
        stack.callback(server.stop)
        host = stack.enter_context(origin())
        resolver_url = stack.enter_context(served(resolver_app(host.address)))
        catalogue_url = stack.enter_context(served(_catalogue(folder)))
        store_url = f"sqlite:///{folder}/downloader.sqlite"
        if mongodb:
            store_url = f"{stack.enter_context(running_mongod(folder))}/downloader"
        store = stack.enter_context(closing(open_store(store_url)))
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "KINODOM_INNER_KEY": INNER_KEY,
            "KINODOM_LOG_LEVEL": "WARNING",
            "KINODOM_STORE": store_url,
            "KINODOM_REDIS_URL": server.url,
            "KINODOM_MEDIA_ROOT": str(folder / "media"),
            "KINODOM_PARALLEL_WISHES": str(parallel),
            "KINODOM_KEEP_FREE_GB": "0",
            "KINODOM_KEEP_FREE_PERCENT": "0",
            "KINODOM_SEGMENT_WORKERS": "2",
            "KINODOM_RESOLVER_URL": resolver_url,
            "KINODOM_CATALOGUE_URL": catalogue_url,
            "KINODOM_ALLOW_LAN": f"127.0.0.1:{host.port}",
        }
        settings = read_settings(WebSettings, environ)
        url = stack.enter_context(served(create_app(settings, deps=wiring.web(settings, store))))
        made = Works(folder=folder, redis=server, host=host, url=url, environ=environ, store=store)
        stack.callback(made.stop_workers)
        yield made


def _catalogue(folder: Path) -> Flask:
    environ = {
        "KINODOM_INNER_KEY": INNER_KEY,
        "KINODOM_STORE": f"sqlite:///{folder}/catalogue.sqlite",
        "KINODOM_REDIS_URL": "redis://127.0.0.1:1/0",
        "KINODOM_COVERS_ROOT": str(folder / "covers"),
    }
    settings = read_settings(CatalogueSettings, environ)
    shelf = StoreShelf(open_store(settings.store), now_utc)
    shelf.migrate()
    deps = CatalogueDeps(shelf=shelf, index=FreshIndex(shelf, now_utc), hints=FakeHints(), ready={})
    return catalogue_app(settings, deps=deps)


def catalogue_rows(folder: Path) -> dict[str, int]:
    """Return how many rows the catalogue has for each video, read from its store."""
    with closing(open_store(f"sqlite:///{folder}/catalogue.sqlite")) as store:
        rows = store.collection("videos", indexed=("title_id", "published_at")).find()
    return {row["_id"]: sum(other["_id"] == row["_id"] for other in rows) for row in rows}


def faults_of(folder: Path, *, with_sums: bool = False) -> list[str]:
    """Return what a visible folder lacks, by its own metadata; read without any code of the downloader."""
    from hashlib import sha256

    try:
        told = json.loads((folder / "metadata.json").read_bytes())
    except (OSError, ValueError) as exc:
        return [f"{folder.name[:8]}: no metadata ({type(exc).__name__})"]
    wrong = [] if told["video_id"] == folder.name else [f"{folder.name[:8]}: another id"]
    for name, one in told["files"].items():
        try:
            if (folder / name).stat().st_size != one["size_bytes"]:
                wrong.append(f"{folder.name[:8]}: {name} is cut")
            elif with_sums and sha256((folder / name).read_bytes()).hexdigest() != one["sha256"]:
                wrong.append(f"{folder.name[:8]}: {name} has changed")
        except OSError:
            wrong.append(f"{folder.name[:8]}: {name} is missing")
    if not {"manifest.mpd", "master.m3u8"} <= set(told["files"]):
        wrong.append(f"{folder.name[:8]}: no manifest")
    return wrong


def visible_folders(media: Path) -> list[Path]:
    """Return the folders that Nginx would serve."""
    library = media / "library"
    return [one for two in library.iterdir() if two.is_dir() for one in two.iterdir()] if library.is_dir() else []
