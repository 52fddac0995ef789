"""Typed client of the downloader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from kinodom_common.contracts.videos import RemovedVideo, RenditionJob, RenditionList, RestoredVideo
from kinodom_common.contracts.wishes import DiskRoom, ManyChanged, QueueStatus, Wish, WishList, WishMove, WishReply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_common.contracts.wishes import WishPart, WishRequest
    from kinodom_common.http import HttpClient


IDS_AT_ONCE = 50  # of 64 characters each: a request line may have 4094


class DownloaderClient:
    """What others ask of the downloader."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def wish(self, request: WishRequest) -> WishReply:
        """Store a wish; the same content asked twice is one wish."""
        return self._http.post("/wishes", request, WishReply)

    def wishes(self, ids: Iterable[str] = (), *, part: WishPart = "newest", limit: int = 100) -> WishList:
        """Return the wishes with these ids, or a part of all."""
        asked = list(ids)
        if not asked:
            return self._http.get("/wishes", WishList, params={"part": part, "limit": limit})
        parts = [",".join(asked[begin : begin + IDS_AT_ONCE]) for begin in range(0, len(asked), IDS_AT_ONCE)]
        lists = [self._http.get("/wishes", WishList, params={"ids": part}) for part in parts]
        return WishList(wishes=tuple(wish for one in lists for wish in one.wishes))

    def wishes_of(self, external_id: str) -> WishList:
        """Return the wishes for what a source calls by this id."""
        return self._http.get("/wishes", WishList, params={"external_id": external_id, "limit": 500})

    def queue(self) -> QueueStatus:
        """Return how the queue stands."""
        return self._http.get("/queue", QueueStatus)

    def one(self, wish_id: str) -> Wish:
        """Return a wish; raises NotFound."""
        return self._http.get(f"/wishes/{quote(wish_id, safe='')}", Wish)

    def retry(self, wish_id: str) -> Wish:
        """Let a refused or waiting wish try again now."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/retry", None, Wish)

    def view(self, wish_id: str) -> Wish:
        """Say that somebody watches this film just now."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/view", None, Wish)

    def keep(self, wish_id: str) -> Wish:
        """Keep a film that was only watched so far."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/keep", None, Wish)

    def keep_with_holes(self, wish_id: str) -> Wish:
        """Fetch a film without what no source has of it."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/holes", None, Wish)

    def change_all(self, act: Literal["retry", "pause", "resume"]) -> ManyChanged:
        """Try every refused or waiting wish again, pause all, or let all go on."""
        return self._http.post(f"/queue/{act}", None, ManyChanged)

    def pause(self, wish_id: str) -> Wish:
        """Stop working on a wish until somebody resumes it; what was fetched stays."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/pause", None, Wish)

    def resume(self, wish_id: str) -> Wish:
        """Let a paused wish go on."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/resume", None, Wish)

    def move(self, wish_id: str, before: str | None) -> Wish:
        """Put a wish before another one in the queue; None: behind all."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/move", WishMove(before=before), Wish)

    def disk(self) -> DiskRoom:
        """Return how full the disk of the films is."""
        return self._http.get("/disk", DiskRoom)

    def forget(self, wish_id: str) -> None:
        """Delete a wish and its unfinished files; one that runs is cancelled."""
        self._http.delete(f"/wishes/{quote(wish_id, safe='')}")

    def remove_video(self, video_id: str) -> RemovedVideo:
        """Take a video off the disk; the same again changes nothing."""
        return self._http.remove(f"/videos/{quote(video_id, safe='')}", RemovedVideo)

    def restore_video(self, video_id: str) -> RestoredVideo:
        """Bring a removed video back; raises NotFound (`not_in_trash`)."""
        return self._http.post(f"/videos/{quote(video_id, safe='')}/restore", None, RestoredVideo)

    def renditions(self) -> RenditionList:
        """Return the films that get further renditions."""
        return self._http.get("/renditions", RenditionList)

    def retry_rendition(self, video_id: str) -> RenditionJob:
        """Let one that stopped try again; raises NotFound."""
        return self._http.post(f"/renditions/{quote(video_id, safe='')}/retry", None, RenditionJob)
