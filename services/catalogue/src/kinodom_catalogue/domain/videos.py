"""A published folder becomes a video of a title; two services that see one film make one title of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kinodom_catalogue.domain.ports import Hints, NoSuchTitle, NoSuchVideo, Shelf, StoredTitle, TitleHasVideos
from kinodom_common.contracts.titles import TitleCard
from kinodom_common.contracts.videos import Title, TitlePage, Video, VideoIn
from kinodom_common.ids import title_id_of
from kinodom_common.logs import get_log

log = get_log(__name__)

DEMO_SCHEME = "demo:"


def register_video(video_id: str, wanted: VideoIn, *, shelf: Shelf, hints: Hints, now: datetime) -> tuple[Video, bool]:
    """Store a video under its title, and return it and whether it is new. The same again changes nothing.

    Its title is found by the external id, the IMDb id or the Shikimori id, in this order, or made. A new title waits
    for enrichment.
    """
    title_id = settle_title_id(wanted.external_id, wanted.title, shelf=shelf)
    video = _video(video_id, title_id, wanted)
    before = shelf.video(video_id)
    created = shelf.put_video(video)
    start = new_title(title_id, wanted.external_id, wanted.title, now=now)
    stored = shelf.change_title(
        title_id,
        lambda found: with_videos(
            with_card(found, wanted.external_id, wanted.title, now=now), shelf.videos_of(title_id)
        ),
        start=start,
    )
    if before is not None and before.title_id != title_id:
        recount(before.title_id, shelf=shelf)
    if stored.title.enrich_state == "waiting" and stored.tries == 0:
        hints.enrich(title_id, stored.tries)
    log.info("video_registered", video_id=video_id, title_id=title_id, created=created)
    return video, created


def add_title(card: TitleCard, *, shelf: Shelf, hints: Hints, now: datetime) -> tuple[Title, bool]:
    """Put a title on the shelf to stay there without a video, and return it and whether it was not there before."""
    title_id = settle_title_id(card.external_id, card, shelf=shelf)
    before = shelf.title(title_id)
    stored = shelf.change_title(
        title_id,
        lambda found: replace(with_card(found, card.external_id, card, now=now), kept=True),
        start=new_title(title_id, card.external_id, card, now=now),
    )
    hints.enrich(title_id, stored.tries)
    log.info("title_added", title_id=title_id, created=before is None)
    return stored.title, before is None


def refresh_title(title_id: str, card: TitleCard, *, shelf: Shelf, hints: Hints, now: datetime) -> Title:
    """Take over what its source says now, and ask the providers of facts anew; return the title. Raises NoSuchTitle."""
    stored = shelf.change_title(title_id, lambda found: refreshed(found, card, now=now))
    hints.enrich(title_id, stored.tries)
    log.info("title_refreshed", title_id=title_id)
    return stored.title


def delete_title(title_id: str, *, shelf: Shelf) -> None:
    """Take a title without videos off the shelf.

    Raises:
        NoSuchTitle: it is not there.
        TitleHasVideos: films of it lie on the disk.
    """
    if shelf.drop_title_if(title_id, lambda _: not shelf.videos_of(title_id)):
        log.info("title_forgotten", title_id=title_id)
        return
    if shelf.title(title_id) is None:
        raise NoSuchTitle("The catalogue has no such title. It may have been deleted already.")
    raise TitleHasVideos("Films of this title lie on the disk. Delete them first.", title_id=title_id)


def video(video_id: str, *, shelf: Shelf) -> Video:
    """Return a video. Raises NoSuchVideo."""
    found = shelf.video(video_id)
    if found is None:
        raise NoSuchVideo("The catalogue has no such video. It may have been deleted.")
    return found


def delete_video(video_id: str, *, shelf: Shelf) -> None:
    """Forget a video; its title goes with its last one, unless it was put there to stay. Raises NoSuchVideo."""
    video = shelf.drop_video(video_id)
    if video is None:
        raise NoSuchVideo("The catalogue has no such video. It may have been deleted already.")
    recount(video.title_id, shelf=shelf)
    log.info("video_forgotten", video_id=video_id, title_id=video.title_id)


def recount(title_id: str, *, shelf: Shelf) -> None:
    """Bring a title's figures in step with its videos; a title without a video is deleted, unless it is kept."""
    if shelf.drop_title_if(title_id, lambda found: not found.kept and not shelf.videos_of(title_id)):
        log.info("title_forgotten", title_id=title_id)
        return
    try:
        shelf.change_title(title_id, lambda found: with_videos(found, shelf.videos_of(title_id)))
    except NoSuchTitle:
        return  # its last video was deleted by somebody else in between


def title_page(title_id: str, *, shelf: Shelf) -> TitlePage:
    """Return a title with its videos by season, episode and dub. Raises NoSuchTitle."""
    stored = shelf.title(title_id)
    if stored is None:
        raise NoSuchTitle("The catalogue has no such title. Its videos may have been deleted.")
    return TitlePage(title=stored.title, videos=tuple(sorted(shelf.videos_of(title_id), key=_place)))


