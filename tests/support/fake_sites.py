"""Three invented sites for descriptions in YAML; `python -m tests.support.fake_sites` serves them for a try."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.serving import make_server

from kinodom_common.egress import EgressRules, OutsideClient
from tests.support.served import served

DESCRIPTIONS = Path(__file__).parents[1] / "data" / "sites"
PORTS = {"lantern": 8471, "tidepool": 8472, "papermoon": 8473, "player": 8474}

LANTERN_ROW = """<li><a href="/film/{slug}"><h3>{name}</h3></a><img src="/covers/{slug}.jpg">
<span class="year">{year}</span></li>"""
LANTERN_FILM = """<!doctype html><html><head><meta property="og:image" content="/covers/{slug}.jpg"></head><body>
<h1>{name}</h1><p class="original">Der letzte Leuchtturm</p><dl><dd class="released">12 May {year}</dd>
<dd class="length">1 h 35 min</dd></dl><div class="plot"><p>A keeper &amp; his light.</p><p>It goes out.</p>
<script>alert(1)</script></div><p class="genres"><a>Drama</a><a>Sea</a></p>
<ul class="cast"><li>Ada Keeper</li><li>Ben Wave</li></ul>
<video><source src="/files/{slug}-480.mp4" size="480"><source src="/files/{slug}-720.mp4" size="720">
<track src="/files/{slug}.en.vtt" srclang="en" label="English"></video></body></html>"""
FILMS = {"last-lighthouse": ("The Last Lighthouse", 1931), "lighthouse-two": ("Lighthouse Two", 1933)}

PLAYER = """<html><script>var other = 1;</script><script>
var player = {{}}; var host = "media.papermoon.example"; var file = "{file}"; play("https:\\/\\/" + host);
</script></html>"""


@dataclass
class FakeSites:
    """The sites and what was asked of them; a page put into `pages` stands in place of the real one."""

    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # site, path, headers
    pages: dict[tuple[str, str], Response | Callable[[], Response]] = field(default_factory=dict)

    def paths(self, site: str) -> list[str]:
        """Return the paths that were asked of one site."""
        return [path for name, path, _ in self.asked if name == site]

    def apps(self) -> dict[str, Flask]:
        """Return the sites by name."""
        apps = {"lantern": lantern(), "tidepool": tidepool(), "papermoon": papermoon(), "player": player()}
        for name, app in apps.items():
            self._watch(name, app)
        return apps

    def _watch(self, name: str, app: Flask) -> None:
        @app.before_request
        def note() -> Response | None:
            self.asked.append((name, request.full_path.rstrip("?"), dict(request.headers)))
            page = self.pages.get((name, request.path))
            return page() if callable(page) and not isinstance(page, Response) else page


def lantern() -> Flask:
    """Return a site of plain HTML pages."""
    app = Flask("lantern")

    @app.get("/find")
    def find() -> str:
        word = request.args["q"].lower()
        rows = [
            LANTERN_ROW.format(slug=slug, name=name, year=year)
            for slug, (name, year) in FILMS.items()
            if word in name.lower()
        ]
        return f'<ul class="films">{"".join(rows)}</ul>' if rows else '<p class="nothing">Nothing.</p>'

    @app.get("/film/<slug>")
    def film(slug: str) -> tuple[str, int]:
        if slug not in FILMS:
            return "no such film", 404
        return LANTERN_FILM.format(slug=slug, name=FILMS[slug][0], year=FILMS[slug][1]), 200

    return app


def tidepool() -> Flask:
    """Return a site with a JSON API."""
    app = Flask("tidepool")
    shows = [{"id": number, "title": {"en": f"Harbour {name}"}, "premiered": f"19{60 + number}-01-02"} for number, name
             in ((7, "Days"), (8, "Nights"))]  # fmt: skip

    @app.get("/api/shows")
    def find() -> Response:
        page = int(request.args["page"])
        return _json({"results": shows[page - 1 : page]})

    @app.get("/api/shows/<int:number>")
    def show(number: int) -> Response:
        found = next(one for one in shows if one["id"] == number)
        told = {
            **found, "about": "<b>Boats</b> come in.", "images": [{"url": "/img/7.png"}],
            "tags": [{"name": "Sea"}, {"name": "Work"}], "crew": [{"name": "Cleo Pier"}],
        }  # fmt: skip
        episodes = [
            {"key": f"{number}-{part}-{voice[:1]}", "season": 1, "number": part, "title": f"Day {part}",
             "seconds": 1500, "voice": voice}
            for voice in ("Studio Quay", "north") for part in (1, 2)
        ]  # fmt: skip
        return _json({"show": told, "episodes": episodes})

    @app.get("/api/play/<key>")
    def play(key: str) -> Response:
        streams = [{"url": f"https://cdn.tidepool.example/{key}/{height}", "height": height} for height in (480, 1080)]
        return _json({"streams": streams})

    return app


def papermoon() -> Flask:
    """Return a site whose films play in a frame of another host."""
    app = Flask("papermoon")

    @app.get("/search/<word>/")
    def find(word: str) -> str:
        return f'<article><a class="more" href="/t/1?from={word}">Moon of Paper</a><p>Two parts.</p></article>'

    @app.get("/t/1")
    def title() -> str:
        parts = "".join(f'<li><a href="/t/1/{n}"><i>Part {n}</i> <b>Act {n}</b></a></li>' for n in (1, 2))
        return (
            "<html><head><title>Moon of Paper - Paper Moon</title></head><body>Year: 1923 "
            f'<img class="poster" data-src="/p.jpg"><ol class="parts">{parts}</ol></body></html>'
        )

    @app.get("/t/1/<int:number>")
    def part(number: int) -> str:
        return f'<iframe class="player" src="//127.0.0.1:{PORTS["player"]}/embed/{number}"></iframe>'

    return app


def player() -> Flask:
    """Return the other host."""
    app = Flask("player")

    @app.get("/embed/<int:number>")
    def embed(number: int) -> tuple[str, int]:
        if "/t/1/" not in request.headers.get("Referer", ""):
            return "not from here", 403
        return PLAYER.format(file=f"moon-{number}"), 200

    return app


@contextmanager
def served_sites(sites: FakeSites) -> Iterator[OutsideClient]:
    """Serve the sites; give the real guarded client, for which their written ports lead to where they really are."""
    with ExitStack() as stack:
        really = {PORTS[name]: urlsplit(stack.enter_context(served(app))).port for name, app in sites.apps().items()}

        def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            place = ("127.0.0.1", really.get(port, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)]

        allowed = frozenset(("127.0.0.1", port) for port in PORTS.values())
        yield OutsideClient(rules=EgressRules(allow_lan=allowed, resolve=resolve), user_agent="Kinodom test")  # type: ignore[arg-type]


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type="application/json")


def main() -> None:
    """Serve the sites on their written ports until Ctrl-C."""
    with ExitStack() as stack:
        for name, app in FakeSites().apps().items():
            server = make_server("127.0.0.1", PORTS[name], app, threaded=True)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"{name}: http://127.0.0.1:{PORTS[name]}/")
        threading.Event().wait()


if __name__ == "__main__":
    main()
