"""Workers and Redis die at random while films come: `make bench-faults`; the goal `… --kills 1000`.

Real Redis (append-only file), store, web service, catalogue and workers, as processes or, with `--containers`, as
containers of the image `kinodom/downloader` (`docker compose build downloader`); the media host is on loopback and its
films are two seconds long. Wishes are asked for all the time; workers and the processes of their jobs are killed
(`kill -9`) at random moments, Redis now and then, sometimes with all that it kept; `--kills` counts the workers. A
reader looks at every visible folder all the while, and the media host counts the films that are under way at once and
the segments that it is asked for again; with `--one-at-a-time` there may be one such film. Then there is calm, and a
judge that shares no code with the downloader reads disk, store, catalogue, Redis and the list of processes. A wish that
was killed three times in a row is refused, as it should be: that is counted, and it is told to try again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pymongo

from kinodom_common.errors import KinodomError
from tests.support.works import (
    Works,
    catalogue_rows,
    children_of,
    faults_of,
    processes_about,
    request_for,
    until,
    visible_folders,
    works,
)

if TYPE_CHECKING:
    from tests.support.origin import Answer

CALM_S = 60.0  # within which all is done after the last kill
BACKLOG = 6  # wishes that wait for a worker
REDIS_EVERY = 25  # kills
HORSES = 0.25  # of the kills are of the process of a job alone, when there is one
HOLD_S = 0.02  # so long the host keeps each answer back, so that films under way meet when they may
WIPED = 0.4  # of the deaths of Redis take with them all that it kept
READER_PAUSE_S = 0.002


@dataclass
class Tally:
    """What happened."""

    seed: int
    workers_killed: int = 0
    horses_killed: int = 0
    redis_killed: int = 0
    redis_wiped: int = 0
    asked: dict[str, int] = field(default_factory=dict)  # wish id → how often its asking was acknowledged
    at_once: int = 0  # films under way at the media host, at the most
    again: int = 0  # segments that were asked for once more
    refused: int = 0  # for three deaths in a row, and told to try again
    looks: int = 0
    half_shown: list[str] = field(default_factory=list)
    settled_s: float = 0.0
    took_s: float = 0.0
    verdict: list[str] = field(default_factory=list)  # empty: nothing lost, doubled or left behind


class Feeder(threading.Thread):
    """Asks for one film after another, as long as few are waiting; every third is asked for twice."""

    def __init__(self, house: Works, tally: Tally) -> None:
        super().__init__(daemon=True)
        self._house, self._tally = house, tally
        self.over = threading.Event()

    def run(self) -> None:
        """Ask until told to stop."""
        number, client = 0, self._house.client
        while not self.over.is_set():
            with suppress(KinodomError):  # not acknowledged: nothing was promised
                queue = client.queue()
                if queue.refused:  # somebody presses "Try all again"
                    self._tally.refused += client.change_all("retry").changed
                if queue.wanted + queue.waiting >= BACKLOG:
                    self.over.wait(0.05)
                    continue
                number += 1
                self._house.put_film(number)
                for _ in range(2 if number % 3 == 0 else 1):
                    wish_id = client.wish(request_for(number)).wish.wish_id
                    self._tally.asked[wish_id] = self._tally.asked.get(wish_id, 0) + 1


class Reader(threading.Thread):
    """Looks at every visible folder, over and over."""

    def __init__(self, media: Path, tally: Tally) -> None:
        super().__init__(daemon=True)
        self._media, self._tally = media, tally
        self.over = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self.over.is_set():
            for folder in visible_folders(self._media):
                self._tally.looks += 1
                self._tally.half_shown += faults_of(folder)
                self.over.wait(READER_PAUSE_S)
            self.over.wait(READER_PAUSE_S)


class Watchman:
    """Stands at the media host and sees which films are under way: asked for by somebody who still listens."""

    def __init__(self, house: Works, tally: Tally) -> None:
        self._house, self._tally = house, tally
        self._open: list[tuple[str, Answer]] = []
        house.host.faults["*"] = self.sees

    def sees(self, answer: Answer, _number: int) -> bool:
        """Note one request, and answer it a little later."""
        film, host = answer.path.split("/")[1], self._house.host
        entry = (film, answer)
        with host.lock:
            self._open.append(entry)
            films = {other for other, one in self._open if other == film or _listens(one)}
            self._tally.at_once = max(self._tally.at_once, len(films))
        host.gate.wait(HOLD_S)
        try:
            answer.serve(host.files[answer.path])
        finally:
            with host.lock:
                self._open.remove(entry)
        return True

    def count(self) -> None:
        """Count the segments that were asked for again."""
        asked = self._house.host.asked
        self._tally.again = sum(count - 1 for path, count in asked.items() if path.endswith(".ts"))


def _listens(answer: Answer) -> bool:
    try:
        return answer.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def kill_one(house: Works, tally: Tally) -> None:
    """Kill a worker or the process of a job, whichever chance says."""
    workers = house.deadly()
    horses = [horse for worker in house.workers() for horse in children_of(worker)]
    victims = horses if horses and random.random() < HORSES else workers
    if not victims:
        return
    with suppress(ProcessLookupError):
        os.kill(random.choice(victims), signal.SIGKILL)
        tally.horses_killed += victims is horses
        tally.workers_killed += victims is workers


def storm(house: Works, tally: Tally, kills: int, every_s: float) -> None:
    """Kill so many workers, with processes of jobs and Redis between."""
    while tally.workers_killed < kills:
        time.sleep(random.uniform(0.2, 1.8) * every_s)
        kill_one(house, tally)
        if tally.workers_killed // REDIS_EVERY > tally.redis_killed:
            house.redis.stop()
            if random.random() < WIPED:
                house.redis.wipe()
                tally.redis_wiped += 1
            time.sleep(random.uniform(0.1, 1.5))
            house.redis.start()
            tally.redis_killed += 1


def settle(house: Works, tally: Tally) -> None:
    """Wait until every wish is ready; those that died three times in a row are told to try again, all at once."""
    began_s = time.monotonic()
    client = house.client

    def all_ready() -> bool:
        states = house.states()
        if "refused" in states.values():
            tally.refused += client.change_all("retry").changed
        return set(states.values()) == {"ready"}

    if not until(all_ready, limit_s=CALM_S):
        states = house.states()
        tally.verdict += [
            f"{one[:8]} is {state} after {CALM_S:g} s" for one, state in states.items() if state != "ready"
        ]
    tally.settled_s = time.monotonic() - began_s


def judge(house: Works, tally: Tally) -> None:
    """Read disk, store, catalogue, Redis and the list of processes, and note everything that is wrong."""
    asked, wrong = set(tally.asked), tally.verdict
    stored = _stored(house)
    reasons = {row["reason_code"] for row in stored.values() if row["state"] == "refused"}
    wrong += [f"{one[:8]} was acknowledged and is not in the store" for one in asked - set(stored)]
    wrong += [f"refused for {code}" for code in reasons - {"crashes_the_worker"}]
    folders = {folder.name: folder for folder in visible_folders(house.media)}
    wrong += [
        f"{one[:8]} is ready and has no folder"
        for one, row in stored.items()
        if row["state"] == "ready" and one not in folders
    ]
    wrong += [f"{one[:8]} has a folder and no wish" for one in set(folders) - set(stored)]
    for folder in folders.values():
        wrong += faults_of(folder, with_sums=True)
    rows = catalogue_rows(house.folder)
    wrong += [f"{one[:8]}: {count} rows in the catalogue" for one, count in rows.items() if count != 1]
    wrong += [f"{one[:8]} is not in the catalogue" for one in set(folders) - set(rows)]
    wrong += [f"left behind: work/{path.name}" for path in (house.media / "work").iterdir()]
    wrong += [f"left behind: trash/{path.name}" for path in (house.media / "trash").glob("*")]
    wrong += tally.half_shown[:20]
    with closing(house.redis.client()) as client:
        waiting = client.llen("rq:queue:wishes")
    wrong += [f"{waiting} hints are left in Redis"] if waiting else []
    wrong += [f"a job goes on: {pid}" for worker in house.workers() for pid in children_of(worker)]


def _stored(house: Works) -> dict[str, dict[str, str]]:
    if house.store_url.startswith("mongodb:"):
        client: pymongo.MongoClient[dict[str, str]]
        with pymongo.MongoClient(house.store_url) as client:
            rows: list[dict[str, str]] = list(client["downloader"]["wishes"].find())
            return {row["_id"]: row for row in rows}
    with closing(sqlite3.connect(house.folder / "downloader.sqlite")) as link:
        return {row[0]: json.loads(row[1]) for row in link.execute("SELECT id, body FROM wishes")}


def run(
    folder: Path,
    *,
    kills: int,
    workers: int,
    every_s: float,
    seed: int,
    containers: bool = False,
    mongodb: bool = False,
    one_at_a_time: bool = False,
) -> Tally:
    """Return what came of a storm."""
    random.seed(seed)
    tally, began_s = Tally(seed), time.monotonic()
    parallel = 1 if one_at_a_time else 4 * workers
    with works(folder, parallel=parallel, mongodb=mongodb) as house:
        watchman = Watchman(house, tally)
        (house.start_containers if containers else house.start_workers)(workers)
        feeder, reader = Feeder(house, tally), Reader(house.media, tally)
        feeder.start()
        reader.start()
        storm(house, tally, kills, every_s)
        feeder.over.set()
        feeder.join()
        settle(house, tally)
        until(lambda: not any((house.media / "work").iterdir()) and not _busy(house), limit_s=CALM_S)
        reader.over.set()
        reader.join()
        judge(house, tally)
        watchman.count()
    if tally.at_once > parallel:
        tally.verdict.append(f"{tally.at_once} films were under way at once, of {parallel} allowed")
    tally.verdict += [f"still there: {words[:150]}" for words in processes_about(f"{folder}/media")]
    tally.took_s = time.monotonic() - began_s
    return tally


def _busy(house: Works) -> bool:
    with closing(house.redis.client()) as client:
        return bool(client.llen("rq:queue:wishes")) or any(children_of(pid) for pid in house.workers())


def told(tally: Tally) -> str:
    """Return the outcome as lines."""
    lines = [
        f"seed {tally.seed}: {tally.workers_killed} workers killed and {tally.horses_killed} processes of jobs, Redis "
        f"killed {tally.redis_killed} times, {tally.redis_wiped} of them wiped, in {tally.took_s:.0f} s",
        f"{len(tally.asked)} films asked for {sum(tally.asked.values())} times; all ready {tally.settled_s:.1f} s "
        f"after the last kill; {tally.refused} times one had died three times in a row and was told to try again",
        f"{tally.at_once} films under way at once at the most; {tally.again} segments asked for again",
        f"{tally.looks} looks at visible folders, {len(tally.half_shown)} incomplete",
        "nothing lost, doubled, half-shown or left behind" if not tally.verdict else "WRONG:",
    ]
    return "\n".join([*lines, *(f"  {one}" for one in tally.verdict[:40])])


def main() -> int:
    """Print the outcome; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--kills", type=int, default=100, help="of workers; those of processes of jobs come on top (100)"
    )
    parser.add_argument("--workers", type=int, default=3, help="at once (3)")
    parser.add_argument("--every", type=float, default=0.4, help="mean pause between two kills, s (0.4)")
    parser.add_argument("--seed", type=int, default=None, help="the same choices again")
    parser.add_argument("--containers", action="store_true", help="workers in containers of the image")
    parser.add_argument("--mongodb", action="store_true", help="the wishes in a server that speaks MongoDB's protocol")
    parser.add_argument("--one-at-a-time", action="store_true", help="only one film may be under way")
    parser.add_argument("--folder", type=Path, default=None, help="keep everything there, to look at")
    chosen = parser.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    with tempfile.TemporaryDirectory(prefix="kinodom-faults-") as name:
        tally = run(
            chosen.folder or Path(name),
            kills=chosen.kills,
            workers=chosen.workers,
            every_s=chosen.every,
            seed=seed,
            containers=chosen.containers,
            mongodb=chosen.mongodb,
            one_at_a_time=chosen.one_at_a_time,
        )
    sys.stdout.write(told(tally) + "\n")
    return 1 if tally.verdict else 0


if __name__ == "__main__":
    sys.exit(main())
