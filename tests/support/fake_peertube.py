"""A stand-in for a PeerTube site: recorded replies, and its habits that bite. Sepia Search has the same form.

Served plainly, or over TLS under an invented name as yt-dlp wants it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import make_server

from kinodom_common.egress import EgressRules
from tests.support.certificates import Authority

SAMPLES = Path(__file__).parents[1] / "data" / "upstreams" / "peertube"
RECORDED = "d2a5ec78-5f85-4090-8ec5-dc1102e022ea"
INVENTED = "11111111-2222-4333-8444-555555555555"
HOST = "tube.example"
WALK = "9c9de5e8-0a1e-484a-b099-e80766180a6d"
WALK_ADDRESS = f"peertube:{HOST}:{WALK}"  # as yt-dlp reads it
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2"
360.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2900000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"
720.m3u8
"""


def sample(name: str) -> Any:
    """Return a recorded reply."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def file(height: int, **fields: object) -> dict[str, object]:
    """Return one web video file."""
    resolution = {"id": height, "label": f"{height}p"}
    return {"resolution": resolution, "height": height, "size": 1000 * height, "hasAudio": True, "hasVideo": True,
            "fileUrl": f"https://tube.example/static/{height}.mp4", **fields}  # fmt: skip


def video(**fields: object) -> dict[str, object]:
    """Return a video with one file."""
    return {"uuid": INVENTED, "url": f"https://tube.example/videos/watch/{INVENTED}", "name": "Tin light",
            "files": [file(720)], "streamingPlaylists": [], "duration": 60, "isLive": False,
            "state": {"id": 1}, **fields}  # fmt: skip


def walk() -> dict[str, object]:
    """Return a video with one file and a playlist, at the host with the invented name."""
    files = [
        {"resolution": {"id": 480, "label": "480p"}, "size": 1000, "fps": 25, "fileUrl": f"https://{HOST}/f/480.mp4"}
    ]
    return {
        "uuid": WALK, "name": "A Walk <b>by</b> the Sea", "description": "Waves.", "duration": 61,
        "publishedAt": "2019-03-01T10:00:00.000Z", "thumbnailPath": "/lazy/1.jpg", "category": {"label": "Films"},
        "language": {"id": "en"}, "licence": {"label": "Attribution"}, "account": {"displayName": "Ada"},
        "files": files, "streamingPlaylists": [{"playlistUrl": f"https://{HOST}/hls/master.m3u8", "files": []}],
    }  # fmt: skip


class FakePeerTube:
    """Answers like a PeerTube site; each switch turns one habit on. `instead` stands for the answer about a video."""

    def __init__(self) -> None:
        self.search_reply: Any = sample("search_videos.json")
        self.videos: dict[str, Any] = {RECORDED: sample("video_web_and_hls.json"), WALK: walk()}
        self.captions: Any = {"total": 0, "data": []}
        self.description: Any = {"description": "The whole text."}
        self.password = False
        self.status = 200
        self.retry_after = ""
        self.broken = False  # HTML with status 200
        self.instead: Callable[[], Response] | None = None
        self.let_go = threading.Event()
        self.queries: list[dict[str, str]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []  # path and headers

    def hang(self) -> Response:
        """Answer only when the test is over."""
        self.let_go.wait(60)
        return Response("")

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_peertube")
        app.url_map.strict_slashes = False

        @app.before_request
        def misbehave() -> Response | None:
            self.asked.append((request.path, dict(request.headers)))
            if self.status != 200:
                headers = {"Retry-After": self.retry_after} if self.retry_after else {}
                return _problem(self.status, **headers)
            return Response("<html>hello</html>", content_type="text/html") if self.broken else None

        @app.get("/api/v1/search/videos")
        def search() -> Response:
            self.queries.append(request.args.to_dict())
            return _json(self.search_reply)

        @app.get("/api/v1/videos/<name>")
        def details(name: str) -> Response:
            if self.instead is not None:
                return self.instead()
            if self.password:
                return _problem(403)
            return _json(deepcopy(self.videos[name])) if name in self.videos else _problem(404)

        @app.get("/api/v1/videos/<name>/captions")
        def captions(name: str) -> Response:
            return _problem(500) if self.captions is None else _json(self.captions)

        @app.get("/api/v1/videos/<name>/description")
        def description(name: str) -> Response:
            return _problem(500) if self.description is None else _json(self.description)

        @app.get("/hls/master.m3u8")
        def master() -> Response:
            return Response(MASTER, content_type="application/x-mpegURL")

        return app


@contextmanager
def served_over_tls(tube: FakePeerTube, authority: Authority) -> Iterator[EgressRules]:
    """Serve it; give rules for which its name leads there, and `inner.example` to this machine, which is refused."""
    server = make_server("127.0.0.1", 0, tube.app(), threaded=True, ssl_context=authority.server(HOST, []))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        really = server.server_port if (host, port) == (HOST, 443) else port
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", really))]

    try:
        yield EgressRules(allow_lan=frozenset({(HOST, 443)}), resolve=resolve)  # type: ignore[arg-type]
    finally:
        tube.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _problem(status: int, **headers: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "detail": "no"})
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status=status, headers=renamed, content_type="application/problem+json")


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")
