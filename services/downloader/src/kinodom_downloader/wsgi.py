"""Entry point of the web service; the only reader of its environment."""

import os

from kinodom_common.settings import read_settings
from kinodom_downloader.app import create_app
from kinodom_downloader.settings import WebSettings

app = create_app(read_settings(WebSettings, os.environ))  # noqa: TID251  # the one place
