"""Entry point of the gateway; the only reader of its environment."""

import os

from kinodom_common.settings import read_settings
from kinodom_gateway.app import create_app
from kinodom_gateway.settings import Settings

app = create_app(read_settings(Settings, os.environ))  # noqa: TID251  # the one place
