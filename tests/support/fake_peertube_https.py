"""A stand-in for a PeerTube instance, over TLS under an invented name."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask, Response, request
from werkzeug.serving import make_server

from kinodom_common.egress import EgressRules
from tests.support.certificates import Authority

HOST = "tube.example"
UUID = "9c9de5e8-0a1e-484a-b099-e80766180a6d"
ADDRESS = f"peertube:{HOST}:{UUID}"
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2"
360.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2900000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"
720.m3u8
"""


@dataclass
class FakePeerTube:
    """Answers like PeerTube's API; `instead` stands in place of the answer about the video."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    instead: Callable[[], Response] | None = None
    let_go: threading.Event = field(default_factory=threading.Event)

    def hang(self) -> Response:
        """Answer only when the test is over."""
        self.let_go.wait(60)
        return Response("")

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("peertube")

        @app.before_request
        def note() -> None:
            self.asked.append((request.path, dict(request.headers)))

        @app.get("/api/v1/videos/<uuid>/")
        def video(uuid: str) -> Response:
            if self.instead is not None:
                return self.instead()
            files = [
                {
                    "resolution": {"id": 480, "label": "480p"},
                    "size": 1000,
                    "fps": 25,
                    "fileUrl": f"https://{HOST}/f/480.mp4",
                }
            ]
            return _json({
                "uuid": uuid, "name": "A Walk <b>by</b> the Sea", "description": "Waves.", "duration": 61,
                "publishedAt": "2019-03-01T10:00:00.000Z", "thumbnailPath": "/lazy/1.jpg",
                "category": {"label": "Films"}, "language": {"id": "en"}, "licence": {"label": "Attribution"},
                "account": {"displayName": "Ada"}, "files": files,
                "streamingPlaylists": [{"playlistUrl": f"https://{HOST}/hls/master.m3u8", "files": []}],
            })  # fmt: skip

        @app.get("/api/v1/videos/<uuid>/captions")
        def captions(uuid: str) -> Response:
            return _json({"data": [{"language": {"id": "fr"}, "captionPath": "/c/fr.vtt"}]})

        @app.get("/hls/master.m3u8")
        def master() -> Response:
            return Response(MASTER, content_type="application/x-mpegURL")

        return app


@contextmanager
def served_peertube(tube: FakePeerTube, authority: Authority) -> Iterator[EgressRules]:
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


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type="application/json")
