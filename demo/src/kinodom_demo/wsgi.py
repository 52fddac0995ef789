"""What gunicorn runs: `gunicorn kinodom_demo.wsgi:app`."""

from __future__ import annotations

import os

from kinodom_common.settings import read_settings
from kinodom_demo.app import create_app
from kinodom_demo.settings import Settings

app = create_app(read_settings(Settings, os.environ))  # noqa: TID251  # the one reader of the environment
