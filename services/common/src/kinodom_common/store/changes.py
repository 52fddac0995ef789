"""The one way to change a document: load, change in plain Python, replace if the version is the same, else again."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from random import SystemRandom

from kinodom_common.errors import NotFound
from kinodom_common.store.port import AlreadyThere, Document, Documents, Stale

_RANDOM = SystemRandom()
_LONGEST_PAUSE_S = 0.1


class NotStored(NotFound):
    """There is no document with this id."""

    code = "not_stored"

    def __init__(self, collection: str, document_id: str) -> None:
        super().__init__(f"{collection}: there is no {document_id}.")


def change(
    documents: Documents,
    document_id: str,
    fn: Callable[[Document], Document | None],
    *,
    start: Document | None = None,
    tries: int = 60,
    pause: Callable[[float], None] = time.sleep,
) -> Document:
    """Change one document and return it as it stands afterwards.

    Args:
        fn: gets a copy of its own, and returns what to store; `None` leaves the document as it is. It may be called
            several times, so it changes nothing else.
        start: what to give to `fn`, and then insert, when there is no such document.
        tries: rounds before giving up; the pauses between them grow to a tenth of a second, with jitter.

    Raises:
        NotStored: there is no such document and no `start`.
        Stale: somebody else was faster in every round.
    """
    for round_ in range(tries):
        if round_:
            pause(_RANDOM.uniform(0, min(_LONGEST_PAUSE_S, 0.001 * 2**round_)))
        stored = documents.get(document_id)
        if stored is None and start is None:
            raise NotStored(documents.name, document_id)
        before = stored if stored is not None else {**(start or {}), "_id": document_id}
        after = fn(copy.deepcopy(before))
        if after is None:
            return before
        try:
            return documents.insert(after) if stored is None else documents.replace(after, stored["version"])
        except Stale:
            continue
        except AlreadyThere as exc:
            if stored is not None or exc.field != "_id":
                raise
    raise Stale(documents.name, document_id)
