"""Forward migrations of a collection: run once, under a lock, before the service serves.

A collection's schema version is the number of steps that were run on all of its documents. A step is a function from
a document to the changed document, or `None` when there is nothing to do; it must bear to be run again on its own
result, because a process may die in the middle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kinodom_common.errors import Conflict
from kinodom_common.ids import new_id
from kinodom_common.logs import get_log
from kinodom_common.store.changes import change
from kinodom_common.store.port import Document, Documents, Store, StoreUnavailable

log = get_log(__name__)

Step = Callable[[Document], Document | None]

_LEASE_S = 30.0
_PAGE = 200


class SchemaTooNew(Conflict):
    """The store was written by a newer version of the house."""

    code = "schema_too_new"
    title = "The store is newer than this program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time as the migrations see it."""

    now_s: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep


@dataclass(slots=True, kw_only=True)
class Lease:
    """The right to migrate one collection, for half a minute at a time."""

    schemas: Documents
    name: str
    clock: Clock
    owner: str = field(default_factory=new_id)

    def taken(self) -> bool:
        """Return whether the lease is ours now; also renews it."""

        def claim(document: Document) -> Document | None:
            held_by_other = document.get("owner") not in (None, self.owner)
            if held_by_other and document.get("until_s", 0) > self.clock.now_s():
                return None
            return document | {"owner": self.owner, "until_s": self.clock.now_s() + _LEASE_S}

        start = {"_id": self.name, "schema": 0, "owner": None, "until_s": 0.0}
        return bool(change(self.schemas, self.name, claim, start=start)["owner"] == self.owner)

    def finish(self, schema: int) -> None:
        """Note the schema version and let go."""
        change(self.schemas, self.name, lambda found: found | {"schema": schema, "owner": None, "until_s": 0.0})


def migrate(store: Store, documents: Documents, steps: Sequence[Step], *, clock: Clock | None = None) -> None:
    """Bring one collection to the schema of this program.

    Returns when that is done, by us or by another process that started at the same time. A store that does not
    answer yet is waited for, half a minute.

    Raises:
        SchemaTooNew: more steps were run on it than this program knows.
        StoreUnavailable: the store does not answer.
    """
    clock = clock or Clock()
    wait_for(store, clock)
    schemas = store.collection("schemas")
    lease = Lease(schemas=schemas, name=documents.name, clock=clock)
    while True:
        done = int((schemas.get(documents.name) or {"schema": -1})["schema"])
        if done > len(steps):
            raise SchemaTooNew(
                f"{documents.name} has schema {done}, this program knows {len(steps)}. Nothing was changed; "
                "start the newer version, or restore the backup that was made with this one."
            )
        if done == len(steps):
            return
        if lease.taken():
            _run_steps(documents, steps[max(done, 0) :], lease)
            lease.finish(len(steps))
            log.info("collection_migrated", collection=documents.name, schema=len(steps))
            return
        clock.pause(0.2)


def wait_for(store: Store, clock: Clock, patience_s: float = 30.0) -> None:
    """Return when the store answers; raise StoreUnavailable when it did not for that long."""
    deadline_s = clock.now_s() + patience_s
    while True:
        try:
            store.ping()
            return
        except StoreUnavailable:
            if clock.now_s() > deadline_s:
                raise
            clock.pause(1.0)


def _run_steps(documents: Documents, steps: Sequence[Step], lease: Lease) -> None:
    for step in steps:
        page = documents.find(limit=_PAGE)
        while page:
            for document in page:
                change(documents, document["_id"], step)
            lease.taken()
            page = documents.find(limit=_PAGE, after=page[-1])
