"""The downloads page: what is coming, what needs somebody, what comes then; the disk and what is done beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import url_for

from kinodom_gateway.i18n import gettext as _
from kinodom_gateway.i18n import mark, ngettext
from kinodom_gateway.presenters import reasons, words
from kinodom_gateway.presenters.holes import lacking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from kinodom_common.contracts.videos import Title
    from kinodom_common.contracts.wishes import DiskRoom, Progress, Wish
    from kinodom_gateway.presenters.holes import Lacking

COMING = ("running", "publishing")
MOVABLE = ("wanted", "waiting", "paused")
OF_THE_DISK = frozenset({"no_space", "media_folder_unusable"})  # it waits for somebody, not for a source
RAIL = 1000  # units of the disk's rail


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """One line of the downloads page."""

    wish_id: str
    name: str
    url: str
    cover_url: str | None  # known once the title is on the shelf
    facts: str
    state: str
    needs: bool  # somebody
    stuck: bool  # it has come so far and no further
    percent: int
    left: str
    right: str
    note: str | None  # what is going on, when nothing is fetched
    reason: str | None  # why somebody is needed
    kept: str | None  # what is kept of it meanwhile
    other_dub: bool  # may help
    lacking: Lacking | None = None  # all but this is there
    earlier: str | None = None  # before which wish it goes; None: it is the first
    later: str | None = None  # the same, empty: behind all; None: it is the last


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneRow:
    """One film that is ready."""

    wish_id: str
    name: str
    watch_url: str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskPanel:
    """How full the disk is, as words and as a rail of `RAIL` units."""

    free: str
    every: str
    told: str  # the rail as a sentence
    parts: tuple[tuple[str, str], ...]  # mark and words
    films_end: int
    other_width: int
    floor_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadsView:
    """Everything the downloads page prints."""

    now: tuple[WishRow, ...]
    pace: str  # how many come at once, and how fast
    needs: tuple[WishRow, ...]
    then: tuple[WishRow, ...]
    behind: str  # how many more there are than are shown; empty: none
    done: tuple[DoneRow, ...]
    disk: DiskPanel | None  # None: nobody could say
    can_pause: bool
    can_resume: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Who looks at the page, and when."""

    viewer_id: str
    names: Mapping[str, str]  # of those who asked, by viewer id
    now: datetime


def downloads_view(
    line: Sequence[Wish],
    done: Sequence[Wish],
    titles: Sequence[Title],
    disk: DiskRoom | None,
    *,
    behind: int,
    eyes: Eyes,
) -> DownloadsView:
    """Return the downloads page, each wish in the part that its state says.

    Args:
        line: the first wishes of the queue.
        done: the last that are ready.
        titles: of the shelf, for their pictures.
        disk: how full it is; None: nobody could say.
        behind: how many wishes stand behind those of `line`.
        eyes: who looks, and when.
    """
    covers = {one: title.cover for title in titles for one in title.external_ids}
    rows = [(wish, wish_row(wish, covers.get(wish.request.external_id), eyes=eyes)) for wish in line]
    return DownloadsView(
        now=tuple(row for wish, row in rows if wish.state in COMING),
        pace=_pace([wish for wish in line if wish.state in COMING]),
        needs=tuple(row for _wish, row in rows if row.needs),
        then=_placed([row for wish, row in rows if wish.state in MOVABLE and not row.needs]),
        done=tuple(_done_row(wish, eyes.now) for wish in done),
        disk=_disk(disk) if disk and disk.total_bytes else None,
        behind=ngettext("%(num)d more stands behind these.", "%(num)d more stand behind these.", behind)
        if behind
        else "",
        can_pause=any(wish.state in ("running", "wanted", "waiting") for wish in line),
        can_resume=any(wish.state == "paused" for wish in line),
    )


def left_note(wish: Wish) -> dict[str, str]:
    """Return what the page needs to say that a wish has left the queue, and to put it back: the fields of the form."""
    request = wish.request
    season, episode = ("" if part is None else str(part) for part in (request.season, request.episode))
    return {
        "name": name_of(wish),
        "external_id": request.external_id,
        "translation_id": request.translation_id,
        "height_px": str(request.height_px or ""),
        "episodes": f"{season}.{episode}",
    }


def needs_somebody(wish: Wish) -> bool:
    """Tell whether a wish does not go on without a person."""
    return wish.state == "refused" or (wish.state == "waiting" and wish.reason_code in OF_THE_DISK)


def _placed(rows: Sequence[WishRow]) -> tuple[WishRow, ...]:
    """Return the rows with where each goes when it is moved by one."""
    ids = [row.wish_id for row in rows]
    return tuple(
        replace(
            row,
            earlier=ids[index - 1] if index else None,
            later=None if index == len(ids) - 1 else (*ids, "")[index + 2],
        )
        for index, row in enumerate(rows)
    )


def _pace(coming: Sequence[Wish]) -> str:
    count = ngettext("%(num)d at once", "%(num)d at once", len(coming))
    speed = words.speed(sum(wish.progress.speed_bytes_s or 0 for wish in coming))
    return f"{count}, {speed}" if speed else count


