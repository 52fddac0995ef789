"""The store on MongoDB: a collection for each collection, a document as a document."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bson.int64 import Int64
from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.collection import Collection
from pymongo.errors import DocumentTooLarge, DuplicateKeyError, PyMongoError
from pymongo.uri_parser import parse_uri

from kinodom_common.store.port import (
    AlreadyThere,
    Document,
    Documents,
    Range,
    Scalar,
    Shape,
    Stale,
    StoreUnavailable,
    Unstorable,
)

T = TypeVar("T")

_ANSWER_TIMEOUT_MS = 5000
_FIND_SERVER_TIMEOUT_MS = 3000

# Clients of the process that forked us: not ours to use or to close.
_inherited: list[object] = []


class MongoStore:
    """One database of one server (or replica set). The client is opened after a fork, at the first call."""

    def __init__(self, url: str) -> None:
        try:
            database = parse_uri(url)["database"]
        except (PyMongoError, ValueError) as exc:
            raise ValueError("write mongodb://host:27017/database") from exc
        if not database:
            raise ValueError("the store's address names no database: write mongodb://host:27017/database")
        self._url = url
        self._database = database
        self._client: MongoClient[Document] | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def collection(self, name: str, *, indexed: Sequence[str] = (), unique: Sequence[str] = ()) -> Documents:
        """Return a collection, with its fields declared."""
        return MongoDocuments(self, Shape.of(name, indexed, unique))

    def ping(self) -> None:
        """Return when the server answers; raise StoreUnavailable when it does not."""
        try:
            self.client().admin.command("ping")
        except PyMongoError as exc:
            raise unavailable(exc) from exc

    def close(self) -> None:
        """Close this process's connections."""
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def client(self) -> MongoClient[Document]:
        """Return this process's client."""
        if self._pid != os.getpid():
            _inherited.append(self._client)
            self._client, self._lock, self._pid = None, threading.Lock(), os.getpid()
        with self._lock:
            if self._client is None:
                self._client = MongoClient(
                    self._url,
                    w="majority",
                    journal=True,
                    connectTimeoutMS=_FIND_SERVER_TIMEOUT_MS,
                    serverSelectionTimeoutMS=_FIND_SERVER_TIMEOUT_MS,
                    socketTimeoutMS=_ANSWER_TIMEOUT_MS,
                    wTimeoutMS=_ANSWER_TIMEOUT_MS,
                    appname="kinodom",
                )
            return self._client

    def raw(self, name: str) -> Collection[Document]:
        """Return the driver's collection."""
        return self.client().get_database(self._database)[name]


def unavailable(exc: PyMongoError) -> StoreUnavailable:
    """Return the error for a server that did not answer or did not want to. Its text holds no address."""
    return StoreUnavailable(f"The database did not do it ({type(exc).__name__}). Try again in a moment.")