def title_page_by_alias(external_id: str, *, shelf: Shelf) -> TitlePage:
    """Return the page of the title that a source calls by this id. Raises NoSuchTitle."""
    title_id = shelf.title_id_of(external_id)
    if title_id is None:
        raise NoSuchTitle("Nothing of this title is in the house yet.")
    return title_page(title_id, shelf=shelf)


def settle_title_id(external_id: str, card: TitleCard, *, shelf: Shelf) -> str:
    """Return the id of the one title that these names mean, and note them all for it.

    Of two who do this at once with a name in common, the one who comes second takes the first one's title: the
    shared names are claimed before the external id, which alone makes a title of its own.
    """
    known = shelf.title_id_of(external_id)
    shared = shared_aliases(card.imdb_id, card.shikimori_id)
    title_id = known or next(filter(None, map(shelf.title_id_of, shared)), None) or title_id_of(external_id)
    for alias in shared:
        winner = shelf.claim_alias(alias, title_id)
        if known is None and winner != title_id and alias == shared[0]:
            title_id = winner
    return shelf.claim_alias(external_id, title_id)


def shared_aliases(imdb_id: str | None, shikimori_id: int | None) -> list[str]:
    """Return the names under which every source knows the same title."""
    return [f"imdb:{imdb_id}"] * bool(imdb_id) + [f"shikimori:{shikimori_id}"] * (shikimori_id is not None)


def new_title(title_id: str, external_id: str, card: TitleCard, *, now: datetime) -> StoredTitle:
    """Return a title as its first source tells it."""
    title = Title(
        title_id=title_id,
        name=card.name,
        original_name=card.original_name,
        year=card.year,
        kind=card.kind,
        description=card.description,
        genres=card.genres,
        imdb_id=card.imdb_id,
        shikimori_id=card.shikimori_id,
        external_ids=(external_id,),
        licence=card.licence,
        enrich_state="waiting",
        added_at=now,
    )
    return StoredTitle(title=title, poster_url=card.poster_url, next_try_at=now)


def is_demo(title: Title) -> bool:
    """Return whether a title is ours alone."""
    return bool(title.external_ids) and all(known.startswith(DEMO_SCHEME) for known in title.external_ids)


def waiting_again(stored: StoredTitle, *, now: datetime) -> StoredTitle:
    """Return the title as one that nobody was asked about yet."""
    title = stored.title.model_copy(update={"enrich_state": "waiting"})
    return replace(stored, title=title, asked=(), tries=0, next_try_at=now)


def with_card(stored: StoredTitle, external_id: str, card: TitleCard, *, now: datetime) -> StoredTitle:
    """Return the title with what a further source adds; what is known already stays.

    A title nobody knew waits again when the source brings an id under which it may be known.
    """
    title = stored.title
    known = {name: getattr(title, name) for name in ("original_name", "year", "description", "imdb_id", "shikimori_id")}
    changes = {name: getattr(card, name) if value is None else value for name, value in known.items()}
    names = stored.other_names
    if card.name not in (title.name, title.original_name, *names):
        names = (*names, card.name)
    external_ids = title.external_ids if external_id in title.external_ids else (*title.external_ids, external_id)
    changed = title.model_copy(
        update={
            **changes,
            "kind": card.kind if title.kind == "unknown" else title.kind,
            "genres": title.genres or card.genres,
            "licence": title.licence or card.licence,
            "external_ids": external_ids,
        }
    )
    after = replace(stored, title=changed, poster_url=stored.poster_url or card.poster_url, other_names=names)
    new_id = (title.imdb_id, title.shikimori_id) != (changed.imdb_id, changed.shikimori_id)
    lost = title.enrich_state in ("nothing", "failed")
    return waiting_again(after, now=now) if new_id and lost else after


def refreshed(stored: StoredTitle, card: TitleCard, *, now: datetime) -> StoredTitle:
    """Return the title with what its source says now, waiting for the providers; what they told stays until then."""
    title, source = stored.title, card.model_dump(include={"original_name", "year", "description", "genres", "licence"})
    news = {name: value for name, value in source.items() if value} if title.enriched_by is None else {}
    changed = replace(stored, title=title.model_copy(update=news), poster_url=card.poster_url or stored.poster_url)
    return waiting_again(with_card(changed, card.external_id, card, now=now), now=now)


def with_videos(stored: StoredTitle, videos: list[Video]) -> StoredTitle:
    """Return the title with its figures counted anew."""
    figures = {
        "videos_count": len(videos),
        "episodes_count": len({(video.season, video.episode) for video in videos}),
        "size_bytes": sum(video.size_bytes for video in videos),
    }
    return replace(stored, title=stored.title.model_copy(update=figures))


def _video(video_id: str, title_id: str, wanted: VideoIn) -> Video:
    return Video(video_id=video_id, title_id=title_id, **wanted.model_dump(exclude={"title"}))


def _place(video: Video) -> tuple[int, int, str, int, str]:
    season = -1 if video.season is None else video.season
    episode = -1 if video.episode is None else video.episode
    return (season, episode, video.translation_name.casefold(), -(video.height_px or 0), video.video_id)
