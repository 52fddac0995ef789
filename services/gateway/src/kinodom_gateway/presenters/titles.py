"""The title page: dubs as rows of windows, episodes, what lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinodom_common.errors import NotFound
from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import mark
from kinodom_gateway.presenters import reasons, words
from kinodom_gateway.presenters.downloads import name_of
from kinodom_gateway.presenters.getting import Getting, getting
from kinodom_gateway.presenters.holes import lacking
from kinodom_gateway.presenters.holes import told as missing_told

if TYPE_CHECKING:
    from kinodom_common.contracts.titles import Translation
    from kinodom_common.contracts.videos import Title, Video
    from kinodom_common.contracts.wishes import Wish
    from kinodom_gateway.domain.finding import Seen
    from kinodom_gateway.presenters.holes import Lacking

PEOPLE_NAMED = 8
Place = tuple[int | None, int | None]  # season, episode
WORD_OF_PANE = {
    "home": mark("on disk"),
    "coming": mark("coming"),
    "get": mark("can be had"),
    "gone": mark("missing in this dub"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """One window: one episode in one dub."""

    place: Place
    label: str  # number, or empty for a film
    state: str  # home, coming, get, gone
    word: str
    watch_id: str | None  # video to play
    wish_id: str | None  # being fetched
    value: str  # for the form: `season.episode`
    name: str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DubRow:
    """One dub with its windows."""

    translation_id: str
    name: str
    facts: str
    count: str
    summary: str  # the row of windows as a sentence
    panes: tuple[Pane, ...]
    heights_px: tuple[int, ...]
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDisk:
    """One line under “On disk”."""

    video_id: str
    name: str
    facts: str
    question: str  # before it is deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleView:
    """Everything the template prints."""

    name: str
    original_name: str | None
    facts: tuple[str, ...]
    description: str | None
    cover_url: str | None
    licence: str | None
    external_id: str
    series: bool
    dubs: tuple[DubRow, ...]
    dub: DubRow | None  # the chosen one
    watch_id: str | None  # what the lit button plays
    watch_now: str | None  # `season.episode` of what it plays while it comes, when nothing is here
    get: Getting | None  # None: the chosen dub has nothing that is not here yet
    on_disk: tuple[OnDisk, ...]
    disk_size: str | None
    people: str | None  # as the source names them
    ids: tuple[str, ...]
    note: str | None  # why something is missing
    lacking: tuple[Lacking, ...]  # downloads that have all but a little of their film
    removed_id: str | None  # a video that was deleted just now and can be brought back


def title_view(seen: Seen, *, dub: str | None, removed_id: str | None = None) -> TitleView:
    """Return the page; `dub` is the translation that the viewer chose, `removed_id` what was just deleted, if any."""
    home = seen.home.title if seen.home else None
    card = seen.source.card if seen.source else None
    videos = seen.home.videos if seen.home else ()
    translations = _translations(seen)
    places = _places(translations, videos)
    chosen_id = _chosen(translations, videos, dub)
    rows = tuple(_row(one, places, videos, seen.wishes, chosen=one.translation_id == chosen_id) for one in translations)
    chosen = next((row for row in rows if row.chosen), None)
    name = home.name if home else (card.name if card else seen.external_id)
    kind = home.kind if home else (card.kind if card else "unknown")
    year = home.year if home else (card.year if card else None)
    return TitleView(
        name=name,
        original_name=(home.original_name if home else None) or (card.original_name if card else None),
        facts=_facts(kind, year, home, len(places), (home.genres if home else ()) or (card.genres if card else ())),
        description=(home.description if home else None) or (card.description if card else None),
        cover_url=f"/covers/{home.cover}" if home and home.cover else None,
        licence=(home.licence if home else None) or (card.licence if card else None),
        external_id=seen.external_id,
        series=places != [(None, None)],
        dubs=rows,
        dub=chosen,
        watch_id=next((pane.watch_id for pane in chosen.panes if pane.watch_id), None) if chosen else None,
        watch_now=_watch_now(seen, chosen),
        get=_getting(chosen) if seen.source else None,
        on_disk=tuple(_on_disk(video, name) for video in videos),
        disk_size=words.size(sum(video.size_bytes for video in videos)) if videos else None,
        people=", ".join(card.people[:PEOPLE_NAMED]) or None if card else None,
        ids=tuple(one for one in (seen.external_id, home.imdb_id if home else None) if one),
        note=_note(seen),
        lacking=tuple(found for wish in seen.wishes if (found := lacking(wish, name_of(wish)))),
        removed_id=removed_id,
    )


def _watch_now(seen: Seen, chosen: DubRow | None) -> str | None:
    """Return the first episode that can be watched while it comes; specials come after the others."""
    can = [pane for pane in chosen.panes if pane.state in ("get", "coming")] if chosen and seen.source else []
    first = min(can, key=lambda pane: (pane.place[0] == 0, pane.place[1] == 0), default=None)
    return first.value if first else None


def _getting(chosen: DubRow | None) -> Getting | None:
    panes = chosen.panes if chosen else ()
    return getting(panes) if any(pane.state == "get" for pane in panes) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dub:
    """What is known of one dub, from its source or from the disk."""

    translation_id: str
    name: str
    kind: str
    language: str | None
    heights_px: tuple[int, ...]
    names: dict[Place, str | None]  # of the episodes that can be had


def _translations(seen: Seen) -> list[_Dub]:
    """Return the dubs, the source's first."""
    known: dict[str, _Dub] = {}
    for one in seen.source.translations if seen.source else ():
        known[one.translation_id] = _of_source(one)
    for video in seen.home.videos if seen.home else ():
        if video.translation_id not in known:
            known[video.translation_id] = _Dub(
                translation_id=video.translation_id,
                name=video.translation_name,
                kind=video.translation_kind,
                language=video.language,
                heights_px=(video.height_px,) if video.height_px else (),
                names={},
            )
    return list(known.values())


