"""`make demo`: asks a running house for its three films and tells how they come along."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from kinodom_house.house import run_house
from kinodom_house.probes import HttpProbe
from kinodom_house.refusals import HouseRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_house.settings import HouseSettings

LIMIT_S = 300.0
LOOK_S = 0.5
TRY_S = 30.0
_ENDS = frozenset({"ready", "refused"})
_CSRF = re.compile(r'<meta\b[^>]*\bname="?csrf(?:-token)?"?[^>]*>')
_CONTENT = re.compile(r'\bcontent="?([^"\s>]+)')


class DemoFailedError(HouseRefusedError):
    """The house answers, but the films could not be made."""


def run_demo(settings: HouseSettings, *, say: Callable[[str], None]) -> int:
    """Make the demo films; start a house first, and keep it running, when none answers. Return the exit code."""
    address = f"http://{settings.own_address}:{settings.port}"
    if HttpProbe(settings.port, "/healthz", host=settings.own_address).is_ready():
        make_films(address, say=say)
        return 0

    def in_the_background() -> None:
        try:
            make_films(address, say=say)
        except HouseRefusedError as exc:
            say(f"kinodom: {exc}")

    run_house(
        settings, say=say, opened=lambda: threading.Thread(target=in_the_background, name="demo", daemon=True).start()
    )
    return 0


def make_films(address: str, *, say: Callable[[str], None], limit_s: float = LIMIT_S, look_s: float = LOOK_S) -> None:
    """Ask the house at this address for the demo films and follow them until they are ready.

    Raises:
        DemoFailedError: the house refused, a film was refused, or it took longer than `limit_s`.
    """
    browser = Browser(address)
    answer = browser.ask("/api/v1/demo", {"X-CSRF-Token": browser.csrf()}, b"{}")
    wanted = [str(wish) for wish in _list(answer, "wishes")]
    say(f"Asked for {len(wanted)} videos.")
    told: dict[str, str] = {}
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        wishes = [wish for wish in _list(browser.ask("/api/v1/wishes"), "wishes") if isinstance(wish, dict)]
        found = {_id(wish): wish for wish in wishes}
        for number in wanted:
            line = _line(found.get(number, {}))
            if told.get(number) != line:
                told[number] = line
                say(f"  {line}")
        states = {str(found.get(number, {}).get("state", "wanted")) for number in wanted}
        if states <= _ENDS:
            if "refused" in states:
                raise DemoFailedError("Not every film could be made; the lines above say why.")
            say(f"All are ready: {address}")
            return
        time.sleep(look_s)
    raise DemoFailedError(f"The films were not ready after {limit_s:g} s; the house goes on with them.")


class Browser:
    """Just enough of a browser: cookies and the page's token against forged requests."""

    def __init__(self, address: str) -> None:
        self._address = address
        handlers = (urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def csrf(self) -> str:
        """Return the token that the first page carries."""
        tag = _CSRF.search(self.read("/", {}, None))
        content = _CONTENT.search(tag.group(0)) if tag else None
        if content is None:
            raise DemoFailedError(f"What answers at {self._address} is not Kinodom, or not this version of it.")
        return content.group(1)

    def ask(self, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> dict[str, object]:
        """Return the JSON of an answer; a body makes it a POST."""
        try:
            answer = json.loads(self.read(path, {"Accept": "application/json", **(headers or {})}, body))
        except ValueError as exc:
            raise DemoFailedError(f"The house gave no sane answer to {path}.") from exc
        return answer if isinstance(answer, dict) else {}

    def read(self, path: str, headers: Mapping[str, str], body: bytes | None) -> str:
        """Return the text of an answer; refuse any that is no success."""
        kind = {"Content-Type": "application/json", "Origin": self._address} if body is not None else {}
        request = urllib.request.Request(self._address + path, data=body, headers={**kind, **headers})  # noqa: S310 - http:// stands in front
        try:
            with self._opener.open(request, timeout=TRY_S) as reply:
                return str(reply.read().decode("utf-8", "replace"))
        except urllib.error.HTTPError as exc:
            with exc:
                raise DemoFailedError(f"The house refused {path}: {_detail(exc.read(), exc.code)}") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise DemoFailedError(f"The house at {self._address} did not answer: {exc}.") from exc


def _detail(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {status}"


def _list(answer: Mapping[str, object], name: str) -> list[object]:
    value = answer.get(name)
    return value if isinstance(value, list) else []


def _id(wish: Mapping[str, object]) -> str:
    return str(wish.get("wish_id") or wish.get("id") or "")


def _line(wish: Mapping[str, object]) -> str:
    name = _name(wish)
    state = str(wish.get("state", "wanted"))
    reason = f": {wish['reason']}" if wish.get("reason") else ""
    progress = wish.get("progress")
    if state != "running" or not isinstance(progress, dict):
        return f"{name}  {state}{reason}"
    tenths = int(float(progress.get("fraction") or 0) * 10)
    return f"{name}  {progress.get('stage', 'running')} {tenths * 10} %"


def _name(wish: Mapping[str, object]) -> str:
    request = wish.get("request")
    asked = request if isinstance(request, dict) else wish
    title = asked.get("title")
    name = str((title.get("name") if isinstance(title, dict) else title) or "A film")
    episode = f", episode {asked['episode']}" if asked.get("episode") is not None else ""
    dub = f", {asked['translation_name']}" if asked.get("translation_name") else ""
    height = f", {asked['height_px']}p" if asked.get("height_px") else ""
    return f"{name}{episode}{dub}{height}"
