"""A limit of connections to one host holds for all films together, and none of them starves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinodom_downloader.adapters.connections import HostSlots, SharedConnections
from kinodom_downloader.adapters.engine import Transport
from kinodom_downloader.adapters.patience import Limits
from kinodom_downloader.domain.faults import Stopped
from tests.support import origin
from tests.support.fetching import bytes_of, fetch_from, transport_for
from tests.support.origin import Answer, Origin, moved

PACKET = b"\x47\x1f\xff\x10" + b"\0" * 184
PIECES = 40
PACE_S = 0.01
PATIENT = Limits()


class Guest:
    """Counts how many requests a host has before it at once."""

    def __init__(self, host: Origin) -> None:
        self.now = self.most = 0
        self._host = host
        host.faults["*"] = self

    def __call__(self, _answer: Answer, _number: int) -> bool:
        with self._host.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self._host.gate.wait(PACE_S)  # a host that takes its time
        with self._host.lock:
            self.now -= 1
        return False


def put_film(host: Origin, name: str, *, at: str = "") -> bytes:
    """Serve a film, and return it. `at`: its segments' host."""
    parts = [PACKET * (index + 1) for index in range(PIECES)]
    rows = [f"#EXTINF:2,\n{at}/{name}/{index}.ts" for index in range(PIECES)]
    host.files[f"/{name}.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()
    host.files |= {f"/{name}/{index}.ts": part for index, part in enumerate(parts)}
    return b"".join(parts)


def limited(folder: Path, most: int, *hosts: Origin) -> Transport:
    """Return how one process reaches hosts."""
    transport = transport_for(*hosts)
    return replace(transport, hosts=SharedConnections(transport.rules, HostSlots(folder, most)))


@pytest.fixture
def host() -> Iterator[Origin]:
    with origin.origin() as server:
        yield server


@contextmanager
def held(folder: Path, most: int, host: Origin) -> Iterator[subprocess.Popen[bytes]]:
    """Let another process hold all connections to a host."""
    ask = (
        "import sys, pathlib\n"
        "from kinodom_downloader.adapters.connections import HostSlots\n"
        "slots = HostSlots(pathlib.Path(sys.argv[1]), int(sys.argv[2]))\n"
        "print([slots.take(sys.argv[3]) for _ in range(slots.most)], flush=True)\n"
        "input()\n"
    )
    words = [sys.executable, "-c", ask, str(folder), str(most), f"127.0.0.1:{host.port}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"None" not in process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_host_never_sees_more_requests_at_once_than_the_limit(host: Origin, tmp_path: Path, most: int) -> None:
    film, guest = put_film(host, "film"), Guest(host)

    fetched = fetch_from(host, "/film.m3u8", tmp_path / "a", workers=8, transport=limited(tmp_path / "h", most, host))

    assert bytes_of(fetched.tracks[0]) == film
    assert guest.most == most


def test_connections_go_from_thread_to_thread_and_stay_open(host: Origin, tmp_path: Path) -> None:
    put_film(host, "film")

    fetch_from(host, "/film.m3u8", tmp_path / "a", workers=8, transport=limited(tmp_path / "h", 2, host))

    assert host.connections == 2


def test_two_films_at_once_share_the_limit(host: Origin, tmp_path: Path) -> None:
    films, guest = [put_film(host, name) for name in "ab"], Guest(host)

    with ThreadPoolExecutor() as both:
        fetched = list(
            both.map(
                lambda name: fetch_from(
                    host, f"/{name}.m3u8", tmp_path / name, workers=8, transport=limited(tmp_path / "h", 2, host)
                ),
                "ab",
            )
        )

    assert [bytes_of(one.tracks[0]) for one in fetched] == films
    assert guest.most == 2


@pytest.mark.parametrize("most", [1, 2])
def test_a_film_that_begins_later_gets_its_part(host: Origin, tmp_path: Path, most: int) -> None:
    put_film(host, "first")
    put_film(host, "later")
    guest, began = Guest(host), threading.Event()

    def counted(answer: Answer, number: int) -> bool:
        if answer.path == "/first/4.ts":
            began.set()
        return guest(answer, number)

    host.faults["*"] = counted

    with ThreadPoolExecutor() as both:
        first = both.submit(
            fetch_from, host, "/first.m3u8", tmp_path / "a", transport=limited(tmp_path / "h", most, host)
        )
        assert began.wait(30)
        later = both.submit(
            fetch_from, host, "/later.m3u8", tmp_path / "b", transport=limited(tmp_path / "h", most, host)
        )
        first.result(), later.result()

    asked = [path for path, _ in host.heads]
    assert asked.index("/later/0.ts") < asked.index(f"/first/{PIECES - 1}.ts")
    assert guest.most == most


def test_hosts_are_counted_one_by_one(host: Origin, tmp_path: Path) -> None:
    with origin.origin() as other:
        film = put_film(host, "film", at=other.address)
        other.files, both = host.files, threading.Barrier(2)
        rows = [f"#EXTINF:2,\n{(host if index % 2 else other).address}/film/{index}.ts" for index in range(PIECES)]
        host.files["/film.m3u8"] = "\n".join(["#EXTM3U", *rows, "#EXT-X-ENDLIST"]).encode()

        def together(_answer: Answer, _number: int) -> bool:
            both.wait(30)
            return False

        host.faults["/film/1.ts"] = other.faults["/film/0.ts"] = together
        transport = limited(tmp_path / "h", 1, host, other)

        fetched = fetch_from(host, "/film.m3u8", tmp_path / "a", transport=replace(transport, limits=PATIENT))

    assert bytes_of(fetched.tracks[0]) == film


def test_a_redirect_to_another_host_waits_for_no_connection_of_its_own(host: Origin, tmp_path: Path) -> None:
    with origin.origin() as other:
        film = put_film(other, "film")
        host.files["/film.m3u8"] = other.files["/film.m3u8"]
        for index in range(PIECES):
            host.faults[f"/film/{index}.ts"] = moved(f"{other.address}/film/{index}.ts")
        guest = Guest(other)

        fetched = fetch_from(
            host, "/film.m3u8", tmp_path / "a", transport=limited(tmp_path / "h", 1, host, other), workers=6
        )

    assert bytes_of(fetched.tracks[0]) == film
    assert guest.most == 1


def test_a_process_that_is_killed_lets_go(host: Origin, tmp_path: Path) -> None:
    film = put_film(host, "film")

    with ThreadPoolExecutor() as pool, held(tmp_path / "h", 2, host) as holder:
        fetched = pool.submit(
            fetch_from, host, "/film.m3u8", tmp_path / "a", transport=limited(tmp_path / "h", 2, host)
        )
        holder.kill()
        fetched.result(30)

    assert bytes_of(fetched.result().tracks[0]) == film


def test_whoever_waits_for_a_connection_can_be_stopped(host: Origin, tmp_path: Path) -> None:
    put_film(host, "film")
    transport, asked = limited(tmp_path / "h", 1, host), iter([False, False, False])

    with held(tmp_path / "h", 1, host), pytest.raises(Stopped):
        fetch_from(host, "/film.m3u8", tmp_path / "a", transport=transport, should_stop=lambda: next(asked, True))

    assert host.connections == 0


def test_when_a_film_is_there_its_connections_are_free_again(host: Origin, tmp_path: Path) -> None:
    put_film(host, "film")
    slots = HostSlots(tmp_path / "h", 2)

    fetch_from(host, "/film.m3u8", tmp_path / "a", transport=limited(tmp_path / "h", 2, host))

    taken = [slots.take(f"127.0.0.1:{host.port}") for _ in range(3)]
    for handle in filter(None, taken):
        os.close(handle)
    assert [handle is not None for handle in taken] == [True, True, False]