def _of_source(one: Translation) -> _Dub:
    return _Dub(
        translation_id=one.translation_id,
        name=one.name,
        kind=one.kind,
        language=one.language,
        heights_px=one.heights_px,
        names={(ref.season, ref.episode): ref.name for ref in one.episodes},
    )


def _places(translations: list[_Dub], videos: tuple[Video, ...]) -> list[Place]:
    found: set[Place] = {(video.season, video.episode) for video in videos}
    for one in translations:
        found |= set(one.names)
    return sorted(found, key=lambda place: (place[0] or 0, -1 if place[1] is None else place[1]))


def _chosen(translations: list[_Dub], videos: tuple[Video, ...], dub: str | None) -> str | None:
    ids = [one.translation_id for one in translations]
    if dub in ids:
        return dub
    on_disk = {video.translation_id for video in videos}
    return next((one for one in ids if one in on_disk), ids[0] if ids else None)


def _row(
    one: _Dub, places: list[Place], videos: tuple[Video, ...], wishes: tuple[Wish, ...], *, chosen: bool
) -> DubRow:
    panes = tuple(_pane(one, place, videos, wishes) for place in places)
    home = sum(pane.state == "home" for pane in panes)
    present = sum(pane.state != "gone" for pane in panes)
    best = f"{max(one.heights_px)}p" if one.heights_px else ""
    facts = ", ".join(part for part in (words.translation_kind(one.kind), words.language(one.language), best) if part)
    return DubRow(
        translation_id=one.translation_id,
        name=words.dub(one.name),
        facts=facts,
        count=_("%(present)d of %(all)d, %(home)d on disk", present=present, all=len(places), home=home),
        summary=_summary(panes),
        panes=panes,
        heights_px=tuple(sorted(one.heights_px, reverse=True)),
        chosen=chosen,
    )


def _pane(one: _Dub, place: Place, videos: tuple[Video, ...], wishes: tuple[Wish, ...]) -> Pane:
    here = [v for v in videos if v.translation_id == one.translation_id and (v.season, v.episode) == place]
    best = max(here, key=lambda video: video.height_px or 0, default=None)
    coming = next(
        (
            wish
            for wish in wishes
            if wish.request.translation_id == one.translation_id
            and (wish.request.season, wish.request.episode) == place
            and wish.state in ("wanted", "running", "publishing", "waiting", "paused")
        ),
        None,
    )
    state = "home" if best else "coming" if coming else "get" if place in one.names else "gone"
    season, episode = place
    facts = [words.length(best.duration_s)] if best else []
    facts += [told] if best and (told := words.heights(best)) else []
    facts += [f"{words.percent(coming.progress.fraction)} %"] if coming and not best else []
    return Pane(
        place=place,
        label="" if episode is None else str(episode),
        state=state,
        word=_(WORD_OF_PANE[state]),
        watch_id=best.video_id if best else None,
        wish_id=coming.wish_id if coming and not best else None,
        value=f"{'' if season is None else season}.{'' if episode is None else episode}",
        name=(best.episode_name if best else None) or one.names.get(place) or "",
        facts=", ".join(facts),
    )


def _summary(panes: tuple[Pane, ...]) -> str:
    parts = []
    for state, word in WORD_OF_PANE.items():
        numbers = [pane.label or "1" for pane in panes if pane.state == state]
        if numbers:
            parts.append(f"{', '.join(numbers)}: {_(word)}")
    return "; ".join(parts)


def _facts(kind: str, year: int | None, home: Title | None, count: int, genres: tuple[str, ...]) -> tuple[str, ...]:
    facts = [f"{words.kind(kind)}, {year}" if year else words.kind(kind)]
    if kind == "series":
        facts.append(words.episodes(count))
    if genres:
        facts.append(", ".join(genres[:3]))
    if home and home.score:
        facts.append(_("%(score)s on %(who)s", score=words.tenths(home.score), who=home.score_by or ""))
    return tuple(facts)


def _note(seen: Seen) -> str | None:
    error = seen.source_error
    if isinstance(error, NotFound):
        return _("The source does not have this title any more. What is on the disk stays.")
    return reasons.sentence(error.code, error.detail) if error else None


def _on_disk(video: Video, title: str) -> OnDisk:
    dub, size = words.dub(video.translation_name), words.size(video.size_bytes)
    name = dub if video.episode is None else f"{video.episode}, {dub}"
    facts = ", ".join(part for part in (words.heights(video), size) if part)
    what = f"{title}, {name}" if video.episode is None else f"{title} {name}"
    return OnDisk(
        video_id=video.video_id,
        name=name,
        facts=f"{facts}. {missing_told(video.holes)}" if video.holes else facts,
        question=_("Delete “%(name)s”, %(size)s?", name=what, size=size),
    )
