"""A stand-in for Wikimedia Commons: a recorded reply, and its habits that bite."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

SAMPLES = Path(__file__).parents[1] / "data" / "upstreams" / "wikimedia"
RECORDED = "Big_Buck_Bunny_4K.webm"


def sample() -> Any:
    """Return a recorded reply."""
    return json.loads((SAMPLES / "videoinfo_big_buck_bunny_4k.json").read_text(encoding="utf-8"))


def rendition(height: int, key: str | None = "480p.vp9.webm", **fields: object) -> dict[str, object]:
    """Return one row of `derivatives`; without a key it is the upload."""
    name = key or "original.webm"
    row: dict[str, object] = {"src": f"https://files.example/{name}", "type": "video/webm", "height": height}
    return {**row, **({"transcodekey": key} if key else {}), **fields}


def page(title: str = "File:Tin.webm", **info: object) -> dict[str, object]:
    """Return one page with a video."""
    fields = {"url": "https://files.example/original.webm", "mime": "video/webm", "size": 9000, "height": 720,
              "duration": 12.5, "derivatives": [rendition(480)], **info}  # fmt: skip
    return {"pageid": abs(hash(title)) % 10**6, "ns": 6, "title": title, "videoinfo": [fields]}


def reply(*pages: object, **more: object) -> dict[str, object]:
    """Return a whole answer."""
    return {"batchcomplete": True, "query": {"pages": list(pages)}, **more}


class FakeCommons:
    """Answers like commons.wikimedia.org; each switch turns one habit on."""

    def __init__(self) -> None:
        self.replies: list[Any] = [sample()]  # the last one stays
        self.status = 200
        self.broken = False  # HTML with status 200
        self.refuses_browsers = True  # 403 for what does not say who it is
        self.queries: list[dict[str, str]] = []

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_commons")

        @app.get("/w/api.php")
        def api() -> Response:
            if self.status != 200:
                return Response("busy", status=self.status, headers={"Retry-After": "5"})
            if self.refuses_browsers and "Kinodom" not in request.headers.get("User-Agent", ""):
                return Response("say who you are", status=403)
            self.queries.append(request.args.to_dict())
            if self.broken:
                return Response("<html>", content_type="text/html")
            told = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            return Response(json.dumps(deepcopy(told)), content_type="application/json")

        return app
