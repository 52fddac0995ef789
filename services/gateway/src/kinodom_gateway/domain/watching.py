"""From a press of Watch to a film that plays while it comes: what is left open is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import NotFound
from kinodom_gateway.domain import wishing
from kinodom_gateway.domain.choosing import NoSuchTranslation

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, Translation
    from kinodom_common.contracts.videos import Video
    from kinodom_common.contracts.wishes import Wish
    from kinodom_gateway.domain.choosing import Place


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
    place = first.place or _place(min(translation.episodes, key=_order))
    choice = wishing.Choice(
        external_id=first.external_id, translation_id=translation.translation_id, height_px=first.height_px
    )
    plan = wishing.Plan(page=page, translation=translation, places=(place,))
    request = wishing.request_of(plan, place, choice, viewer_id)
    return queue.wish(request.model_copy(update={"watch": True})).wish


def neighbour(video: Video, step: int, *, sources: wishing.Sources) -> First:
    """Return the episode before (-1) or after (1) a film, in the same dub.

    Raises:
        NoOtherEpisode: there is none at the source.
    """
    page = sources.title(video.external_id)
    translation = _translation(page, video.translation_id, "")
    places = [_place(one) for one in sorted(translation.episodes, key=_order)]
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
    some = [one for one in page.translations if one.episodes and translation_id in (None, one.translation_id)]
    mine = [one for one in some if (one.language or "").split("-")[0] == language]
    if not some:
        raise NoSuchTranslation("This dub is not there any more. Open the title again and choose another one.")
    return (mine or some)[0]


def _place(one: EpisodeRef) -> Place:
    return one.season, one.episode


def _order(one: EpisodeRef) -> tuple[bool, int, bool, int]:
    """Return the order of watching: specials, which have the number 0, come after the others."""
    return (one.season == 0, one.season or 0, one.episode == 0, one.episode or 0)
