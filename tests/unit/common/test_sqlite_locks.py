from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from kinodom_common.store import open_store

# Leaving the write-ahead log needs the file for oneself alone: it goes through only when nobody holds a lock on it.
TAKE_ALL = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode=DELETE'))"


def test_a_thread_that_opens_the_database_does_not_give_up_the_locks_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    notes = open_store(f"sqlite:///{path}").collection("notes")
    notes.insert({"_id": "one"})
    another = threading.Thread(target=lambda: notes.get("one"))
    another.start()
    another.join()

    took = subprocess.run([sys.executable, "-c", TAKE_ALL, str(path)], capture_output=True, text=True, check=False)

    assert "database is locked" in took.stderr, took.stdout
