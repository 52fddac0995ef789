"""The store on SQLite: one file, one table for each collection, a document as JSON text."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from kinodom_common.store.port import AlreadyThere, Document, Documents, Range, Scalar, Shape, Stale, StoreUnavailable

T = TypeVar("T")

_BUSY_TIMEOUT_S = 5.0
_DUPLICATE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")

# Connections of the process that forked us. To close one here would take the parent's locks away, so they are kept.
_inherited: list[object] = []
# Files are made one after another: a connection is opened before or after that, never while the file is open.
_making = threading.Lock()
os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


class SqliteStore:
    """One file. Each thread has a connection of its own, opened after a fork."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        durable = options.pop("durable", "normal")
        if parts.netloc or not parts.path.startswith("//") or options or durable not in ("normal", "full"):
            raise ValueError("write sqlite:////absolute/path.sqlite, and ?durable=full or nothing after it")
        self._path = Path(unquote(parts.path[1:]))
        self._synchronous = durable.upper()
        self._links: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def collection(self, name: str, *, indexed: Sequence[str] = (), unique: Sequence[str] = ()) -> Documents:
        """Return a collection, with its fields declared."""
        return SqliteDocuments(self, Shape.of(name, indexed, unique))

    def ping(self) -> None:
        """Return when the file can be read; raise StoreUnavailable when it cannot."""
        self.run(lambda link: link.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone())

    def close(self) -> None:
        """Close this process's connections."""
        with self._lock:
            links = list(self._links.values()) if self._pid == os.getpid() else []
            self._links.clear()
        for link in links:
            link.close()

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the work returns. SQLite's troubles, other than duplicates, come out as StoreUnavailable."""
        try:
            return work(self._link())
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as exc:
            raise StoreUnavailable(f"The database file could not be used ({exc}). Nothing was written.") from exc

    def _link(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            _inherited.append(self._links)
            self._links, self._lock, self._pid = {}, threading.Lock(), os.getpid()
        thread = threading.current_thread()
        link = self._links.get(thread)
        if link is None:
            link = self._connect()
            with self._lock:
                gone = [self._links.pop(other) for other in list(self._links) if not other.is_alive()]
                self._links[thread] = link
            for old in gone:
                old.close()
        return link

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _make_file(self._path)
        link = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            link.execute(f"PRAGMA busy_timeout={int(_BUSY_TIMEOUT_S * 1000)}")
            _switch_to_wal(link)
            link.execute(f"PRAGMA synchronous={self._synchronous}")
        except sqlite3.Error:
            link.close()
            raise
        return link


def _make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, unless there is one.

    A file that may be in use is never opened here: to close it again would take away every lock that this process has
    on it, and the next process that leaves would think it is the last and delete the log.
    """
    with _making:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return


def _switch_to_wal(link: sqlite3.Connection) -> None:
    """Several processes that switch a new file at once get "locked" without any wait: try until it is done."""
    deadline_s = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            link.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)


class SqliteDocuments:
    """One table: id, version, body. Declared fields are indexes on `json_extract`."""

    def __init__(self, store: SqliteStore, shape: Shape) -> None:
        self.name = shape.name
        self._store = store
        self._shape = shape
        self._made = False

    def insert(self, document: Document) -> Document:
        """Store a new document and return it with its version."""
        stored = self._shape.prepared(document, 1)
        sql = f"INSERT INTO {self.name} (id, version, body) VALUES (?, 1, ?)"
        self._write(sql, (stored["_id"], _text(stored)))
        return self._shape.restored(stored)

    def get(self, document_id: str) -> Document | None:
        """Return the document, or `None`."""
        found = self._read("WHERE id = ?", (document_id,))
        return found[0] if found else None

    def replace(self, document: Document, expected_version: int) -> Document:
        """Write a document over the one of that version and return it."""
        stored = self._shape.prepared(document, expected_version + 1)
        sql = f"UPDATE {self.name} SET version = ?, body = ? WHERE id = ? AND version = ?"
        if not self._write(sql, (expected_version + 1, _text(stored), stored["_id"], expected_version)):
            raise Stale(self.name, stored["_id"])
        return self._shape.restored(stored)

    def delete(self, document_id: str, expected_version: int | None = None) -> bool:
        """Remove a document; False when there was none."""
        if expected_version is None:
            return bool(self._write(f"DELETE FROM {self.name} WHERE id = ?", (document_id,)))
        sql = f"DELETE FROM {self.name} WHERE id = ? AND version = ?"
        if not self._write(sql, (document_id, expected_version)):
            raise Stale(self.name, document_id)
        return True

    def find(
        self,
        equality: Mapping[str, Scalar] | None = None,
        *,
        ranges: Mapping[str, Range] | None = None,
        any_of: Mapping[str, Sequence[Scalar]] | None = None,
        sort: Sequence[str] = (),
        limit: int | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        """Return the documents that meet all conditions."""
        order = self._shape.order(sort)
        where, values = self._where(equality, ranges, any_of)
        if after is not None:
            clause, more = _beyond(order, after)
            where, values = f"{where} AND {clause}", [*values, *more]
        words = ", ".join(f"{_column(field)} {'DESC' if falling else 'ASC'}" for field, falling in order)
        return self._read(f"WHERE {where} ORDER BY {words} LIMIT ?", (*values, -1 if limit is None else limit))

    def count(
        self,
        equality: Mapping[str, Scalar] | None = None,
        *,
        ranges: Mapping[str, Range] | None = None,
        any_of: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> int:
        """Return how many documents meet all conditions."""
        where, values = self._where(equality, ranges, any_of)
        sql = f"SELECT count(*) FROM {self.name} WHERE {where}"
        return int(self._run(lambda link: link.execute(sql, values).fetchone()[0]))

    def _where(
        self,
        equality: Mapping[str, Scalar] | None,
        ranges: Mapping[str, Range] | None,
        any_of: Mapping[str, Sequence[Scalar]] | None,
    ) -> tuple[str, list[Scalar]]:
        self._shape.check_asked(*(equality or {}), *(ranges or {}), *(any_of or {}))
        clauses: list[str] = ["1"]
        values: list[Scalar] = []
        for field, value in (equality or {}).items():
            clauses.append(f"{_column(field)} IS ?")
            values.append(value)
        for field, chosen in (any_of or {}).items():
            present = [value for value in chosen if value is not None]
            marks = ", ".join("?" * len(present))
            nothing = f" OR {_column(field)} IS NULL" if len(present) < len(chosen) else ""
            clauses.append(f"({_column(field)} IN ({marks}){nothing})")
            values += present
        for field, bounds in (ranges or {}).items():
            for sign, value in _signs(bounds):
                kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
                clauses.append(f"{_column(field)} {sign} ? AND typeof({_column(field)}) IN {kinds}")
                values.append(value)
        return " AND ".join(clauses), values

    def _read(self, rest: str, values: Iterable[Scalar]) -> list[Document]:
        sql = f"SELECT body FROM {self.name} {rest}"
        rows = self._run(lambda link: link.execute(sql, tuple(values)).fetchall())
        return [self._shape.restored(json.loads(body)) for (body,) in rows]

    def _write(self, sql: str, values: tuple[Scalar, ...]) -> int:
        try:
            return self._run(lambda link: link.execute(sql, values).rowcount)
        except sqlite3.IntegrityError as exc:
            if exc.sqlite_errorname not in _DUPLICATE:
                raise StoreUnavailable(f"The database file refused a document ({exc}).") from exc
            index = re.search(rf"index '{self.name}_u_(\w+)'", str(exc))
            raise AlreadyThere(self.name, index.group(1) if index else "_id") from exc

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._made:
            self._store.run(lambda link: _make(link, self._shape))
            self._made = True
        return self._store.run(work)


def _make(link: sqlite3.Connection, shape: Shape) -> None:
    name = shape.name
    wanted = {
        name: f"CREATE TABLE IF NOT EXISTS {name} (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) "
        "WITHOUT ROWID"
    }
    for field in shape.indexed:
        wanted[f"{name}_i_{field}"] = f"CREATE INDEX IF NOT EXISTS {name}_i_{field} ON {name}({_column(field)})"
    for field in shape.unique:
        wanted[f"{name}_u_{field}"] = (
            f"CREATE UNIQUE INDEX IF NOT EXISTS {name}_u_{field} ON {name}({_column(field)}) "
            f"WHERE {_column(field)} IS NOT NULL"
        )
    there = {row[0] for row in link.execute("SELECT name FROM sqlite_master").fetchall()}
    if there.issuperset(wanted):
        return
    link.execute("BEGIN IMMEDIATE")
    try:
        for sql in wanted.values():
            link.execute(sql)
        link.execute("COMMIT")
    except sqlite3.Error:
        link.execute("ROLLBACK")
        raise


def _column(field: str) -> str:
    # An index on an expression is used only by the very same text; `body->>'$.x'` is another one.
    return "id" if field == "_id" else f"json_extract(body, '$.{field}')"


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _signs(bounds: Range) -> list[tuple[str, str | int | float]]:
    pairs = ((">", bounds.above), (">=", bounds.at_least), ("<", bounds.below), ("<=", bounds.at_most))
    return [(sign, value) for sign, value in pairs if value is not None]


def _beyond(order: Sequence[tuple[str, bool]], last: Mapping[str, Any]) -> tuple[str, list[Scalar]]:
    """Return the condition "comes after the last document of the page before"."""
    choices: list[str] = []
    values: list[Scalar] = []
    same: list[str] = []
    same_values: list[Scalar] = []
    for field, falling in order:
        column, value = _column(field), last.get(field)
        if value is None:
            step, step_values = ("0" if falling else f"{column} IS NOT NULL"), []
        else:
            step, step_values = (f"({column} < ? OR {column} IS NULL)" if falling else f"{column} > ?"), [value]
        choices.append(" AND ".join([*same, step]))
        values += [*same_values, *step_values]
        same.append(f"{column} IS ?")
        same_values.append(value)
    return "(" + " OR ".join(f"({choice})" for choice in choices) + ")", values
