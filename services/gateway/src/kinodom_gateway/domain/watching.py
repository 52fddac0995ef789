"""From a press of Watch to a film that plays while it comes: what is left open is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import NotFound
from kinodom_gateway.domain import wishing

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, Translation
    from kinodom_common.contracts.videos import Video
    from kinodom_common.contracts.wishes import Wish

Place = tuple[int | None, int | None]  # season, episode


class NoOtherEpisode(NotFound):
    """The dub has no episode before or after this one."""

    code = "no_other_episode"
    title = "That was the last one"


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """What a person wants to see now; None: what suits best."""

    external_id: str
    translation_id: str | None = None
    place: Place | None = None
    height_px: int | None = None


def watch(first: First, *, viewer_id: str, language: str, sources: wishing.Sources, queue: wishing.Queue) -> Wish:
    """Return the wish for one film that somebody wants to see now.

    Args:
        first: what the person chose, which may be no more than a title.
        viewer_id: who.
        language: of the person, BCP 47; a dub in it is preferred.
        sources: the resolver.
        queue: the downloader.

    Raises:
        NotFound: the source does not know the title, the dub, or the episode.
        UpstreamFailed: the source or the downloader could not be asked.
    """
    page = sources.title(first.external_id)
    translation = _translation(page, first.translation_id, language)
    places = (first.place,) if first.place else ()
    one = wishing.chosen(translation, places)[0] if places else min(translation.episodes, key=_order)
    request = wishing.request_for(page, translation, one, height_px=first.height_px, viewer_id=viewer_id)
    return queue.wish(request.model_copy(update={"watch": True})).wish


def neighbour(video: Video, step: int, *, sources: wishing.Sources) -> First:
    """Return the episode before (-1) or after (1) a film, in the same dub.

    Raises:
        NoOtherEpisode: there is none at the source.
    """
    page = sources.title(video.external_id)
    translation = _translation(page, video.translation_id, "")
    places = [(one.season, one.episode) for one in sorted(translation.episodes, key=_order)]
    here = (video.season, video.episode)
    at = places.index(here) + step if here in places else -1
    if not 0 <= at < len(places):
        raise NoOtherEpisode("This dub has no other episode there. Another dub may have it.")
    return First(
        external_id=video.external_id,
        translation_id=video.translation_id,
        place=places[at],
        height_px=video.height_px,
    )


def _translation(page: SourceTitle, translation_id: str | None, language: str) -> Translation:
    """Return the dub that was chosen; else the first one in the person's language; else the first."""
    if translation_id is not None:
        return wishing.translation_of(page, translation_id)
    some = [one for one in page.translations if one.episodes]
    mine = [one for one in some if (one.language or "").split("-")[0] == language]
    if not some:
        raise wishing.NoSuchTranslation("Nobody offers this film now. Try again another day.")
    return (mine or some)[0]


def _order(one: EpisodeRef) -> tuple[bool, int, bool, int]:
    """Return the order of watching: specials, which have the number 0, come after the others."""
    return (one.season == 0, one.season or 0, one.episode == 0, one.episode or 0)
