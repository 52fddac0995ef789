"""Documents with a version, on SQLite or MongoDB, with one meaning on both.

    store = open_store("sqlite:////var/lib/kinodom/catalogue.sqlite")
    titles = store.collection("titles", indexed=("added_at",), unique=("slug",))
    change(titles, "t1", rename)

Only the engine that the address names is imported.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from kinodom_common.store.changes import NotStored, change
from kinodom_common.store.port import (
    AlreadyThere,
    Document,
    Documents,
    Range,
    Scalar,
    Stale,
    Store,
    StoreUnavailable,
    Unstorable,
)

__all__ = [
    "AlreadyThere",
    "Document",
    "Documents",
    "NotStored",
    "Range",
    "Scalar",
    "Stale",
    "Store",
    "StoreUnavailable",
    "Unstorable",
    "change",
    "open_store",
]


def open_store(url: str) -> Store:
    """Return the store at an address; nothing is connected to before the first call.

    Args:
        url: `sqlite:////absolute/path.sqlite` (with `?durable=full`: an answered write also survives a power cut)
            or `mongodb://host:27017/database`.

    Raises:
        ValueError: the address names no engine, no absolute path or no database.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from kinodom_common.store.sqlite import SqliteStore

        return SqliteStore(url)
    if scheme == "mongodb":
        from kinodom_common.store.mongo import MongoStore

        return MongoStore(url)
    raise ValueError("a store's address begins with sqlite:// or mongodb://")
