"""Wishes in the store: one document each, changed by load, plain Python, and replace if nobody was quicker."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from kinodom_common.contracts.wishes import Progress, WishRequest, WishState
from kinodom_common.store import AlreadyThere, NotStored, Stale, change
from kinodom_downloader.domain.wishes import NoSuchWish, StoredWish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kinodom_common.store import Documents, Store

UNFINISHED = ("wanted", "running", "publishing", "waiting", "paused")
STATES: tuple[WishState, ...] = get_args(WishState)
TURN = "claims"
PLAIN = tuple(
    field.name for field in fields(StoredWish) if field.name not in ("wish_id", "request", "progress", "version")
)


class StoredWishes:
    """The port `Wishes` over any engine of the store."""

    def __init__(self, store: Store) -> None:
        self._turns: Documents = store.collection("turns")
        self._documents: Documents = store.collection("wishes", indexed=("state", "asked_at_s"))

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

    def counts(self) -> dict[WishState, int]:
        """Return how many wishes are in each state."""
        return {state: self._documents.count({"state": state}) for state in STATES}

    def forget(self, wish_id: str) -> None:
        """Delete a wish; raises NoSuchWish."""
        if not self._documents.delete(wish_id):
            raise _no_such(wish_id)

    def turn(self) -> int:
        """Return the number of the turn in which wishes are claimed."""
        stored = self._turns.get(TURN)
        return int(stored["version"]) if stored else 0

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since `seen` was read."""
        try:
            if seen:
                self._turns.replace({"_id": TURN}, seen)
            else:
                self._turns.insert({"_id": TURN})
        except (AlreadyThere, Stale):
            return False
        return True

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
    document["_id"] = wish.wish_id
    document["version"] = wish.version
    document["request"] = wish.request.model_dump(mode="json")
    document["progress"] = wish.progress.model_dump(mode="json")
    return document


def _wish(document: dict[str, Any]) -> StoredWish:
    return StoredWish(
        wish_id=document["_id"],
        request=WishRequest.model_validate(document["request"], strict=False),
        progress=Progress.model_validate(document["progress"]),
        version=document["version"],
        **{"position": document["asked_at_s"]} | {name: document[name] for name in PLAIN if name in document},
    )
