"""How gunicorn runs the sync service. One worker: a connection belongs to one process. Scale by replicas."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

worker_class = "gevent"
workers = 1
worker_connections = 4096
graceful_timeout = 5
keepalive = 0  # an idle connection that is kept open would hold up the stop; sockets are not concerned
control_socket_disable = True
accesslog = None  # the app logs its requests; a socket would be one line when it ends


def post_worker_init(worker: Any) -> None:
    """Make SIGTERM close the open sockets: gunicorn would wait for them until its grace is over."""
    import gevent  # this file is read before the worker patches the standard library

    from kinodom_sync.app import SOCKET  # so nothing of the app may be imported above

    before = signal.getsignal(signal.SIGTERM)
    live = worker.wsgi.extensions[SOCKET]

    def stop(number: int, frame: FrameType | None) -> None:
        gevent.spawn(live.close)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)