class MongoDocuments:
    """One collection of the server."""

    def __init__(self, store: MongoStore, shape: Shape) -> None:
        self.name = shape.name
        self._store = store
        self._shape = shape
        self._made = False

    def insert(self, document: Document) -> Document:
        """Store a new document and return it with its version."""
        stored = self._shape.prepared(document, 1)
        self._run(lambda raw: raw.insert_one(stored))
        return self._shape.restored(stored)

    def get(self, document_id: str) -> Document | None:
        """Return the document, or `None`."""
        found = self._run(lambda raw: raw.find_one({"_id": document_id}))
        return None if found is None else self._shape.restored(_plain(found))

    def replace(self, document: Document, expected_version: int) -> Document:
        """Write a document over the one of that version and return it."""
        stored = self._shape.prepared(document, expected_version + 1)
        condition = {"_id": stored["_id"], "version": expected_version}
        if not self._run(lambda raw: raw.replace_one(condition, stored)).matched_count:
            raise Stale(self.name, stored["_id"])
        return self._shape.restored(stored)

    def delete(self, document_id: str, expected_version: int | None = None) -> bool:
        """Remove a document; False when there was none."""
        condition: dict[str, Any] = {"_id": document_id}
        if expected_version is not None:
            condition["version"] = expected_version
        gone = self._run(lambda raw: raw.delete_one(condition)).deleted_count > 0
        if not gone and expected_version is not None:
            raise Stale(self.name, document_id)
        return gone

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
        if limit == 0:  # MongoDB reads 0 as "all"
            return []
        order = self._shape.order(sort)
        parts = self._parts(equality, ranges, any_of)
        if after is not None:
            parts.append({"$or": _beyond(order, after)})
        condition = {"$and": parts} if parts else {}
        by = [(field, DESCENDING if falling else ASCENDING) for field, falling in order]
        found = self._run(lambda raw: list(raw.find(condition).sort(by).limit(limit or 0)))
        return [self._shape.restored(_plain(document)) for document in found]

    def count(
        self,
        equality: Mapping[str, Scalar] | None = None,
        *,
        ranges: Mapping[str, Range] | None = None,
        any_of: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> int:
        """Return how many documents meet all conditions."""
        parts = self._parts(equality, ranges, any_of)
        return self._run(lambda raw: raw.count_documents({"$and": parts} if parts else {}))

    def _parts(
        self,
        equality: Mapping[str, Scalar] | None,
        ranges: Mapping[str, Range] | None,
        any_of: Mapping[str, Sequence[Scalar]] | None,
    ) -> list[dict[str, Any]]:
        self._shape.check_asked(*(equality or {}), *(ranges or {}), *(any_of or {}))
        parts: list[dict[str, Any]] = [{field: {"$eq": value}} for field, value in (equality or {}).items()]
        parts += [{field: {"$in": list(chosen)}} for field, chosen in (any_of or {}).items()]
        parts += [{field: _signs(bounds)} for field, bounds in (ranges or {}).items() if _signs(bounds)]
        return parts

    def _run(self, work: Callable[[Collection[Document]], T]) -> T:
        try:
            raw = self._store.raw(self.name)
            if not self._made:
                _make(raw, self._shape)
                self._made = True
            return work(raw)
        except DuplicateKeyError as exc:
            raise AlreadyThere(self.name, _field_of(exc)) from exc
        except DocumentTooLarge as exc:
            raise Unstorable(f"{self.name}: the document is larger than the database takes") from exc
        except PyMongoError as exc:
            raise unavailable(exc) from exc


def _make(raw: Collection[Document], shape: Shape) -> None:
    for field in shape.indexed:
        raw.create_index([(field, ASCENDING)], name=f"i_{field}")
    for field in shape.unique:
        # Sparse: documents without the field do not meet each other. `Shape.prepared` leaves an empty one out.
        raw.create_index([(field, ASCENDING)], name=f"u_{field}", unique=True, sparse=True)


def _field_of(exc: DuplicateKeyError) -> str:
    index = re.search(r"index: (?:\S*\.)?(?:\$)?u_([a-z][a-z0-9_]*)", str((exc.details or {}).get("errmsg", exc)))
    return index.group(1) if index else "_id"


def _signs(bounds: Range) -> dict[str, Any]:
    pairs = {"$gt": bounds.above, "$gte": bounds.at_least, "$lt": bounds.below, "$lte": bounds.at_most}
    return {sign: value for sign, value in pairs.items() if value is not None}


def _beyond(order: Sequence[tuple[str, bool]], last: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the choices of "comes after the last document of the page before".

    `$gt` and `$lt` see only values of the same kind, so the kinds beyond are named: nothing < numbers < text.
    """
    choices: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    for field, falling in order:
        value = last.get(field)
        steps: list[dict[str, Any]] = []
        if value is None:
            steps = [] if falling else [{field: {"$ne": None}}]
        elif falling:
            steps = [{field: {"$lt": value}}, {field: {"$eq": None}}]
            steps += [{field: {"$type": ["int", "long", "double"]}}] if isinstance(value, str) else []
        else:
            steps = [{field: {"$gt": value}}]
            steps += [] if isinstance(value, str) else [{field: {"$type": "string"}}]
        choices += [{"$and": [*same, step]} for step in steps]
        same = [*same, {field: {"$eq": value}}]
    return choices or [{"_id": {"$exists": False}}]


def _plain(value: Any) -> Any:
    """Return the value with the driver's own number type turned into Python's."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, Int64) else value
