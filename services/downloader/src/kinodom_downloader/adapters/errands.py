"""Errands in the store: one document per video, until it is done."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kinodom_common.store import Stale, change
from kinodom_downloader.domain.removing import Errand

if TYPE_CHECKING:
    from kinodom_common.store import Documents, Store

MOST = 1000  # looked at in one sweep


class StoredErrands:
    """The port `Errands` over any engine of the store."""

    def __init__(self, store: Store) -> None:
        self._documents: Documents = store.collection("errands", indexed=("at_s",))

    def put(self, errand: Errand) -> None:
        """Store an errand in place of an earlier one for the same video."""
        plain = {"kind": errand.kind, "at_s": errand.at_s, "for_good": errand.for_good}
        change(self._documents, errand.video_id, lambda found: {**found, **plain}, start={})

    def every(self) -> list[Errand]:
        """Return all errands, the oldest first."""
        return [
            Errand(video_id=one["_id"], kind=one["kind"], at_s=one["at_s"], for_good=one["for_good"])
            for one in self._documents.find(sort=("at_s",), limit=MOST)
        ]

    def leaving(self, video_id: str) -> bool:
        """Tell whether a video is being removed."""
        found = self._documents.get(video_id)
        return found is not None and found["kind"] == "remove"

    def drop(self, errand: Errand) -> None:
        """Delete this errand; a later one for the same video stays."""
        found = self._documents.get(errand.video_id)
        if found is not None and (found["kind"], found["at_s"]) == (errand.kind, errand.at_s):
            with suppress(Stale):
                self._documents.delete(errand.video_id, found["version"])
