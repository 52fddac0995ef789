"""The closed table of jobs: what a queue message may ask of a worker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rq.exceptions import ShutDownImminentException
from rq.job import Retry

from kinodom_common.errors import KinodomError
from kinodom_common.ids import new_id
from kinodom_common.logs import bound_request_id, get_log
from kinodom_downloader import wiring
from kinodom_downloader.adapters.news import FULFIL
from kinodom_downloader.domain import working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_downloader.settings import WorkerSettings

log = get_log(__name__)


def table(settings: WorkerSettings) -> Mapping[str, Callable[..., Retry | None]]:
    """Return the jobs of this worker by name."""
    return {FULFIL: partial(fulfil, settings)}


def fulfil(settings: WorkerSettings, hinted: str, request_id: str = "") -> Retry | None:
    """Work on the wish whose turn it is; on SIGTERM hand it back and let RQ run it again somewhere else.

    Args:
        settings: of the worker.
        hinted: the wish that is due for one; another may have a better place.
        request_id: of the hint.
    """
    token = new_id()
    tools = wiring.tools(settings)  # in the work horse, after the fork: connections are not shared with the parent
    with bound_request_id(request_id):
        try:
            working.fulfil(token=token, tools=tools)
        except (working.HandedBack, ShutDownImminentException):
            working.hand_back(token=token, tools=tools)
            return Retry(max=5)
        except KinodomError as exc:
            # The store itself is away: the lease lapses and the sweeper finds the wish again.
            log.error("job_failed", hinted=hinted, code=exc.code, detail=exc.detail)
        except Exception as exc:  # the job edge: a mistake of ours ends as a state, not as silence
            log.error("job_broke", hinted=hinted, exc_info=exc)
            working.give_up(token=token, tools=tools)
    return None
