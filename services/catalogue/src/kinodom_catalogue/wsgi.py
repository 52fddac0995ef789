"""What gunicorn runs: `gunicorn kinodom_catalogue.wsgi:app`."""

from __future__ import annotations

import os

from kinodom_catalogue.app import create_app
from kinodom_catalogue.settings import Settings
from kinodom_common.settings import read_settings

app = create_app(read_settings(Settings, os.environ))  # noqa: TID251  # the one reader of the environment
