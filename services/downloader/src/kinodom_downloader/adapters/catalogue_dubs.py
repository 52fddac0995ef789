"""Which films the catalogue has of the same episode in another dub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log
from kinodom_downloader.domain.wishes import wish_id_of

if TYPE_CHECKING:
    from kinodom_common.clients.catalogue import CatalogueClient
    from kinodom_common.contracts.wishes import WishRequest

log = get_log(__name__)

MOST = 12


class CatalogueDubs:
    """Asks the catalogue; when it does not answer there are none."""

    def __init__(self, catalogue: CatalogueClient) -> None:
        self._catalogue = catalogue

    def __call__(self, request: WishRequest) -> list[str]:
        """Return the ids of films of this episode in other dubs, the oldest first."""
        try:
            page = self._catalogue.title_by_external(request.external_id)
        except KinodomError as exc:
            log.warning("other_dubs_not_known", external_id=request.external_id, code=exc.code)
            return []
        own = wish_id_of(request)
        place = (request.season, request.episode)
        found = [
            video
            for video in (page.videos if page else ())
            if (video.season, video.episode) == place and video.video_id != own
            if video.translation_id != request.translation_id
        ]
        return [video.video_id for video in sorted(found, key=lambda one: one.published_at)][:MOST]
