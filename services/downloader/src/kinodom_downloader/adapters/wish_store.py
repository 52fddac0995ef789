"""Wishes in the store: one document each, changed by load, plain Python, and replace if nobody was quicker."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, get_args

from kinodom_common.contracts.wishes import Progress, WishRequest, WishState
from kinodom_common.store import AlreadyThere, NotStored, Range, Stale, change
from kinodom_common.store.migrations import migrate
from kinodom_downloader.adapters.turns import StoredTurn
from kinodom_downloader.domain.watching import WATCHED_S
from kinodom_downloader.domain.wishes import NoSuchWish, StoredWish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_common.store import Documents, Store

HELD = ("running", "publishing")
QUEUED = ("wanted", "waiting", "paused")
UNFINISHED = (*QUEUED, *HELD)
INDEXED = (
    *("state", "asked_at_s", "changed_at_s", "position", "next_try_at_s", "viewed_at_s", "title_key"),
    "guest",  # 1: only watched; nothing: kept
)
STATES: tuple[WishState, ...] = get_args(WishState)
TURN = "claims"
PLAIN = tuple(
    field.name for field in fields(StoredWish) if field.name not in ("wish_id", "request", "progress", "version")
)


def title_key(external_id: str) -> str:
    """Return what wishes of one title share; ids may be longer than a declared field."""
    return sha256(external_id.encode()).hexdigest()[:32]


def _with_list_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Give a wish of an older schema the fields that lists are made by."""
    missing = {"position": document["asked_at_s"], "viewed_at_s": 0.0}
    return {**missing, **document, "title_key": title_key(document["request"]["external_id"])}


STEPS = (_with_list_fields,)


