"""Remakes in the store: one document per film, until it is done."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from kinodom_common.store import AlreadyThere, NotStored, change
from kinodom_downloader.adapters.turns import StoredTurn
from kinodom_downloader.domain.remakes import NoSuchRemake, Remake

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.store import Documents, Store

MOST = 500
_PLAIN = tuple(field.name for field in fields(Remake) if field.name not in ("video_id", "heights_px"))


class StoredRemakes:
    """The port `Remakes` over any engine of the store."""

    def __init__(self, store: Store) -> None:
        self._documents: Documents = store.collection("remakes", indexed=("state", "asked_at_s"))
        self.turns = StoredTurn(store, "remakes")

    def add(self, remake: Remake) -> bool:
        """Store a new one; false when the film has one already."""
        try:
            self._documents.insert(_document(remake))
        except AlreadyThere:
            return False
        return True

    def get(self, video_id: str) -> Remake:
        """Return the one of a film; raises NoSuchRemake."""
        found = self._documents.get(video_id)
        if found is None:
            raise _no_such()
        return _remake(found)

    def change(self, video_id: str, step: Callable[[Remake], Remake]) -> Remake:
        """Apply a pure step to the newest state until it is stored; raises NoSuchRemake."""
        self.get(video_id)
        try:
            return _remake(change(self._documents, video_id, lambda found: _document(step(_remake(found)))))
        except NotStored as exc:
            raise _no_such() from exc

    def every(self) -> list[Remake]:
        """Return them in the order in which they come."""
        return [_remake(one) for one in self._documents.find(sort=("asked_at_s",), limit=MOST)]

    def in_line(self) -> list[Remake]:
        """Return those that are not refused, the oldest first; a few of many."""
        states = ("running", "wanted", "waiting")
        return [
            _remake(one) for one in self._documents.find(any_of={"state": states}, sort=("asked_at_s",), limit=MOST)
        ]

    def drop(self, video_id: str) -> None:
        """Delete one, if it is there."""
        self._documents.delete(video_id)


def _no_such() -> NoSuchRemake:
    return NoSuchRemake("No further quality of this film is on its way.")


def _document(remake: Remake) -> dict[str, Any]:
    document = asdict(remake)
    return {**document, "_id": document.pop("video_id"), "heights_px": list(remake.heights_px)}


def _remake(document: dict[str, Any]) -> Remake:
    plain = {name: document[name] for name in _PLAIN if name in document}
    return Remake(video_id=document["_id"], heights_px=tuple(document["heights_px"]), **plain)
