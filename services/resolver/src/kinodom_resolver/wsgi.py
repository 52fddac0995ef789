"""What gunicorn runs: `gunicorn kinodom_resolver.wsgi:app`."""

from __future__ import annotations

import os

from kinodom_common.settings import read_settings
from kinodom_resolver.app import create_app
from kinodom_resolver.settings import Settings
from kinodom_resolver.wiring import warm_up

app = create_app(read_settings(Settings, os.environ))  # noqa: TID251  # the one reader of the environment
warm_up()
