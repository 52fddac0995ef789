"""From a press of Download to wishes: what is asked for is looked up at the source, never believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kinodom_common.contracts.wishes import WishReply, WishRequest
from kinodom_common.errors import NotFound

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import EpisodeRef, SearchReply, SourceTitle, Translation

DEMO_NAMES = ("The Tin Lighthouse", "Salt and Moon", "Paper Fleet")
DEMO_SOURCE = "demo"
MAX_AT_ONCE = 200
# What a wish may hold; sources write longer things.
LONGEST_EPISODE_NAME, LONGEST_DUB_NAME, LONGEST_LANGUAGE = 300, 200, 35


class NoSuchTranslation(NotFound):
    """The title has no such dub, or the dub has no such episode."""

    code = "no_such_translation"
    title = "Not in this dub"


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
    translation_id: str
    episodes: tuple[tuple[int | None, int | None], ...]  # (season, episode); empty: all that this dub has
    height_px: int | None  # None: the best


def wish(choice: Choice, *, viewer_id: str, sources: Sources, queue: Queue) -> list[WishReply]:
    """Return the stored wishes for a choice, one per episode.

    Raises:
        NotFound: the source does not know the title, the dub, or one of the episodes.
        UpstreamFailed: the source or the downloader could not be asked; nothing was stored for what is missing.
    """
    page = sources.title(choice.external_id)
    translation = translation_of(page, choice.translation_id)
    episodes = chosen(translation, choice.episodes)[:MAX_AT_ONCE]
    return [
        queue.wish(request_for(page, translation, one, height_px=choice.height_px, viewer_id=viewer_id))
        for one in episodes
    ]


def make_demo(*, viewer_id: str, sources: Sources, queue: Queue) -> list[WishReply]:
    """Return the wishes for every demo film in every dub: found by name, as a person would.

    Raises:
        NoDemo: no source of that name answered.
    """
    made: list[WishReply] = []
    for name in DEMO_NAMES:
        hit = next((one for one in sources.search(name).hits if one.source == DEMO_SOURCE), None)
        if hit is None:
            raise NoDemo("The demo site does not answer. It is started with the house; try again in a few seconds.")
        for translation in sources.title(hit.external_id).translations:
            choice = Choice(
                external_id=hit.external_id,
                translation_id=translation.translation_id,
                episodes=(),
                height_px=None,
            )
            made += wish(choice, viewer_id=viewer_id, sources=sources, queue=queue)
    return made


def translation_of(page: SourceTitle, translation_id: str) -> Translation:
    """Return a dub of a title; raises NoSuchTranslation."""
    found = next((one for one in page.translations if one.translation_id == translation_id), None)
    if found is None:
        raise NoSuchTranslation("This dub is not there any more. Open the title again and choose another one.")
    return found


def chosen(translation: Translation, wanted: tuple[tuple[int | None, int | None], ...]) -> list[EpisodeRef]:
    """Return these episodes of a dub, all when none is named; raises NoSuchTranslation."""
    if not wanted:
        return list(translation.episodes)
    by_number = {(one.season, one.episode): one for one in translation.episodes}
    missing = [number for number in wanted if number not in by_number]
    if missing:
        raise NoSuchTranslation(
            f"“{translation.name}” has not made episode {missing[0][1]}. Another dub may have it.",
            translation_id=translation.translation_id,
        )
    return [by_number[number] for number in wanted]


def request_for(
    page: SourceTitle, translation: Translation, one: EpisodeRef, *, height_px: int | None, viewer_id: str
) -> WishRequest:
    """Return the request for one episode in one dub."""
    return WishRequest(
        external_id=page.card.external_id,
        season=one.season,
        episode=one.episode,
        episode_name=one.name[:LONGEST_EPISODE_NAME] if one.name else None,
        translation_id=translation.translation_id,
        translation_name=translation.name[:LONGEST_DUB_NAME],
        translation_kind=translation.kind,
        language=translation.language if len(translation.language or "") <= LONGEST_LANGUAGE else None,
        height_px=height_px,
        title=page.card,
        asked_by=viewer_id,
    )
