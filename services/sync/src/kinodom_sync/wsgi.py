"""What gunicorn loads: `gunicorn --no-control-socket -k gevent -w 1 -c gconf.py kinodom_sync.wsgi:app`."""

from __future__ import annotations

import os

from kinodom_common.settings import read_settings
from kinodom_sync.app import SOCKET, create_app
from kinodom_sync.settings import Settings

app = create_app(read_settings(Settings, os.environ))  # noqa: TID251  # the one place that reads it
app.extensions[SOCKET].start()
