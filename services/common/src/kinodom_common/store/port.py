"""What a store promises, the errors it raises, and the values it takes. No engine in here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kinodom_common.errors import Conflict, Rejected, UpstreamFailed

Document = dict[str, Any]
"""JSON values under string keys; `_id` is a natural id and `version` belongs to the store (1 after the insert)."""

Scalar = str | int | float | None
"""What a declared field may hold. No truth values: the engines disagree about whether `true` is `1`."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_INT_LIMIT = 2**63  # both engines hold 64 signed bits
_DEPTH_LIMIT = 40


class StoreUnavailable(UpstreamFailed):
    """The store did not answer, or could not write."""

    code = "store_unavailable"
    title = "The store is not answering"


class AlreadyThere(Conflict):
    """A document with this id, or with this value of a unique field, is there already."""

    code = "already_there"
    title = "Already there"

    def __init__(self, collection: str, field: str) -> None:
        super().__init__(f"{collection}: another document has the same {field}.", field=field)
        self.field = field


class Stale(Conflict):
    """The document was changed or deleted by somebody else in the meantime; nothing was written."""

    code = "stale"
    title = "It has changed meanwhile"

    def __init__(self, collection: str, document_id: str) -> None:
        super().__init__(f"{collection}: {document_id} was changed by somebody else. Nothing was written; try again.")


class Unstorable(Rejected):
    """The document holds something that the engines would not give back as it is."""

    code = "unstorable"
    title = "That cannot be stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Bounds for one field. `None` is no bound. Only values of the bound's kind (number or text) lie inside."""

    above: str | int | float | None = None
    at_least: str | int | float | None = None
    below: str | int | float | None = None
    at_most: str | int | float | None = None


class Documents(Protocol):
    """One collection. Fields in `find` and `count` must be declared when it is opened (`_id` always is).

    A field that is missing and a field that is `None` are the same to every question, and come first in ascending
    order, then numbers, then text by code point. A declared unique field that is missing reads as `None`.
    """

    name: str

    def insert(self, document: Document) -> Document:
        """Store a new document and return it with its version. Raises AlreadyThere, with the field in question."""
        ...

    def get(self, document_id: str) -> Document | None:
        """Return the document, or `None` when there is none."""
        ...

    def replace(self, document: Document, expected_version: int) -> Document:
        """Write a document over the one of that version and return it. Raises Stale or AlreadyThere."""
        ...

    def delete(self, document_id: str, expected_version: int | None = None) -> bool:
        """Remove a document; False when there was none. With a version: raises Stale unless it is that one."""
        ...

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
        """Return the documents that meet all conditions.

        Args:
            sort: field names, `-name` for descending; `_id` ascending settles ties.
            after: the last document of the page before (or its sort fields and `_id`).
        """
        ...

    def count(
        self,
        equality: Mapping[str, Scalar] | None = None,
        *,
        ranges: Mapping[str, Range] | None = None,
        any_of: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> int:
        """Return how many documents meet all conditions."""
        ...


class Store(Protocol):
    """A database of one service. Safe to share between threads; usable after a fork."""

    def collection(self, name: str, *, indexed: Sequence[str] = (), unique: Sequence[str] = ()) -> Documents:
        """Return a collection, with its fields declared. It is made on its first use."""
        ...

    def ping(self) -> None:
        """Return when the store answers; raise StoreUnavailable when it does not."""
        ...

    def close(self) -> None:
        """Close this process's connections. A later call opens them anew."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """A collection's name and declared fields, and the checks that follow from them."""

    name: str
    indexed: tuple[str, ...]
    unique: tuple[str, ...]

    @classmethod
    def of(cls, name: str, indexed: Sequence[str], unique: Sequence[str]) -> Shape:
        """Return the shape. Raises ValueError for a name that an engine might read as something else."""
        for word in (name, *indexed, *unique):
            if not NAME.fullmatch(word) or word == "version":
                raise ValueError(f"{word!r} cannot name a collection or a field")
        return cls(name, tuple(indexed), tuple(unique))

    def check_asked(self, *fields: str) -> None:
        """Raise ValueError when a question uses a field that was not declared: it would read every document."""
        for field in fields:
            if field != "_id" and field not in self.indexed and field not in self.unique:
                raise ValueError(f"{self.name}: the field {field!r} was not declared as indexed or unique")

    def prepared(self, document: Document, version: int) -> Document:
        """Return the document as it is stored. Raises Unstorable."""
        document_id = document.get("_id")
        if not isinstance(document_id, str) or not document_id or "\x00" in document_id or len(document_id) > 900:
            raise Unstorable(f"{self.name}: a document needs a text of 1 to 900 characters as its _id")
        for field in (*self.indexed, *self.unique):
            _check_declared(field, document.get(field))
        check_value(document, "document", 0)
        absent = {field for field in self.unique if document.get(field) is None}
        return {key: value for key, value in document.items() if key not in absent} | {"version": version}

    def restored(self, document: Document) -> Document:
        """Return a stored document as its reader sees it."""
        for field in self.unique:
            document.setdefault(field, None)
        return document

    def order(self, sort: Sequence[str]) -> list[tuple[str, bool]]:
        """Return pairs of field and "descending", closed by `_id`."""
        pairs = [(word.removeprefix("-"), word.startswith("-")) for word in sort]
        self.check_asked(*(field for field, _ in pairs))
        return pairs if any(field == "_id" for field, _ in pairs) else [*pairs, ("_id", False)]


def _check_declared(field: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise Unstorable(f"{field}: a declared field holds a text, a number or nothing")
    if isinstance(value, str) and ("\x00" in value or len(value) > 4000):
        raise Unstorable(f"{field}: a declared text has no NUL and at most 4000 characters")


def check_value(value: object, where: str, depth: int) -> None:
    """Raise Unstorable unless the value is plain JSON that both engines give back unchanged."""
    if depth > _DEPTH_LIMIT:
        raise Unstorable(f"{where}: nested too deep")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise Unstorable(f"{where}: the number does not fit into 64 bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Unstorable(f"{where}: not a finite number")
    elif isinstance(value, list):
        for item in value:
            check_value(item, where, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key or key[0] == "$" or "." in key or "\x00" in key:
                raise Unstorable(f"{where}: {key!r} cannot be a key (empty, dot, NUL or leading dollar sign)")
            _check_text(key, where)
            check_value(item, key, depth + 1)
    else:
        raise Unstorable(f"{where}: {type(value).__name__} is not a JSON value (write instants as ISO 8601 text)")


def _check_text(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise Unstorable(f"{where}: half a character (a lone surrogate)") from exc
