"""Kodik on loopback: its catalogue, its player pages and its media host, with a switch for each habit that bites."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from kinodom_resolver.sources.kodik.decoding import rotated
from tests.support.served import served

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "upstreams" / "kodik"
TOKEN = "invented-0123456789"
TOKEN_ERROR = "Отсутствует или неверный токен"
NOTHING_TO_SEARCH = "Не указан хотя бы один параметр для поиска"
WRONG_TYPE = "Неправильный тип"
BLOCKED = "Видео запрещено к просмотру в данной стране"
STAMP = "2099010112"
EXACT = ("id", "shikimori_id", "kinopoisk_id", "imdb_id", "title_orig")


def sample(name: str) -> Any:
    """Return a recorded JSON answer."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def sample_page(name: str) -> str:
    """Return a recorded player page."""
    return (SAMPLES / name).read_text(encoding="utf-8")


def encoded(address: str, rotation: int) -> str:
    """Return an address as Kodik hides it: base64 without padding, its letters rotated."""
    return rotated(base64.b64encode(address.encode()).decode().rstrip("="), -rotation)


def result(record_id: str = "movie-1", *, voice: int = 610, voice_name: str = "AniLibria.TV", **fields: Any) -> Any:
    """Return a result as short as they come; a field given as None is left out."""
    kind = "serial" if record_id.startswith("serial") else "video"
    whole = {
        "id": record_id,
        "type": "anime-serial" if kind == "serial" else "foreign-movie",
        "link": f"//kodikplayer.com/{kind}/{record_id.split('-')[1]}/{'a' * 32}/720p",
        "title": "Фильм",
        "title_orig": "Film",
        "translation": {"id": voice, "title": voice_name, "type": "voice"},
        "year": 1999,
        "quality": "BDRip 720p",
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def seasons(*numbers: int, episodes: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    """Return the `seasons` of a result."""
    return {
        str(season): {
            "link": f"//kodikplayer.com/season/{season}/{'b' * 32}/720p",
            "episodes": {
                str(one): f"//kodikplayer.com/seria/{season}{one:03}/{season:016x}{one:016x}/720p" for one in episodes
            },
        }
        for season in numbers
    }


class FakeKodik:
    """Answers like Kodik. `places` holds the addresses of its three sites once they are served."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        self.results: list[Any] = [*sample("search_anime_serial.json")["results"], *_older_voices()]
        self.may = {"search", "get-player"}
        self.error: str | None = None  # an application error of every answer of the API
        self.api_answer: Response | None = None  # of the API, whatever it was asked
        self.get_player: dict[str, str] = {}  # path of the player page by id
        self.old_host = False  # links of the API lead to a host that is gone
        self.asked: list[tuple[str, dict[str, str]]] = []

        self.scripts = {"serial": "app.serial", "video": "app.player_single"}
        self.post_path = "/ftor"
        self.rotation: int | None = 18  # None: plain addresses
        self.proxied = False
        self.heights = [360, 480, 720]
        self.skip_button = "00-01:30,24:20-25:59"
        self.voices_box = True
        self.stale_times = 0  # so many answers say that the signatures are too old
        self.page_failure: str | None = None
        self.page_redirect: str | None = None
        self.post_answer: Response | None = None
        self.posted: list[dict[str, str]] = []
        self.player_asked: Counter[str] = Counter()
        self.referrers: list[str | None] = []

        self.gone_heights: set[int] = set()  # named in the answer, their manifests are 404
        self.expired = False
        self.node: str | None = None  # playlists redirect to this host
        self.failing_once: set[str] = set()  # segments that are 503 the first time
        self.missing: set[str] = set()
        self.segments: dict[str, bytes] = {"seg-1": b"\x47" * 188 * 20, "seg-2": b"\x47" * 188 * 10}
        self.segment_s = 6.0
        self.media_asked: Counter[str] = Counter()

    def api_app(self) -> Flask:
        """Return the catalogue."""
        app = Flask("fake_kodik_api")

        @app.post("/search")
        def search() -> Response:
            return self._api("search", lambda form: {"time": "3ms", **self._found(form)})

        @app.post("/get-player")
        def get_player() -> Response:
            return self._api("get-player", self._player)

        return app

    def player_app(self) -> Flask:
        """Return the player pages, their script and the video-info request."""
        app = Flask("fake_kodik_player")

        @app.get("/<kind>/<int:number>/<mark>/720p")
        def page(kind: str, number: int, mark: str) -> AnyResponse:
            self.player_asked[request.path] += 1
            self.referrers.append(request.headers.get("Referer"))
            if self.page_redirect is not None:
                return redirect(self.page_redirect)
            return Response(self._page(kind, str(number), mark), content_type="text/html; charset=utf-8")

        @app.get("/assets/js/<name>")
        def script(name: str) -> Response:
            self.player_asked["script"] += 1
            path = base64.b64encode(self.post_path.encode()).decode()
            code = f'!function(){{a();$.ajax({{type:"POST",url:atob("{path}"),cache:!1,dataType:"json"}})}}();'
            return Response(code, content_type="application/javascript")

        @app.post("/<path:path>")
        def video_info(path: str) -> Response:
            return self._video_info(f"/{path}")

        return app

    def media_app(self) -> Flask:
        """Return the media host."""
        app = Flask("fake_kodik_media")

        @app.get("/<path:path>")
        def media(path: str) -> AnyResponse:
            name = path.rpartition("/")[2]
            self.media_asked[name] += 1
            if self.expired:
                return Response("expired", 403)
            if name.endswith("manifest.m3u8"):
                return self._manifest(path, int(name.partition(".")[0]))
            return self._segment(name)

        return app

    def _api(self, endpoint: str, answer: Any) -> Response:
        form = request.form.to_dict()
        self.asked.append((endpoint, form))
        if self.api_answer is not None:
            return self.api_answer
        if request.mimetype != "application/x-www-form-urlencoded" or form.get("token") != TOKEN:
            return _json({"error": TOKEN_ERROR}, 500)
        if endpoint not in self.may:
            return _json({"error": TOKEN_ERROR}, 500)
        if self.error is not None:
            return _json({"error": self.error}, 500)
        text = json.dumps(answer(form), ensure_ascii=False)
        host = "kodik.info" if self.old_host else urlsplit(self.places["player"]).netloc
        return Response(text.replace("//kodikplayer.com", f"//{host}"), content_type="application/json")

    def _found(self, form: dict[str, str]) -> dict[str, Any]:
        def fits(one: Any) -> bool:
            if not isinstance(one, dict):
                return True
            if "title" in form:
                return form["title"].lower() in f"{one.get('title')} {one.get('title_orig')}".lower()
            if "player_link" in form:
                return form["player_link"].split("/")[-3:] == str(one.get("link")).split("/")[-3:]
            return all(str(one.get(name)) == form[name] for name in EXACT if name in form)

        found = [deepcopy(one) for one in self.results if fits(one)]
        for one in found:
            if isinstance(one, dict) and form.get("with_episodes") != "true":
                one.pop("seasons", None)
        return {"total": len(found), "results": found, "next_page": f"https://kodik-api.com/list?token={form['token']}"}

    def _player(self, form: dict[str, str]) -> dict[str, Any]:
        asked = next((form[name] for name in ("shikimoriID", "kinopoiskID", "imdbID", "ID") if name in form), "")
        path = self.get_player.get(asked)
        if path is None:
            return {"found": False}
        return {"found": True, "allowed": 1, "quality": "720p", "link": f"//kodikplayer.com{path}"}

    def _page(self, kind: str, number: str, mark: str) -> str:
        film = kind == "video"
        text = sample_page("player_movie.html" if film else "player_serial.html")
        text = text.replace("kodikplayer.com", urlsplit(self.places["player"]).netloc)
        text = re.sub(r"app\.(serial|player_single)", self.scripts["video" if film else "serial"], text)
        text = re.sub(r'parseSkipButton\("[^"]*"', f'parseSkipButton("{self.skip_button}"', text)
        if kind in ("seria", "video"):
            text = re.sub(r"vInfo\.hash = '\w+'", f"vInfo.hash = '{mark}'", text)
            text = re.sub(r"vInfo\.id = '\w+'", f"vInfo.id = '{number}'", text)
        elif (episode := request.args.get("episode")) is not None:
            option = re.search(rf'<option\s+value="{int(episode)}"\s+data-id="(\d+)"\s+data-hash="(\w+)"', text)
            if option is not None:
                text = re.sub(r"vInfo\.hash = '\w+'", f"vInfo.hash = '{option[2]}'", text)
                text = re.sub(r"vInfo\.id = '\w+'", f"vInfo.id = '{option[1]}'", text)
        if not self.voices_box:
            text = re.sub(r'<div class="(movie|serial)-translations-box">.*?</div>', "", text, flags=re.DOTALL)
        if self.page_failure is not None:
            box = f'<div class="promo-error"><div class="message">{self.page_failure}</div></div>'
            text = re.sub(r"<body.*</body>", f"<body>{box}</body>", text, flags=re.DOTALL)
        return text

    def _video_info(self, path: str) -> Response:
        if path != self.post_path or request.mimetype != "application/x-www-form-urlencoded":
            return Response("<html>404</html>", 404, content_type="text/html")
        form = request.form.to_dict()
        self.posted.append(form)
        if self.post_answer is not None:
            return self.post_answer
        if self.stale_times > 0:
            self.stale_times -= 1
            return _json({"error": TOKEN_ERROR}, 500)
        if not all(form.get(name) for name in ("d", "d_sign", "pd", "pd_sign", "ref_sign", "hash", "id")):
            return Response("<html>500</html>", 500, content_type="text/html")
        links = {
            str(height): [{"src": self._src(height, form["hash"]), "type": "application/x-mpegURL"}]
            for height in self.heights
        }
        return _json({"advert_script": "", "default": 360, "links": links, "vast": [{"src": "x"}], "ip": "192.0.2.77"})

    def _src(self, height: int, mark: str) -> str:
        media = urlsplit(self.places["media"]).netloc
        if self.proxied:
            inner = base64.b64encode(b"//cloud/useruploads/x").decode()
            address = f"http://{media}/s/m/{inner}/{mark}{mark}:{STAMP}/{height}.mp4:hls:manifest.m3u8"
        else:
            address = f"//{media}/useruploads/0000-0000/{mark}:{STAMP}/{height}.mp4:hls:manifest.m3u8"
        return address if self.rotation is None else encoded(address, self.rotation)

    def _manifest(self, path: str, height: int) -> AnyResponse:
        if height in self.gone_heights:
            return Response("404", 404)
        if self.node is not None and not request.base_url.startswith(self.node):
            return redirect(f"{self.node}/{path}")
        head = ["#EXTM3U", "#EXT-X-TARGETDURATION:6", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-VERSION:3"]
        parts = [f"#EXTINF:{self.segment_s:.3f},\n./{height}.mp4:hls:{name}-v1-a1.ts" for name in self.segments]
        text = "\n".join([*head, *parts, "#EXT-X-ENDLIST", ""])
        return Response(text, content_type="application/vnd.apple.mpegurl")

    def _segment(self, name: str) -> Response:
        which = name.rpartition(":hls:")[2].removesuffix("-v1-a1.ts")
        if which in self.missing or which not in self.segments:
            return Response("404", 404)
        if which in self.failing_once and self.media_asked[name] == 1:
            return Response("busy", 503)
        body = self.segments[which]
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(body) - 1), len(body) - 1)
            headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
            return Response(body[first : last + 1], 206, headers, content_type="video/MP2T")
        return Response(body, content_type="video/MP2T")


@contextmanager
def served_kodik(fake: FakeKodik) -> Iterator[FakeKodik]:
    """Serve the three sites, and the media host once more as a node it redirects to."""
    with ExitStack() as stack:
        for name, app in {
            "api": fake.api_app(),
            "player": fake.player_app(),
            "media": fake.media_app(),
            "node": fake.media_app(),
        }.items():
            fake.places[name] = stack.enter_context(served(app))
        yield fake


def _older_voices() -> list[Any]:
    older = sample("search_by_shikimori_id.json")["results"]
    for one in older:
        one["link"] = one["link"].replace("kodik.info", "kodikplayer.com")
    return list(older)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json")