class StoredWishes:
    """The port `Wishes` over any engine of the store."""

    def __init__(self, store: Store) -> None:
        self._turns = StoredTurn(store, TURN)
        self._store = store
        self._documents: Documents = store.collection("wishes", indexed=INDEXED)

    def migrate(self) -> None:
        """Bring the wishes to this program's schema; waits for a store that is still starting."""
        migrate(self._store, self._documents, STEPS)

    def add(self, wish: StoredWish) -> bool:
        """Store a new wish; false when one with this id is there already."""
        try:
            self._documents.insert(_document(wish))
        except AlreadyThere:
            return False
        return True

    def get(self, wish_id: str) -> StoredWish:
        """Return a wish; raises NoSuchWish."""
        return _wish(self._found(wish_id))

    def change(self, wish_id: str, step: Callable[[StoredWish], StoredWish]) -> StoredWish:
        """Apply a pure step to the newest state until it is stored."""
        self._found(wish_id)
        try:
            return _wish(change(self._documents, wish_id, lambda found: _changed(found, step)))
        except NotStored as exc:  # deleted between the two looks
            raise _no_such(wish_id) from exc

    def some(self, ids: Sequence[str]) -> list[StoredWish]:
        """Return those of these wishes that exist, in the order asked."""
        found = (self._documents.get(wish_id) for wish_id in ids)
        return [_wish(document) for document in found if document is not None]

    def newest(self, limit: int) -> list[StoredWish]:
        """Return the wishes asked for last."""
        return [_wish(document) for document in self._documents.find(sort=("-asked_at_s",), limit=limit)]

    def unfinished(self) -> Iterator[StoredWish]:
        """Return every wish that is neither ready nor refused, the oldest first."""
        found = self._documents.find(any_of={"state": UNFINISHED}, sort=("asked_at_s",), limit=10_000)
        return (_wish(document) for document in found)

    def ids_in(self, states: Sequence[WishState]) -> list[str]:
        """Return the ids of all wishes in these states, in the order of the queue."""
        return [found["_id"] for found in self._documents.find(any_of={"state": states}, sort=("position",))]

    def counts(self) -> dict[WishState, int]:
        """Return how many wishes are in each state."""
        return {state: self._documents.count({"state": state}) for state in STATES}

    def held(self) -> list[StoredWish]:
        """Return the wishes that workers hold, or held when they died."""
        return [_wish(document) for document in self._documents.find(any_of={"state": HELD})]

    def ripe(self, *, now_s: float, limit: int) -> list[StoredWish]:
        """Return so many wishes that are due, those with the best places, and all that are held or watched."""
        watched = self._documents.find(
            any_of={"state": UNFINISHED}, ranges={"viewed_at_s": Range(above=now_s - WATCHED_S)}
        )
        wanted = self._documents.find({"state": "wanted"}, sort=("position",), limit=limit)
        late = self._documents.find(
            {"state": "waiting"}, ranges={"next_try_at_s": Range(at_most=now_s)}, sort=("position",), limit=limit
        )
        found = {document["_id"]: document for document in (*watched, *wanted, *late)}
        return [*self.held(), *(_wish(one) for one in found.values() if one["state"] not in HELD)]

    def line(self, limit: int) -> list[StoredWish]:
        """Return what is not ready: first what is held, then what was refused, then the queue in its order."""
        refused = self._documents.find({"state": "refused"}, sort=("-asked_at_s",), limit=limit)
        queued = self._documents.find(any_of={"state": QUEUED}, sort=("position",), limit=limit)
        return [*self.held(), *(_wish(document) for document in (*refused, *queued))][:limit]

    def done(self, limit: int) -> list[StoredWish]:
        """Return what is ready, the last finished first."""
        found = self._documents.find({"state": "ready"}, sort=("-changed_at_s",), limit=limit)
        return [_wish(document) for document in found]

    def of_title(self, external_id: str, limit: int) -> list[StoredWish]:
        """Return the wishes for what a source calls by this id, the newest first."""
        found = self._documents.find({"title_key": title_key(external_id)}, sort=("-asked_at_s",), limit=limit)
        return [_wish(document) for document in found]

    def guests(self) -> list[StoredWish]:
        """Return the wishes for films that were only watched."""
        return [_wish(document) for document in self._documents.find({"guest": 1})]

    def forget(self, wish: StoredWish) -> bool:
        """Delete a wish that is still as it was read, and return true; false when it has changed or is gone."""
        try:
            return self._documents.delete(wish.wish_id, wish.version)
        except Stale:
            return False

    def turn(self) -> int:
        """Return the number of the turn in which wishes are claimed."""
        return self._turns.turn()

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since `seen` was read."""
        return self._turns.pass_turn(seen)

    def _found(self, wish_id: str) -> dict[str, Any]:
        document = self._documents.get(wish_id)
        if document is None:
            raise _no_such(wish_id)
        return document


def _no_such(wish_id: str) -> NoSuchWish:
    return NoSuchWish("This wish is not in the list any more. It may have been deleted.", wish_id=wish_id)


def _changed(found: dict[str, Any], step: Callable[[StoredWish], StoredWish]) -> dict[str, Any] | None:
    before = _wish(found)
    after = step(before)
    return None if after == before else _document(after)  # nothing to write


def _document(wish: StoredWish) -> dict[str, Any]:
    document: dict[str, Any] = {name: getattr(wish, name) for name in PLAIN}
    document["missing"] = [list(stretch) for stretch in wish.missing]
    document["_id"] = wish.wish_id
    document["version"] = wish.version
    document["title_key"] = title_key(wish.request.external_id)
    document["guest"] = None if wish.keep else 1
    document["request"] = wish.request.model_dump(mode="json")
    document["progress"] = wish.progress.model_dump(mode="json")
    return document


def _wish(document: dict[str, Any]) -> StoredWish:
    plain = {name: document[name] for name in PLAIN if name in document}
    plain["missing"] = tuple((from_s, to_s) for from_s, to_s in document.get("missing", ()))
    return StoredWish(
        wish_id=document["_id"],
        request=WishRequest.model_validate(document["request"], strict=False),
        progress=Progress.model_validate(document["progress"]),
        version=document["version"],
        **{"position": document["asked_at_s"]} | plain,
    )
