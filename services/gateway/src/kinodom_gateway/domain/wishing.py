"""From a press of Download to wishes: what is asked for is looked up at the source, never believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from kinodom_common.contracts.wishes import Wish, WishReply, WishRequest
from kinodom_common.errors import KinodomError, NotFound, Rejected
from kinodom_gateway.domain.choosing import NoSuchTranslation, Place, missing_words, places_of

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import EpisodeRef, SearchReply, SourceTitle, Translation

DEMO_NAMES = ("The Tin Lighthouse", "Salt and Moon", "Paper Fleet")
DEMO_SOURCE = "demo"
MAX_AT_ONCE = 500
# What a wish may hold; sources write longer things.
LONGEST_EPISODE_NAME, LONGEST_DUB_NAME, LONGEST_LANGUAGE = 300, 200, 35


class TooManyAtOnce(Rejected):
    """More episodes than one press may ask for."""

    code = "too_many_at_once"
    title = "Too many at once"


class NoDemo(NotFound):
    """The demo site is switched off."""

    code = "no_demo"
    title = "No demo films here"


class Sources(Protocol):
    """The resolver, as far as wishing needs it."""

    def search(self, query: str) -> SearchReply:
        """Return what sources have under this name."""

    def title(self, external_id: str) -> SourceTitle:
        """Return a title's page at its source."""


class Queue(Protocol):
    """The downloader, as far as wishing needs it."""

    def wish(self, request: WishRequest) -> WishReply:
        """Store a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose on a page."""

    external_id: str
    translation_id: str | None  # None: the first dub that the source names
    episodes: tuple[Place, ...] = ()
    ranges: str | None = None  # such as `3-12`, in place of `episodes`
    season: int | None = None  # of the ranges; without them and without episodes, the whole season
    height_px: int | None = None  # None: the best


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking for one episode."""

    place: Place
    outcome: Literal["made", "there", "refused"]
    wish: Wish | None = None
    error: KinodomError | None = None  # why it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A choice as its source has it."""

    page: SourceTitle
    translation: Translation
    places: tuple[Place, ...]  # in the order in which they are to come

    @property
    def missing(self) -> tuple[Place, ...]:
        """Return those that the dub has not."""
        there = {(one.season, one.episode) for one in self.translation.episodes}
        return tuple(place for place in self.places if place not in there)


def planned(choice: Choice, *, sources: Sources) -> Plan:
    """Return what a choice means, looked up at its source.

    Raises:
        NotFound: the source does not know the title, or the dub.
        Rejected: the numbers of episodes make no sense.
        UpstreamFailed: the source could not be asked.
    """
    page = sources.title(choice.external_id)
    wanted = choice.translation_id
    translation = next((one for one in page.translations if wanted in (None, one.translation_id)), None)
    if translation is None:
        raise NoSuchTranslation("This dub is not there any more. Open the title again and choose another one.")
    places = choice.episodes or places_of(translation, choice.ranges, choice.season)
    return Plan(page=page, translation=translation, places=tuple(places))


def request_of(plan: Plan, place: Place, choice: Choice, viewer_id: str) -> WishRequest:
    """Return the wish for one place of a plan; raises NoSuchTranslation when the dub has not made it."""
    for one in plan.translation.episodes:
        if (one.season, one.episode) == place:
            return _request(plan.page, plan.translation, one, choice, viewer_id)
    raise NoSuchTranslation(missing_words(plan.translation, [place]))


def wish(choice: Choice, *, viewer_id: str, sources: Sources, queue: Queue, whole: bool = False) -> list[Asked]:
    """Return what came of asking for each episode of a choice, in the order in which they are watched.

    Args:
        choice: what is wanted.
        viewer_id: who wants it.
        sources: where it is looked up.
        queue: where it is asked for.
        whole: all of it or nothing: one episode that the dub has not refuses the choice.

    Raises:
        NotFound: the source does not know the title or the dub, or the dub has none of the episodes.
        Rejected: the numbers of episodes make no sense, or are too many.
        UpstreamFailed: the source could not be asked, or the downloader; nothing was stored.
    """
    plan = planned(choice, sources=sources)
    if plan.missing and (whole or len(plan.missing) == len(plan.places)):
        numbers = ", ".join(str(episode) for _, episode in plan.missing if episode is not None)
        raise NoSuchTranslation(missing_words(plan.translation, plan.missing), missing=numbers[:200])
    if len(plan.places) > MAX_AT_ONCE:
        raise TooManyAtOnce(f"That is more than {MAX_AT_ONCE} at once. Ask for a part of it first, such as 1-100.")
    asked = [_asked(plan, place, choice, viewer_id, queue) for place in plan.places]
    if asked and all(one.error for one in asked):
        raise next(one.error for one in asked if one.error)
    return asked


def _asked(plan: Plan, place: Place, choice: Choice, viewer_id: str, queue: Queue) -> Asked:
    try:
        reply = queue.wish(request_of(plan, place, choice, viewer_id))
    except KinodomError as exc:  # the others are asked for all the same; the answer tells which failed and why
        return Asked(place=place, outcome="refused", error=exc)
    return Asked(place=place, outcome="made" if reply.created else "there", wish=reply.wish)


def make_demo(*, viewer_id: str, sources: Sources, queue: Queue) -> list[Asked]:
    """Return the wishes for every demo film in every dub: found by name, as a person would.

    Raises:
        NoDemo: no source of that name answered.
    """
    made: list[Asked] = []
    for name in DEMO_NAMES:
        hit = next((one for one in sources.search(name).hits if one.source == DEMO_SOURCE), None)
        if hit is None:
            raise NoDemo("The demo site does not answer. It is started with the house; try again in a few seconds.")
        for translation in sources.title(hit.external_id).translations:
            choice = Choice(external_id=hit.external_id, translation_id=translation.translation_id)
            made += wish(choice, viewer_id=viewer_id, sources=sources, queue=queue)
    return made


def _request(
    page: SourceTitle, translation: Translation, one: EpisodeRef, choice: Choice, viewer_id: str
) -> WishRequest:
    return WishRequest(
        external_id=choice.external_id,
        season=one.season,
        episode=one.episode,
        episode_name=one.name[:LONGEST_EPISODE_NAME] if one.name else None,
        translation_id=translation.translation_id,
        translation_name=translation.name[:LONGEST_DUB_NAME],
        translation_kind=translation.kind,
        language=translation.language if len(translation.language or "") <= LONGEST_LANGUAGE else None,
        height_px=choice.height_px,
        title=page.card,
        asked_by=viewer_id,
    )
