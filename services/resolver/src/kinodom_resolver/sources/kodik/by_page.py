"""A title as its player page tells it, for a token that gets player pages and no search."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from pydantic import ValidationError

from kinodom_common.contracts.titles import EpisodeRef, SourceTitle, TitleCard, TitleHit, Translation

if TYPE_CHECKING:
    from kinodom_resolver.sources.kodik.page import Played, PlayerPage, TranslationOption

WHOLE_SERIALS = ("/serial/", "/season/")


def title_of(source: str, external_id: str, page: PlayerPage, known: TitleHit | None) -> SourceTitle | None:
    """Return the title of a page; what is known of it from elsewhere goes before the page's own words."""
    series = bool(page.episodes)
    try:
        if known is not None:
            card = TitleCard.model_validate(known.model_dump() | {"kind": "series" if series else "film"})
        else:
            name = page.title or external_id.replace(":", " ").capitalize()
            card = TitleCard(external_id=external_id, name=name, kind="series" if series else "film")
    except ValidationError:
        return None
    voices = sorted(page.translations, key=lambda one: one.kind != "voice")
    return SourceTitle(source=source, card=card, translations=tuple(_translation(page, one) for one in voices))


def url_of(page: PlayerPage, season: int | None, episode: int | None, translation_id: str) -> str | None:
    """Return the player page of an episode in a translation; None when the page does not list it."""
    option = next((one for one in page.translations if one.translation_id == translation_id), None)
    if option is None or (episode is None) != (not page.episodes):
        return None
    if episode is None:
        return urljoin(page.url, option.path or urlsplit(page.url).path)
    if (season, episode) not in {(one.season, one.episode) for one in _parts(page, option)}:
        return None
    other_serial = next((one.path for one in page.seasons if one.season == season and not one.selected), None)
    shown = other_serial or urlsplit(page.url).path
    return with_episode(urljoin(page.url, shown if option.selected else option.path or shown), season, episode)


def with_episode(url: str, season: int | None, episode: int | None) -> str:
    """Return a player page's address with an episode chosen."""
    chosen = {"min_age": 16, "first_url": "false", "season": 1 if season is None else season, "episode": episode}
    return f"{url}?{urlencode(chosen)}"


def played(page: PlayerPage, season: int | None, episode: int | None) -> Played | None:
    """Return what to ask links for: on the page of a whole serial the episode's own line, else what the page plays."""
    if episode is None or not urlsplit(page.url).path.startswith(WHOLE_SERIALS):
        return page.played
    wanted = (1 if season is None else season, episode)
    return next((one.played for one in page.episodes if (one.season, one.episode) == wanted), None)


def _translation(page: PlayerPage, option: TranslationOption) -> Translation:
    return Translation(
        translation_id=option.translation_id,
        name=option.name,
        kind=option.kind,
        language="ru" if option.kind == "voice" else None,
        episodes=tuple(_parts(page, option)) if page.episodes else (EpisodeRef(),),
    )


def _parts(page: PlayerPage, option: TranslationOption) -> list[EpisodeRef]:
    """Return the episodes of a translation; of one that is not shown the page gives a range only."""
    shown = [EpisodeRef(season=one.season, episode=one.episode, name=one.name) for one in page.episodes]
    if option.selected or option.episodes is None:
        return shown
    first, last = option.episodes
    seasons = {one.season for one in page.episodes}
    if len(seasons) > 1:  # a count over all seasons: the shown voice's order, so far as it reaches
        return shown[: last - first + 1]
    season = next(iter(seasons))
    return [EpisodeRef(season=season, episode=number) for number in range(first, min(last, first + 5000) + 1)]
