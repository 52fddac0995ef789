"""An evening at home: downloads and viewers at once: `make bench-evening`.

The real house; four films in the queue (two at a time, as the house does), six viewers of films on the disk and two of
films that are still coming, for five minutes on this machine. A viewer here is what a player is to the house: it keeps
30 s ahead and plays in real time, without decoding. Goals: no buffer runs dry, and the downloads keep 0.8 of the speed
that they have without viewers in the same run.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.download import host as media_host
from bench.firstframe import make_film
from tests.support.real_house import real_house

AHEAD_S, LOOK_S, GOAL = 30.0, 0.05, 0.8
SLOW = ("--delay-ms", "50", "--connect-ms", "100")


class Home:
    """One browser's side of the house."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        page = self.session.get(f"{address}/", timeout=30).text
        found = re.search(r'name="csrf" content="([^"]+)"', page)
        assert found is not None
        self.session.headers["X-CSRF-Token"] = found[1]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the house's answer."""
        reply = self.session.post(f"{self.address}/api/v1{path}", json=body, timeout=60)
        reply.raise_for_status()
        return reply.json()

    def wish(self, wish_id: str) -> Any:
        """Return how a film gets on."""
        return self.session.get(f"{self.address}/api/v1/wishes/{wish_id}", timeout=30).json()

    def found(self, url: str) -> str:
        """Return the id under which the house knows an address."""
        reply = self.session.get(f"{self.address}/api/v1/search", params={"q": url}, timeout=60).json()
        return str(reply["away"]["hits"][0]["external_id"])

    def get(self, path: str, **headers: str) -> bytes:
        """Return a file of a film."""
        reply = self.session.get(self.address + path, headers=headers, timeout=30)
        reply.raise_for_status()
        return reply.content


@dataclass
class Buffer:
    """What a player has ahead of it."""

    began_s: float | None = None  # of playing
    got_s: float = 0.0
    dry_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ahead_s(self) -> float:
        """Return how much is ahead; time spent without anything is counted and does not play."""
        if self.began_s is None:
            return 0.0
        ahead = self.got_s - (time.monotonic() - self.began_s - self.dry_s)
        if ahead < 0:
            self.dry_s -= ahead
            ahead = 0.0
        return ahead

    def add(self, seconds: float) -> None:
        """Take what came."""
        self.ahead_s()
        self.got_s += seconds
        self.began_s = self.began_s or time.monotonic()


def watch_ready(home: Home, video_id: str, length_s: float, buffer: Buffer, over: threading.Event) -> None:
    """Play a film that is on the disk, over and over."""
    link = home.post("/links", {"video_id": video_id})["manifest_url"].rpartition("/")[0]
    size = int(home.session.head(f"{home.address}{link}/v.mp4", timeout=30).headers["Content-Length"])
    step, at = 1_000_000, 0
    while not over.is_set():
        if buffer.ahead_s() > AHEAD_S:
            over.wait(LOOK_S)
            continue
        end = min(at + step, size)
        body = home.get(f"{link}/v.mp4", Range=f"bytes={at}-{end - 1}")
        buffer.add(len(body) / size * length_s)
        at = 0 if end == size else end


def watch_coming(home: Home, url: str, buffer: Buffer, over: threading.Event) -> None:
    """Play a film from its first second, while it comes."""
    wish = home.post("/watch", {"external_id": home.found(url)})
    live = home.post("/links", {"video_id": wish["wish_id"]})["live_url"]
    facts = home.session.get(f"{home.address}{live}live.json", timeout=30).json()
    text = home.get(f"{live}{facts['generation']}/t0.m3u8").decode()
    for seconds, name in re.findall(r"#EXTINF:([\d.]+),\n(\S+)", text):
        while buffer.ahead_s() > AHEAD_S and not over.is_set():
            over.wait(LOOK_S)
        if over.is_set():
            return
        home.get(f"{live}{facts['generation']}/{name}")
        buffer.add(float(seconds))


def make_long(folder: Path, times: int) -> None:
    """Write a list that shows a film several times, so that it is coming for the whole evening."""
    head, *rows = (folder / "index.m3u8").read_text().split("#EXTINF")
    once = "".join(f"#EXTINF{row}" for row in rows).replace("#EXT-X-ENDLIST", "")
    whole = head + "#EXT-X-DISCONTINUITY\n".join([once] * times) + "#EXT-X-ENDLIST\n"
    (folder / "long.m3u8").write_text(whole)


def speed(home: Home, wishes: list[str], seconds: float) -> float:
    """Return the bytes a second that these downloads fetch over a while."""

    def fetched() -> int:
        return sum(int(home.wish(one)["progress"]["fetched_bytes"]) for one in wishes)

    before, began_s = fetched(), time.monotonic()
    time.sleep(seconds)
    return (fetched() - before) / (time.monotonic() - began_s)


def main() -> int:
    """Run, print, and return 0 when the goals hold."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--minutes", type=float, default=5.0)
    given = wanted.parse_args()
    with tempfile.TemporaryDirectory(prefix="kinodom-evening-") as folder:
        root = Path(folder)
        (root / "host").mkdir()
        make_film(root / "host", 10)
        make_long(root / "host", 10)
        with (
            media_host(root / "host", ()) as quick,
            media_host(root / "host", (*SLOW, "--cap-mb", "0.4")) as line,
        ):
            allow = ",".join(one.removeprefix("http://") for one in (quick, line))
            with real_house(root / "data", KINODOM_ALLOW_LAN=allow) as house:
                return evening(f"http://127.0.0.1:{house.port}", quick, line, given.minutes * 60)


def evening(address: str, quick: str, line: str, length_s: float) -> int:
    """Fill the house, measure the downloads alone and beside the viewers, and print what came of it."""
    home = Home(address)
    ready = home.post("/watch", {"external_id": home.found(f"{quick}/index.m3u8")})["wish_id"]
    while home.wish(ready)["state"] != "ready":
        time.sleep(0.5)
    asked = [home.found(f"{line}/long.m3u8?download{n}") for n in range(4)]
    queue = [home.post("/downloads", {"address": one})["wishes"][0]["wish_id"] for one in asked]
    time.sleep(10)
    alone = speed(home, queue, 45)
    over, buffers = threading.Event(), [Buffer() for _ in range(8)]
    viewers = [
        threading.Thread(target=watch_ready, args=(Home(address), ready, 600.0, buffer, over)) for buffer in buffers[:6]
    ] + [
        threading.Thread(target=watch_coming, args=(Home(address), f"{line}/long.m3u8?watch{n}", buffer, over))
        for n, buffer in enumerate(buffers[6:])
    ]
    for viewer in viewers:
        viewer.start()
    time.sleep(5)
    beside = speed(home, queue, length_s)
    played = [buffer.got_s - buffer.ahead_s() for buffer in buffers]
    over.set()
    for viewer in viewers:
        viewer.join()
    dry = [buffer.dry_s for buffer in buffers]
    print(f"viewers: {statistics.median(played):.0f} s played each; dry for {[round(one, 1) for one in dry]} s, goal 0")
    print(
        f"downloads: {beside / 1e6:.2f} MB/s beside the viewers, {alone / 1e6:.2f} alone: "
        f"{beside / alone:.2f}x, goal {GOAL}"
    )
    return 0 if max(dry) == 0 and beside >= GOAL * alone and min(played) > length_s / 2 else 1


if __name__ == "__main__":
    sys.exit(main())
