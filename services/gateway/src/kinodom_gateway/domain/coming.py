"""Films that can be watched while they come, as the pages know films that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.contracts.videos import Title, TitlePage, Video

if TYPE_CHECKING:
    from kinodom_common.contracts.wishes import Wish


def page_of(wish: Wish, known: TitlePage | None) -> tuple[TitlePage, Video]:
    """Return a wish as a video that will be, and the page of its title with it.

    Args:
        wish: of the film.
        known: the house's page of the title, when it has other episodes or dubs of it.
    """
    request, card = wish.request, wish.request.title
    title = known.title if known else Title(title_id="", name=card.name, kind=card.kind, added_at=wish.asked_at)
    video = Video(
        video_id=wish.wish_id,
        title_id=title.title_id,
        external_id=request.external_id,
        season=request.season,
        episode=request.episode,
        episode_name=request.episode_name,
        translation_id=request.translation_id,
        translation_name=request.translation_name,
        translation_kind=request.translation_kind,
        language=request.language,
        height_px=request.height_px,
        duration_s=wish.progress.duration_s or 0.0,
        published_at=wish.changed_at,
    )
    return TitlePage(title=title, videos=(*(known.videos if known else ()), video)), video