def wish_row(wish: Wish, cover: str | None, *, eyes: Eyes) -> WishRow:
    """Return one line of the downloads page."""
    progress, needed = wish.progress, needs_somebody(wish)
    coming = wish.state in COMING
    stuck = not coming and progress.fetched_bytes > 0
    so_far = _so_far(progress)
    return WishRow(
        wish_id=wish.wish_id,
        name=name_of(wish),
        url=url_for("pages.external", external_id=wish.request.external_id),
        cover_url=f"/covers/{cover}" if cover else None,
        facts=_facts(wish, eyes),
        state=wish.state,
        needs=needed,
        stuck=stuck,
        percent=words.percent(progress.fraction),
        left=_("Stopped at %(progress)s", progress=so_far) if stuck else so_far,
        right=_going_on(progress) if coming else "",
        note=None if needed else _note(wish, eyes.now),
        reason=(reasons.sentence(wish.reason_code, wish.reason) or None) if needed else None,
        kept=_("What came so far is kept.") if needed and stuck else None,
        other_dub=needed and wish.reason_code not in OF_THE_DISK,
        lacking=lacking(wish, name_of(wish)),
    )


def name_of(wish: Wish) -> str:
    """Return what is coming, with its episode."""
    name = wish.request.title.name
    if wish.request.episode is None:
        return name
    return _("%(name)s, episode %(number)d", name=name, number=wish.request.episode)


def _facts(wish: Wish, eyes: Eyes) -> str:
    request = wish.request
    facts = [words.kind("film")] if request.episode is None else []
    facts += [words.dub(request.translation_name), f"{request.height_px}p" if request.height_px else _("best picture")]
    told = ", ".join(facts) if wish.keep else _("%(facts)s, only to watch", facts=", ".join(facts))
    if request.asked_by == eyes.viewer_id:
        return told
    who = eyes.names.get(request.asked_by)
    return _("%(facts)s. Asked by %(who)s", facts=told, who=who) if who else told


def _so_far(progress: Progress) -> str:
    told = f"{words.percent(progress.fraction)}{words.NBSP}%"
    if not progress.fetched_bytes:
        return told
    have = words.size(progress.fetched_bytes)
    if not progress.total_bytes:
        return f"{told}, {have}"
    return f"{told}, " + _("%(have)s of %(all)s", have=have, all=words.size(progress.total_bytes))


def _going_on(progress: Progress) -> str:
    """Return the speed and the time left while parts come, and the stage in words at any other time."""
    told = [words.speed(progress.speed_bytes_s or 0), words.left(progress.left_s or 0)]
    fetching = [part for part in told if part] if progress.stage == "fetching" else []
    return ", ".join(fetching) or words.stage(progress.stage)


NOTES = {"wanted": mark("Waits for its turn"), "paused": mark("Paused")}


def _note(wish: Wish, now: datetime) -> str:
    """Return why nothing is fetched just now, and when it goes on; or what is odd about what is fetched."""
    if wish.state in COMING:
        anew = _("The source has changed the film, so it comes from the beginning.") if wish.progress.anew else ""
        return anew or _recorded(wish.progress)
    if wish.state != "waiting":
        return _(NOTES.get(wish.state, ""))
    why = reasons.sentence(wish.reason_code, wish.reason)
    again_s = (wish.next_try_at - now).total_seconds() if wish.next_try_at else 0.0
    when = _("It is tried again %(when)s.", when=words.ahead(again_s))
    return f"{why} {when}".strip()


def _recorded(progress: Progress) -> str:
    """Return how much there is of what may be a broadcast; nothing of a film whose list has an end."""
    if not progress.endless or progress.duration_s is None:
        return ""
    return _("Live: recorded %(length)s, the source may have more by now", length=words.length(progress.duration_s))


def _done_row(wish: Wish, now: datetime) -> DoneRow:
    size_bytes = wish.progress.total_bytes
    facts = [words.ago((now - wish.changed_at).total_seconds()), words.size(size_bytes) if size_bytes else ""]
    facts.append(_recorded(wish.progress))
    return DoneRow(
        wish_id=wish.wish_id,
        name=name_of(wish),
        watch_url=url_for("watching.watch", video_id=wish.wish_id),
        facts=", ".join(part for part in facts if part),
    )


def _disk(disk: DiskRoom) -> DiskPanel:
    floor = min(disk.keep_free_bytes, disk.free_bytes)
    other = max(0, disk.total_bytes - disk.free_bytes - disk.library_bytes)
    free, every, films, rest, use, kept = (
        words.size(one)
        for one in (disk.free_bytes, disk.total_bytes, disk.library_bytes, other, disk.free_bytes - floor, floor)
    )
    parts = (
        ("home", _("%(size)s films", size=films)),
        ("", _("%(size)s to use", size=use)),
        ("other", _("%(size)s other", size=rest)),
        ("gone", _("%(size)s kept free", size=kept)),
    )
    units = RAIL / disk.total_bytes
    return DiskPanel(
        free=free,
        every=every,
        told=", ".join(told for _mark, told in parts),
        parts=parts,
        films_end=round(disk.library_bytes * units),
        other_width=round(other * units),
        floor_at=round((disk.total_bytes - floor) * units),
    )
