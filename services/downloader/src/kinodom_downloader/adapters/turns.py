"""Turns in the store: of two workers that looked at the same time only one passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.store import AlreadyThere, Stale

if TYPE_CHECKING:
    from kinodom_common.store import Documents, Store


class StoredTurn:
    """A number that grows by one with each claim."""

    def __init__(self, store: Store, name: str) -> None:
        self._documents: Documents = store.collection("turns")
        self._name = name

    def turn(self) -> int:
        """Return the number of the turn that is now."""
        stored = self._documents.get(self._name)
        return int(stored["version"]) if stored else 0

    def pass_turn(self, seen: int) -> bool:
        """Begin the next turn; false when somebody else has begun it since `seen` was read."""
        try:
            if seen:
                self._documents.replace({"_id": self._name}, seen)
            else:
                self._documents.insert({"_id": self._name})
        except (AlreadyThere, Stale):
            return False
        return True
