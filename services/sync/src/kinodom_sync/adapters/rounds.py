"""Things done again and again beside the connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.logs import get_log

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_log(__name__)


def go_round(name: str, period_s: float, act: Callable[[], object]) -> None:
    """Call `act` for ever, `period_s` apart. A failure is logged when it begins and when it is over."""
    failing = False
    while True:
        try:
            act()
        except KinodomError as exc:
            if not failing:
                log.warning("round_failed", round=name, error=exc.detail)
            failing = True
        except Exception:  # the stream loop: it must go on
            log.error("round_failed", round=name, exc_info=True)
            failing = True
        else:
            if failing:
                log.info("round_recovered", round=name)
            failing = False
        time.sleep(period_s)  # gevent's, in the worker
