"""Typed client of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kinodom_common.contracts.videos import Title, TitleIn, TitleList, TitlePage, TitleReply, Video, VideoList
from kinodom_common.errors import NotFound

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import Kind, TitleCard
    from kinodom_common.contracts.videos import TitleOrder, VideoIn
    from kinodom_common.http import HttpClient


class CatalogueClient:
    """What others ask of the catalogue."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def register_video(self, video_id: str, video: VideoIn) -> Video:
        """Tell of a published folder and return it as the catalogue knows it; the same again changes nothing."""
        return self._http.put(f"/videos/{quote(video_id, safe='')}", video, Video)

    def video(self, video_id: str) -> Video:
        """Return a video; raises NotFound (`no_such_video`)."""
        return self._http.get(f"/videos/{quote(video_id, safe='')}", Video)

    def delete_video(self, video_id: str) -> None:
        """Make the catalogue forget a video; one that is not there is forgotten already."""
        try:
            self._http.delete(f"/videos/{quote(video_id, safe='')}")
        except NotFound as exc:
            if exc.code != "no_such_video":
                raise

    def title(self, title_id: str) -> TitlePage:
        """Return a title with its videos; raises NotFound (`no_such_title`)."""
        return self._http.get(f"/titles/{quote(title_id, safe='')}", TitlePage)

    def title_by_external(self, external_id: str) -> TitlePage | None:
        """Return the title that a source calls by this id; `None` when the house has nothing of it."""
        try:
            return self._http.get(f"/titles/by-external/{quote(external_id, safe=':')}", TitlePage)
        except NotFound as exc:
            if exc.code != "no_such_title":
                raise
            return None

    def titles(
        self,
        q: str | None = None,
        *,
        limit: int = 48,
        after: str | None = None,
        sort: TitleOrder | None = None,
        on_disk: bool | None = None,
        kind: Kind | None = None,
    ) -> TitleList:
        """Return titles: the best match first, or without a question the newest, or in the order asked for."""
        asked: dict[str, object] = {"q": q, "limit": limit, "after": after, "sort": sort, "kind": kind}
        return self._http.get("/titles", TitleList, params={**asked, "on_disk": on_disk})

    def add_title(self, card: TitleCard) -> TitleReply:
        """Put a title on the shelf, to stay there without a video."""
        return self._http.post("/titles", TitleIn(card=card), TitleReply)

    def refresh_title(self, title_id: str, card: TitleCard) -> Title:
        """Take over what a title's source says now, and ask for its facts anew."""
        return self._http.put(f"/titles/{quote(title_id, safe='')}", TitleIn(card=card), Title)

    def delete_title(self, title_id: str) -> None:
        """Take a title without videos off the shelf; raises NotFound, or Conflict (`title_has_videos`)."""
        self._http.delete(f"/titles/{quote(title_id, safe='')}")

    def videos(self, *, limit: int = 60, after: str | None = None) -> VideoList:
        """Return the videos on the disk, the newest first."""
        return self._http.get("/videos", VideoList, params={"limit": limit, "after": after})
