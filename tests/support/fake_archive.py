"""A stand-in for the Internet Archive: recorded replies, and its habits that bite."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, request

SAMPLES = Path(__file__).parents[1] / "data" / "upstreams" / "archive.org"
RECORDED_ITEM = "dn2015-0220_vid"


def sample(name: str) -> Any:
    """Return a recorded reply."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def file(name: str, form: str = "h.264", **fields: object) -> dict[str, object]:
    """Return one row of an item's `files`."""
    return {"name": name, "source": "original", "format": form, "size": "1000", "length": "60.5", **fields}


def item(identifier: str, files: list[dict[str, object]], **metadata: object) -> dict[str, object]:
    """Return an item as `/metadata/<identifier>` gives it."""
    fields = {"identifier": identifier, "mediatype": "movies", "title": identifier, **metadata}
    return {"created": 1, "files": files, "files_count": len(files), "metadata": fields, "server": "node"}


class FakeArchive:
    """Answers like archive.org; each switch turns one habit on."""

    def __init__(self) -> None:
        self.search_reply: Any = sample("advancedsearch.json")
        self.items: dict[str, Any] = {RECORDED_ITEM: sample("metadata_video_item.json")}
        self.broken = False  # HTML with status 200, as from an overloaded front
        self.status = 200
        self.queries: list[dict[str, list[str]]] = []
        self.downloads: list[str] = []

    def app(self) -> Flask:
        """Return the site."""
        app = Flask("fake_archive")

        @app.before_request
        def misbehave() -> Response | None:
            if self.status != 200:
                return Response("busy", status=self.status)
            return Response("<html>busy</html>", content_type="text/html") if self.broken else None

        @app.get("/advancedsearch.php")
        def search() -> Response:
            self.queries.append(request.args.to_dict(flat=False))
            return _json(self.search_reply)

        @app.get("/metadata/<identifier>")
        def metadata(identifier: str) -> Response:
            return _json(deepcopy(self.items.get(identifier, {})))  # unknown: 200 and {}

        @app.get("/download/<identifier>/<path:name>")
        def download(identifier: str, name: str) -> Any:
            self.downloads.append(name)
            return redirect("/node/file", code=302)

        @app.get("/node/file")
        def node() -> Response:
            return Response(b"\x00\x00\x00\x18ftypmp42", content_type="video/mp4")

        return app


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")
