"""A wish killed at the system calls of its whole way, from the first byte fetched to the row in the catalogue."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from kinodom_downloader.adapters.publish import reap
from kinodom_downloader.domain.wishes import LEASE_S
from tests.support import media
from tests.support.fetching import fetch_from, sum_of
from tests.support.full_disks import files_of
from tests.support.kill_points import Kills, calls_of, killed_at
from tests.support.origin import Origin
from tests.support.workshop import Workshop

FILMS = {"/index.m3u8": "MPEG-TS", "/dash/manifest.mpd": "DASH", "/film.mp4": "one file"}  # by where they are


def put_films(host: Origin) -> None:
    """Serve a film in several forms."""
    host.put(media.hls_ts())
    host.put(media.dash_template(), at="/dash")
    host.files["/film.mp4"] = media.long_mp4().read_bytes()


def cut_the_power(folder: Path) -> None:
    """Leave of a work folder what had been flushed: what is not on the list has its length and other bytes."""
    listed = set()
    if (folder / "done.txt").exists():
        listed = {tuple(line.split(" ")[:2]) for line in (folder / "done.txt").read_text("ascii").splitlines()}
    for path in folder.glob("t*/*"):
        if (path.parent.name.removeprefix("t"), str(int(path.stem[:6]))) not in listed:
            path.write_bytes(bytes(path.stat().st_size))
    if (folder / "boot.txt").exists():
        (folder / "boot.txt").write_text("another time the machine ran", "ascii")


def fetches_killed(folder: Path, host: Origin, entry: str, *, every: int) -> Kills:
    """Kill the fetch engine at its calls, those of all its threads; the next one must bring the same film.

    After every second kill of a film in MPEG-TS the power fails too, so that what was not flushed is lost.
    """

    def fetched(work: Path) -> str:
        return sum_of(fetch_from(host, entry, work, delivery="progressive"))

    folder.mkdir(exist_ok=True)
    expected = fetched(folder / "whole")
    kills = Kills(calls_of(lambda: fetched(folder / "told"), folder / "calls.txt", threads=True))
    for place, (call, number) in enumerate(kills.places(every)):
        work = folder / f"{call}-{number}"
        kills.points += killed_at(partial(fetched, work), call, number, threads=True)
        if place % 2 and entry.endswith(".m3u8") and work.exists():
            cut_the_power(work)
        if fetched(work) != expected:
            kills.faults.append(f"{call} {number}: another film")
        shutil.rmtree(work)
    return kills


def wishes_killed(folder: Path, host: Origin, *, every: int) -> Kills:
    """Kill a worker at the calls of its main thread; the next one must bring the same folder, and all of it once."""
    shop = Workshop(folder / "whole", folder / "whole" / "media", host)
    shop.work()
    expected = files_of(shop.media_root)
    told = Workshop(folder / "told", folder / "told" / "media", host)
    kills = Kills(calls_of(told.work, folder / "calls.txt"))
    for call, number in kills.places(every):
        home = folder / f"{call}-{number}"
        shop = Workshop(home, home / "media", host)
        kills.points += killed_at(shop.work, call, number)
        shown = files_of(shop.media_root)
        faults = [] if shown in ({}, expected) else ["half-shown"]
        shop.now_s += LEASE_S + 1
        done = shop.work()
        if done is None:  # it died when all was done; the sweep clears up
            reap(shop.media_root / "work", lambda _name: False)
            done = shop.wishes.get(shop.wish_id)
        faults += [] if done.state == "ready" else [f"{done.state} ({done.reason_code})"]
        faults += [] if files_of(shop.media_root) == expected else ["other files"]
        faults += [f"left at work: {path.name}" for path in (shop.media_root / "work").iterdir()]
        kills.faults += [f"{call} {number}: {one}" for one in faults]
        shutil.rmtree(home)
    return kills
