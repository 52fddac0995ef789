"""Titles, videos and aliases in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from kinodom_catalogue.domain.ports import NoSuchTitle, StoredTitle, Which
from kinodom_common.contracts.videos import Title, Video
from kinodom_common.store import AlreadyThere, Document, NotStored, Range, Scalar, Stale, Store, change
from kinodom_common.store.migrations import Step, migrate

SORTED_BY = {"added": "-added_at", "name": "name_key", "year": "-year", "size": "-size_bytes"}


def _with_list_fields(document: Document) -> Document:
    """Give a title of an older schema the fields that lists are made by."""
    return document | _list_fields(document["title"])


TITLE_STEPS: tuple[Step, ...] = (_with_list_fields,)
VIDEO_STEPS: tuple[Step, ...] = ()
ALIAS_STEPS: tuple[Step, ...] = ()

_MARK = "titles"
_TRIES = 60


def instant(value: datetime) -> str:
    """Return an instant as text that sorts as it goes: UTC, microseconds, always the same length."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Mark:
    """How often anything about titles has changed, and how often one was deleted."""

    changes: int = 0
    deletions: int = 0


class StoreShelf:
    """The shelf on the house's store."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._titles = store.collection(
            "titles",
            indexed=(
                *("added_at", "enrich_state", "next_try_at", "touched_at"),
                *("name_key", "year", "size_bytes", "kind", "on_disk"),
            ),
        )
        self._videos = store.collection("videos", indexed=("title_id", "published_at"))
        self._aliases = store.collection("aliases", indexed=("title_id",))
        self._marks = store.collection("marks")

    def migrate(self) -> None:
        """Bring the collections to this program's schema; waits for a store that is still starting."""
        migrate(self._store, self._titles, TITLE_STEPS)
        migrate(self._store, self._videos, VIDEO_STEPS)
        migrate(self._store, self._aliases, ALIAS_STEPS)

    def title(self, title_id: str) -> StoredTitle | None:
        """Return a title."""
        found = self._titles.get(title_id)
        return None if found is None else _title(found)

    def change_title(
        self, title_id: str, fn: Callable[[StoredTitle], StoredTitle], *, start: StoredTitle | None = None
    ) -> StoredTitle:
        """Change a title, or begin it, and return it. An equal result writes nothing."""
        wrote = False

        def step(document: Document) -> Document | None:
            nonlocal wrote
            before = _title(document)
            after = fn(before)
            wrote = after != before or "version" not in document
            return self._document(after) if wrote else None

        begin = None if start is None else self._document(start)
        try:
            document = change(self._titles, title_id, step, start=begin, tries=_TRIES)
        except NotStored as exc:
            raise NoSuchTitle("The catalogue has no such title. Its videos may have been deleted.") from exc
        if wrote:
            self._bump(deleted=False)
        return _title(document)

    def drop_title_if(self, title_id: str, fn: Callable[[StoredTitle], bool]) -> bool:
        """Delete a title if the rule says so of it as it stands."""
        for _ in range(_TRIES):
            document = self._titles.get(title_id)
            if document is None or not fn(_title(document)):
                return False
            try:
                self._titles.delete(title_id, document["version"])
            except Stale:
                continue
            self._bump(deleted=True)
            return True
        raise Stale("titles", title_id)

    def listed(self, which: Which, limit: int, after: str | None) -> list[StoredTitle]:
        """Return titles in the order asked for, from behind the title `after`."""
        last = None if after is None else self._titles.get(after)
        found = self._titles.find(_asked(which), sort=(SORTED_BY[which.order or "added"],), limit=limit, after=last)
        return [_title(document) for document in found]

    def titles_count(self, which: Which) -> int:
        """Return how many titles there are of this kind."""
        return self._titles.count(_asked(which))

    def due(self, now: datetime, limit: int) -> list[StoredTitle]:
        """Return titles that wait for enrichment and may be tried now."""
        ranges = {"next_try_at": Range(at_most=instant(now))}
        found = self._titles.find({"enrich_state": "waiting"}, ranges=ranges, sort=("next_try_at",), limit=limit)
        return [_title(document) for document in found]

    def without_facts(self) -> list[StoredTitle]:
        """Return the titles nobody knew anything of, or nobody was asked about."""
        return [_title(found) for found in self._titles.find(any_of={"enrich_state": ["nothing", "off"]})]

    def title_id_of(self, alias: str) -> str | None:
        """Return the title known under another name."""
        found = self._aliases.get(alias_key(alias))
        return None if found is None else str(found["title_id"])

    def claim_alias(self, alias: str, title_id: str) -> str:
        """Note the name for a title unless it is taken; return whose it is now."""
        try:
            return str(self._aliases.insert({"_id": alias_key(alias), "title_id": title_id})["title_id"])
        except AlreadyThere:
            return self.title_id_of(alias) or title_id

    def video(self, video_id: str) -> Video | None:
        """Return a video."""
        found = self._videos.get(video_id)
        return None if found is None else _video(found)

    def put_video(self, video: Video) -> bool:
        """Store a video; return whether it is a new one."""
        wanted = video.model_dump(mode="json") | {"_id": video.video_id}
        created = False

        def step(document: Document) -> Document | None:
            nonlocal created
            created = "version" not in document
            return wanted if created or _video(document) != video else None

        change(self._videos, video.video_id, step, start=wanted, tries=_TRIES)
        return created

    def drop_video(self, video_id: str) -> Video | None:
        """Delete a video and return it as it was."""
        found = self._videos.get(video_id)
        return _video(found) if found is not None and self._videos.delete(video_id) else None

    def videos_of(self, title_id: str) -> list[Video]:
        """Return the videos of a title, in no order."""
        return [_video(found) for found in self._videos.find({"title_id": title_id})]

    def newest_videos(self, limit: int, after: str | None) -> list[Video]:
        """Return videos, the last published first, from behind the one with the id `after`."""
        last = None if after is None else self._videos.get(after)
        return [_video(found) for found in self._videos.find(sort=("-published_at",), limit=limit, after=last)]

    def videos_count(self) -> int:
        """Return how many videos there are."""
        return self._videos.count()

    def mark(self) -> Mark:
        """Return how often titles have changed."""
        found = self._marks.get(_MARK) or {}
        return Mark(changes=found.get("changes", 0), deletions=found.get("deletions", 0))

    def touched_since(self, begin: datetime | None) -> list[StoredTitle]:
        """Return the titles that were written from an instant on; all for `None`."""
        ranges = {"touched_at": Range(at_least=instant(begin))} if begin is not None else {}
        return [_title(found) for found in self._titles.find(ranges=ranges)]

    def _bump(self, *, deleted: bool) -> None:
        def step(document: Document) -> Document:
            counts = {"changes": document["changes"] + 1, "deletions": document["deletions"] + deleted}
            return document | counts

        change(self._marks, _MARK, step, start={"_id": _MARK, "changes": 0, "deletions": 0}, tries=_TRIES * 4)

    def _document(self, stored: StoredTitle) -> Document:
        title = stored.title
        told = title.model_dump(mode="json")
        return _list_fields(told) | {
            "_id": title.title_id,
            "title": told,
            "added_at": instant(title.added_at),
            "enrich_state": title.enrich_state,
            "next_try_at": None if stored.next_try_at is None else instant(stored.next_try_at),
            "touched_at": instant(self._clock()),
            "poster_url": stored.poster_url,
            "other_names": list(stored.other_names),
            "asked": list(stored.asked),
            "tries": stored.tries,
            "kept": stored.kept,
        }


