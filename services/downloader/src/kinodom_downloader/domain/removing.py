"""A film leaves the house and, for a while, can be brought back.

Each removal is first written down as an errand, then done: the wish goes, the catalogue forgets the video, the folder
moves into the trash by one rename. Whatever stops it on the way, the sweep does the rest; until the catalogue has
forgotten the video, its folder is there and plays.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from kinodom_common.contracts.videos import RemovedVideo, RestoredVideo
from kinodom_common.errors import NotFound, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_downloader.domain import wishes as rules
from kinodom_downloader.domain.room import KeepFree

if TYPE_CHECKING:
    from collections.abc import Callable

    from kinodom_common.contracts.videos import VideoIn
    from kinodom_downloader.domain.ports import Shelf, Wishes
    from kinodom_downloader.domain.room import Disk

log = get_log(__name__)

DAY_S = 86_400.0


class NotInTrash(NotFound):
    """The video cannot be brought back: it was deleted for good, or never here."""

    code = "not_in_trash"
    title = "It cannot be brought back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something that is to become of a video, whatever happens meanwhile. One per video: a later one replaces it."""

    video_id: str
    kind: Literal["remove", "restore"]
    at_s: float  # when somebody asked, seconds since 1970
    for_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """A folder in the trash."""

    name: str
    at_s: float  # since when it lies there, seconds since 1970


class Errands(Protocol):
    """What is still to be done, in the store."""

    def put(self, errand: Errand) -> None:
        """Store an errand in place of an earlier one for the same video."""

    def every(self) -> list[Errand]:
        """Return all errands."""

    def drop(self, errand: Errand) -> None:
        """Delete this errand; a later one for the same video stays."""


class Trash(Protocol):
    """The folders of the films, and the trash beside them."""

    def shown(self, video_id: str) -> bool:
        """Tell whether a folder of this video is in the library, whole or not."""

    def published(self, video_id: str) -> VideoIn | None:
        """Return what the folder of this video holds when it is there and whole."""

    def discard(self, video_id: str, *, now_s: float, for_good: bool) -> None:
        """Take the folder of a video out of the library: into the trash, or for good. None there is no mistake."""

    def bring_back(self, video_id: str) -> None:
        """Move the newest whole folder of this video back into the library, if the trash has one."""

    def trashed(self) -> list[Trashed]:
        """Return what lies in the trash, the oldest first."""

    def size_bytes(self, name: str) -> int:
        """Return what a folder of the trash takes."""

    def throw_away(self, name: str) -> None:
        """Delete a folder of the trash for good."""

    def disk(self) -> Disk:
        """Return how full the disk is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalDesk:
    """What removing works with."""

    wishes: Wishes
    errands: Errands
    trash: Trash
    shelf: Shelf
    clock: Callable[[], float]  # seconds since 1970
    keep_s: float = 7 * DAY_S  # how long the trash keeps a film; 0: not at all
    keep_free: KeepFree = KeepFree()  # noqa: RUF009  # frozen


def remove(video_id: str, *, desk: RemovalDesk, for_good: bool) -> RemovedVideo:
    """Take a video off the disk, out of the catalogue and off the list of wishes; again, or without one, is the same.

    It is written down first. When the catalogue does not answer, all of it is done later by the sweep, and until then
    the film stays as it is.

    Args:
        video_id: of the video, which is the id of its wish and of its folder.
        desk: what it works with.
        for_good: past the trash, without a way back.

    Raises:
        WishBusy: the film is being put on the shelf this very moment.
    """
    now_s = desk.clock()
    for_good = for_good or desk.keep_s <= 0
    errand = Errand(video_id=video_id, kind="remove", at_s=now_s, for_good=for_good)
    _check_stoppable(video_id, now_s, desk)
    kept = not for_good and desk.trash.shown(video_id)
    desk.errands.put(errand)
    _try(errand, desk)
    until = datetime.fromtimestamp(now_s + desk.keep_s, UTC) if kept else None
    return RemovedVideo(video_id=video_id, restorable_until=until)


def restore(video_id: str, *, desk: RemovalDesk) -> RestoredVideo:
    """Bring a removed video back to the shelf; one that is there stays.

    Raises:
        NotInTrash: it is not in the trash any more.
    """
    errand = Errand(video_id=video_id, kind="restore", at_s=desk.clock())
    desk.errands.put(errand)
    _try(errand, desk)
    return RestoredVideo(video_id=video_id)


def sweep(*, desk: RemovalDesk) -> None:
    """Do what was left undone, and throw away what has lain in the trash long enough or stands in the way."""
    for errand in desk.errands.every():
        with suppress(NotInTrash):
            _try(errand, desk)
    now_s = desk.clock()
    for one in desk.trash.trashed():
        if now_s - one.at_s >= desk.keep_s:
            desk.trash.throw_away(one.name)
            log.info("trash_thrown_away", folder=one.name)
    make_room(0, trash=desk.trash, keep=desk.keep_free)


def make_room(needed_bytes: int, *, trash: Trash, keep: KeepFree) -> None:
    """Throw the oldest of the trash away until so much more fits on the disk and its floor stays free.

    A film for which all of the trash would not be enough leaves it alone: it does not fit in any case.
    """
    waiting: list[Trashed] | None = None
    while (disk := trash.disk()).free_bytes < keep.floor_bytes(disk) + needed_bytes:
        if waiting is None:
            waiting = trash.trashed()
            missing_bytes = keep.floor_bytes(disk) + needed_bytes - disk.free_bytes
            if needed_bytes and sum(trash.size_bytes(one.name) for one in waiting) < missing_bytes:
                return
        if not waiting:
            return
        oldest = waiting.pop(0)
        trash.throw_away(oldest.name)
        log.info("trash_made_room", folder=oldest.name)


def _check_stoppable(video_id: str, now_s: float, desk: RemovalDesk) -> None:
    for wish in desk.wishes.some([video_id]):
        rules.check_stoppable(wish, now_s=now_s)


def _try(errand: Errand, desk: RemovalDesk) -> None:
    """Do an errand now if that is possible; what cannot be done now stays written down."""
    try:
        (_remove if errand.kind == "remove" else _restore)(errand, desk)
    except (UpstreamFailed, rules.WishBusy) as exc:
        log.warning("errand_put_off", video_id=errand.video_id, kind=errand.kind, code=exc.code)
        return
    except NotInTrash:
        desk.errands.drop(errand)
        raise
    desk.errands.drop(errand)


def _remove(errand: Errand, desk: RemovalDesk) -> None:
    video_id = errand.video_id
    while wish := next(iter(desk.wishes.some([video_id])), None):
        if wish.state != "ready" and not desk.trash.shown(video_id):
            break
        if wish.asked_at_s > errand.at_s:
            log.info("removal_outdated", video_id=video_id)  # somebody has asked for it since: it stays
            return
        rules.check_stoppable(wish, now_s=desk.clock())
        if desk.wishes.forget(wish):  # a worker that holds it can show nothing from here on
            break
    desk.shelf.delete_video(video_id)
    desk.trash.discard(video_id, now_s=errand.at_s, for_good=errand.for_good)
    log.info("video_removed", video_id=video_id, for_good=errand.for_good)


def _restore(errand: Errand, desk: RemovalDesk) -> None:
    if desk.trash.published(errand.video_id) is None:
        desk.trash.bring_back(errand.video_id)
    video = desk.trash.published(errand.video_id)
    if video is None:
        raise NotInTrash("This film is not in the trash any more. Open its page to download it again.")
    desk.shelf.register_video(errand.video_id, video)
    log.info("video_restored", video_id=errand.video_id)
