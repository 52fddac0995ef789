"""What the failure of a piece means: how much patience it deserves, and how it is told in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinodom_common.egress import OutsideNotFound, OutsideTooLarge
from kinodom_common.errors import KinodomError, NotFound, UpstreamFailed
from kinodom_downloader.domain import gate
from kinodom_downloader.domain.faults import KeyBad, LinkExpired, SegmentBad, SegmentMissing, SegmentUnreachable

if TYPE_CHECKING:
    from kinodom_downloader.adapters.pieces import Job
    from kinodom_downloader.adapters.worker_thread import Retry
    from kinodom_downloader.adapters.workfolder import WorkFolder


def patience(error: KinodomError | gate.NotThatMedia, retry: Retry) -> tuple[int, str]:
    """Return how many attempts a failure deserves, and what it is counted as."""
    if isinstance(error, (gate.NotThatMedia, NotFound)):
        return retry.firm_attempts, type(error).__name__
    if isinstance(error, OutsideTooLarge) or not isinstance(error, UpstreamFailed):
        return 1, "final"
    status = error.facts.get("status")
    if isinstance(status, int) and status < 500 and status not in (408, 425, 429):
        return retry.firm_attempts, "refused"
    return retry.attempts, "passing"


def told(job: Job, error: KinodomError | gate.NotThatMedia, folder: WorkFolder) -> KinodomError:
    """Return the failure of a piece by name: which one, and what came instead."""
    track = folder.plan.tracks[job.track]
    number, count = job.index + 1, len(track.segments)
    where = f"segment {number} of {count} ({track.role})"
    facts = {"track": job.track, "segment": number, "segments": count}
    if isinstance(error, gate.NotThatKey):
        return KeyBad(f"The key of {where} is no key: the source sent {error}.", **facts)
    if isinstance(error, gate.NotThatMedia):
        return SegmentBad(f"Instead of {where} the source sent {error}. The other segments are kept.", **facts)
    if isinstance(error, OutsideNotFound):
        return SegmentMissing(f"The host says that {where} does not exist. The others are kept.", **facts)
    status = error.facts.get("status")
    if status in (401, 403):
        return LinkExpired(f"The host does not give us {where} any more ({status}); a fresh link is needed.", **facts)
    if isinstance(error, UpstreamFailed) and not isinstance(error, OutsideTooLarge):
        asked_s = error.facts.get("retry_after_s")
        reason = error.detail.rstrip(".")
        return SegmentUnreachable(
            f"{where[0].upper()}{where[1:]} did not come: {reason}. The others are kept.",
            retry_after_s=asked_s,
            **facts,
        )
    return error