def _asked(which: Which) -> dict[str, Scalar]:
    asked: dict[str, Scalar] = {"kind": which.kind} if which.kind is not None else {}
    return asked if which.on_disk is None else asked | {"on_disk": int(which.on_disk)}


def _list_fields(title: Document) -> Document:
    """Return what lists of titles are chosen and sorted by."""
    return {
        "name_key": title["name"].casefold(),
        "year": title["year"],
        "kind": title["kind"],
        "size_bytes": title["size_bytes"],
        "on_disk": int(title["videos_count"] > 0),
    }


def alias_key(alias: str) -> str:
    """Return the id under which an alias is stored: the alias, cut where a document's id would be too long.

    External ids may have 2100 characters. What is cut off is kept as a hash, so that two never meet.
    """
    return alias if len(alias) <= 400 else f"{alias[:300]}#{sha256(alias.encode()).hexdigest()}"


def _title(document: Document) -> StoredTitle:
    next_try_at = document["next_try_at"]
    return StoredTitle(
        title=Title.model_validate(document["title"]),
        poster_url=document["poster_url"],
        other_names=tuple(document["other_names"]),
        asked=tuple(document["asked"]),
        tries=document["tries"],
        next_try_at=None if next_try_at is None else datetime.fromisoformat(next_try_at),
        kept=document.get("kept", False),
    )


def _video(document: Document) -> Video:
    return Video.model_validate(document)
