"""Typed client of the downloader."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_common.contracts.videos import ExportTicket, RemovedVideo, RestoredVideo
from kinodom_common.contracts.wishes import DiskRoom, Wish, WishList, WishMove, WishReply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kinodom_common.contracts.wishes import WishRequest
    from kinodom_common.http import HttpClient


class DownloaderClient:
    """What others ask of the downloader."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def wish(self, request: WishRequest) -> WishReply:
        """Store a wish; the same content asked twice is one wish."""
        return self._http.post("/wishes", request, WishReply)

    def wishes(self, ids: Iterable[str] = (), *, limit: int = 100) -> WishList:
        """Return the wishes with these ids, or all, the newest first."""
        joined = ",".join(ids)
        return self._http.get("/wishes", WishList, params={"ids": joined or None, "limit": limit})

    def one(self, wish_id: str) -> Wish:
        """Return a wish; raises NotFound."""
        return self._http.get(f"/wishes/{quote(wish_id, safe='')}", Wish)

    def retry(self, wish_id: str) -> Wish:
        """Let a refused or waiting wish try again now."""
        return self._http.post(f"/wishes/{quote(wish_id, safe='')}/retry", None, Wish)

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

    def export_ticket(self, video_id: str) -> ExportTicket:
        """Return a ticket for a film as one file; raises NotFound (`no_such_video`)."""
        return self._http.post(f"/videos/{quote(video_id, safe='')}/export", None, ExportTicket)
