"""A stand-in for a PeerTube site: recorded replies, and its habits that bite. Sepia Search has the same form."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

SAMPLES = Path(__file__).parents[1] / "data" / "upstreams" / "peertube"
RECORDED = "d2a5ec78-5f85-4090-8ec5-dc1102e022ea"
INVENTED = "11111111-2222-4333-8444-555555555555"


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


class FakePeerTube:
    """Answers like a PeerTube site; each switch turns one habit on."""

    def __init__(self) -> None:
        self.search_reply: Any = sample("search_videos.json")
        self.videos: dict[str, Any] = {RECORDED: sample("video_web_and_hls.json")}
        self.captions: Any = {"total": 0, "data": []}
        self.description: Any = {"description": "The whole text."}
        self.password = False
        self.status = 200
        self.retry_after = ""
        self.broken = False  # HTML with status 200
        self.queries: list[dict[str, str]] = []

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_peertube")

        @app.before_request
        def misbehave() -> Response | None:
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
            if self.password:
                return _problem(403)
            return _json(deepcopy(self.videos[name])) if name in self.videos else _problem(404)

        @app.get("/api/v1/videos/<name>/captions")
        def captions(name: str) -> Response:
            return _problem(500) if self.captions is None else _json(self.captions)

        @app.get("/api/v1/videos/<name>/description")
        def description(name: str) -> Response:
            return _problem(500) if self.description is None else _json(self.description)

        return app


def _problem(status: int, **headers: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "detail": "no"})
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status=status, headers=renamed, content_type="application/problem+json")


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")
