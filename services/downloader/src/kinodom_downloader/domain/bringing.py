"""One offer after another, until one of them stands on the shelf: each is fetched, packaged and shown, or it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError, NoSpace, NotFound, Rejected, UpstreamFailed
from kinodom_common.logs import get_log
from kinodom_downloader.domain import watching
from kinodom_downloader.domain.faults import LinkExpired, SegmentGap
from kinodom_downloader.domain.holes import OF_PIECES
from kinodom_downloader.domain.room import check_room, needed_bytes
from kinodom_downloader.domain.turns import Turns
from kinodom_downloader.domain.wishes import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kinodom_common.contracts.offers import Offer
    from kinodom_common.contracts.videos import VideoIn
    from kinodom_common.contracts.wishes import Progress
    from kinodom_downloader.domain.holes import Leave
    from kinodom_downloader.domain.working import Run, Tools

log = get_log(__name__)


class NoOffer(NotFound):
    """Every source answered, and none has this."""

    code = "no_offer"
    title = "Nobody offers this now"


def bring(run: Run, tools: Tools, *, should_stop: Callable[[], bool]) -> VideoIn:
    """Try the offers in their order until one is published; when all fail, the error of one stands for them.

    An offer that cannot be packaged has failed like one that cannot be fetched: its film may be sound elsewhere. A film
    from which nothing is missing is preferred, so every offer is tried for that first.
    """
    wish = run.wish
    turns = Turns(
        lambda fresh: tools.resolver.offers(wish.request, fresh=fresh).offers,
        wish.request.height_px,
        fresh=not wish.request.watch or wish.attempt > 1,
    )
    failure: KinodomError = NoOffer(
        "No source has this film in this dub now. Choose another dub, or try again another day."
    )
    lacking: list[tuple[Offer, KinodomError]] = []
    for offer in turns:
        check_hours(run, tools)
        try:
            _check_room(run, tools, offer.size_bytes, there_bytes=tools.library.parts_bytes(wish.wish_id))
        except NoSpace as exc:  # another offer may be smaller, or sources tell lies about sizes
            failure = _graver(failure, exc)
            continue
        try:
            return _brought(run, offer, tools, "nothing", should_stop=should_stop)
        except LeaseLost:
            raise
        except (NotFound, Rejected, UpstreamFailed) as exc:
            log.warning("offer_failed", wish_id=wish.wish_id, source=offer.source, code=exc.code)
            failure = _graver(failure, exc)
            lacking += [(offer, exc)] if isinstance(exc, (SegmentGap, *OF_PIECES)) else []
            if not (isinstance(exc, LinkExpired) and turns.ran_out(offer)):
                tools.resolver.tell(wish.request, offer, played=False)
    return _brought_with_holes(run, tools, lacking, failure, should_stop=should_stop)


def _brought_with_holes(
    run: Run,
    tools: Tools,
    lacking: Sequence[tuple[Offer, KinodomError]],
    failure: KinodomError,
    *,
    should_stop: Callable[[], bool],
) -> VideoIn:
    """Publish a film without what its source says is missing, and without more only if somebody has said so.

    Else all that is missing is named in the end, so that somebody can say so.

    Args:
        run: of the wish.
        tools: of the worker.
        lacking: offers that failed because pieces are missing, each with how.
        failure: of all offers.
        should_stop: asked a few times a second.
    """
    leave: Leave = "any" if run.wish.with_holes else "gaps"
    for offer, first in lacking:
        if isinstance(first, SegmentGap) and leave == "gaps" and _may_be_whole_soon(run, tools, failure):
            continue
        try:
            return _brought(run, offer, tools, leave, should_stop=should_stop)
        except LeaseLost:
            raise
        except (NotFound, Rejected, UpstreamFailed) as exc:
            log.warning("offer_failed", wish_id=run.wish.wish_id, source=offer.source, code=exc.code, leave=leave)
            failure = exc if failure is first else failure
    raise failure


def _may_be_whole_soon(run: Run, tools: Tools, failure: KinodomError) -> bool:
    """Tell whether another offer failed with what may pass, and nobody waits."""
    hopeful = run.wish.waits < watching.HOPEFUL_WAITS and not watching.is_watched(run.wish, now_s=tools.clock())
    return hopeful and isinstance(failure, UpstreamFailed | NoSpace)


def check_hours(run: Run, tools: Tools) -> None:
    """Return while films may be fetched, or somebody watches this one; raises OutsideHours."""
    now_s = tools.clock()
    tools.hours.check(tools.time_of_day_s(now_s), watched=watching.is_watched(run.wish, now_s=now_s))


def _graver(before: KinodomError, now: KinodomError) -> KinodomError:
    """Return the error that stands for both: as long as one offer may work by itself some time, the wish waits."""
    return before if isinstance(before, UpstreamFailed | NoSpace) else now


def _brought(run: Run, offer: Offer, tools: Tools, leave: Leave, *, should_stop: Callable[[], bool]) -> VideoIn:
    fetched = tools.fetch(
        offer,
        tools.library.work_folder(run.wish.wish_id),
        wanted_height_px=run.wish.request.height_px,
        on_progress=lambda progress: _heard(run, progress, tools),
        should_stop=should_stop,
        hurry=watching.is_watched(run.wish, now_s=tools.clock()),
        leave=leave,
    )
    video = tools.library.publish(
        run.wish, fetched, offer, fence=run.fence, on_packaged=run.packaged, should_stop=should_stop
    )
    tools.resolver.tell(run.wish.request, offer, played=True)
    return video


def _heard(run: Run, progress: Progress, tools: Tools) -> None:
    """Note progress and look at the disk: what the source did not declare is known once the parts are listed."""
    run.note(progress)
    check_hours(run, tools)
    _check_room(run, tools, progress.total_bytes, there_bytes=progress.fetched_bytes)


def _check_room(run: Run, tools: Tools, size_bytes: int | None, *, there_bytes: int) -> None:
    """Return when the film fits beside those that others are fetching.

    Raises:
        NoSpace: it does not, not even with an empty trash.
    """
    needed = needed_bytes(size_bytes, there_bytes=there_bytes) + run.promised_bytes
    tools.make_room(needed)
    check_room(tools.library.disk(), tools.keep_free, needed_bytes=needed)
