"""The closed table of jobs: what a queue message may ask of a worker."""

from __future__ import annotations

import os
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING

from rq.exceptions import ShutDownImminentException
from rq.job import Retry

from kinodom_common.errors import KinodomError
from kinodom_common.ids import new_id
from kinodom_common.logs import bound_request_id, get_log
from kinodom_common.queueing import HORSE
from kinodom_downloader import wiring
from kinodom_downloader.adapters.news import FULFIL, REMAKE
from kinodom_downloader.domain import remaking, working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinodom_downloader.settings import WorkerSettings

log = get_log(__name__)


def table(settings: WorkerSettings) -> Mapping[str, Callable[..., Retry | None]]:
    """Return the jobs of this worker by name."""
    return {FULFIL: partial(fulfil, settings), REMAKE: partial(remake, settings)}


def fulfil(settings: WorkerSettings, hinted: str, request_id: str = "") -> Retry | None:
    """Work on the wish whose turn it is; on SIGTERM hand it back and let RQ run it again somewhere else.

    Args:
        settings: of the worker.
        hinted: the wish that is due for one; another may have a better place.
        request_id: of the hint.
    """
    with bound_request_id(request_id):
        return None if _run(settings, hinted, HORSE.id or new_id(), this_one=False) else Retry(max=5)


def remake(settings: WorkerSettings, hinted: str, request_id: str = "") -> None:
    """Add renditions to the film whose turn it is; on SIGTERM hand it back: the sweep finds it again.

    Args:
        settings: of the worker.
        hinted: the film that is due for one; another may have a better place.
        request_id: of the hint.
    """
    tools, token = wiring.remake_tools(settings), HORSE.id or new_id()
    with bound_request_id(request_id):
        try:
            remaking.remake(token=token, tools=tools)
        except ShutDownImminentException:
            remaking.hand_back(token=token, tools=tools)
        except KinodomError as exc:
            log.error("job_failed", hinted=hinted, code=exc.code, detail=exc.detail)
        except Exception as exc:  # the job edge, as below
            log.error("job_broke", hinted=hinted, exc_info=exc)
            remaking.give_up(token=token, tools=tools)


def show(settings: WorkerSettings, wish_id: str) -> None:
    """Fetch a film that somebody watches, in a process of its own; on SIGTERM hand it back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _hand_back)
    _run(settings, wish_id, f"{usher_mark()}{os.getpid()}-{new_id()}", this_one=True)


def _run(settings: WorkerSettings, wish_id: str, token: str, *, this_one: bool) -> bool:
    """Work on a wish, and return false when it was handed back."""
    tools = wiring.tools(settings)  # after the fork: connections are not shared with the parent
    try:
        working.fulfil(token=token, tools=tools, wish_id=wish_id if this_one else None)
    except (working.HandedBack, ShutDownImminentException):
        working.hand_back(token=token, tools=tools)
        return False
    except KinodomError as exc:
        # The store itself is away: the lease lapses and the sweeper finds the wish again.
        log.error("job_failed", hinted=wish_id, code=exc.code, detail=exc.detail)
    except Exception as exc:  # the job edge: a mistake of ours ends as a state, not as silence
        log.error("job_broke", hinted=wish_id, exc_info=exc)
        working.give_up(token=token, tools=tools)
    return True


def usher_mark() -> str:
    """Return how tokens of this machine's usher begin; in Compose each container has a name of its own."""
    return f"usher-{socket.gethostname()}-"


def _hand_back(_number: int, _frame: object) -> None:
    raise working.HandedBack("The usher has to stop.")
