"""What the racing processes of the store's suite do. Run by `spawn`, so it is importable and takes plain values."""

from __future__ import annotations

from typing import Any

from kinodom_common.store import AlreadyThere, Document, change, open_store


def claim_all(url: str, number: int, barrier: Any, results: Any) -> None:
    """Claim every wanted document; put the list of those won."""
    store = open_store(url)
    documents = store.collection("things", indexed=("state", "rank"), unique=("slug",))
    won: list[str] = []
    barrier.wait()
    for document in documents.find(sort=("_id",)):

        def claim(found: Document) -> Document | None:
            return found | {"state": "claimed", "by": number} if found["state"] == "wanted" else None

        after = change(documents, document["_id"], claim)
        if after["by"] == number:
            won.append(document["_id"])
    results.put(won)
    store.close()


def insert_slugs(url: str, number: int, barrier: Any, results: Any) -> None:
    """Insert the same twenty slugs under ids of our own; put those made and the count of those refused."""
    store = open_store(url)
    documents = store.collection("things", indexed=("state", "rank"), unique=("slug",))
    made, refused = [], 0
    barrier.wait()
    for n in range(20):
        try:
            made.append(documents.insert({"_id": f"p{number}-{n}", "slug": f"slug{n}"})["_id"])
        except AlreadyThere as exc:
            refused += exc.field == "slug"
    results.put((made, refused))
    store.close()


def count_up(url: str, number: int, barrier: Any, results: Any) -> None:
    """Add one, 25 times, to a counter that somebody has to begin; put how often it worked."""
    store = open_store(url)
    documents = store.collection("things", indexed=("state", "rank"), unique=("slug",))
    barrier.wait()
    for _ in range(25):
        change(documents, "counter", lambda found: found | {"n": found["n"] + 1}, start={"n": 0}, tries=2000)
    results.put(25)
    store.close()
