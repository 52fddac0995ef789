"""A process keeps its hold on the database file, however many threads it has and whoever else comes and goes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kinodom_common.store import open_store
from tests.support.child_processes import python

if TYPE_CHECKING:
    from pathlib import Path

GUEST = """
import sys
from kinodom_common.store import open_store
store = open_store(sys.argv[1])
things = store.collection("things")
things.insert({"_id": sys.argv[2]})
print(things.count())
store.close()
"""


def guest(url: str, name: str) -> str:
    """Let another process insert something, count, and leave as one does who thinks to be the last."""
    told, complaints = python(GUEST, url, name).communicate(timeout=60)
    assert complaints == ""
    return told.strip()


def test_another_process_that_leaves_does_not_take_the_log_from_one_with_several_threads(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/things.sqlite"
    store, may_end = open_store(url), threading.Event()
    things = store.collection("things")
    things.insert({"_id": "mine"})
    connected = threading.Event()

    def connect_too() -> None:
        things.count()
        connected.set()
        may_end.wait(60)

    other = threading.Thread(target=connect_too)
    other.start()
    connected.wait(60)

    first = guest(url, "guest-1")
    log_is_there = (tmp_path / "things.sqlite-wal").exists()
    things.insert({"_id": "mine-too"})
    second = guest(url, "guest-2")

    may_end.set()
    other.join()
    store.close()
    assert log_is_there
    assert (first, second) == ("2", "4")
