"""The catalogue's worker: `python -m kinodom_catalogue.worker`."""

from __future__ import annotations

import os

from kinodom_catalogue.domain.enrichment import wake
from kinodom_catalogue.jobs import make_catalogue_worker
from kinodom_catalogue.settings import Settings
from kinodom_catalogue.wiring import build_worker
from kinodom_common.logs import set_up_logs
from kinodom_common.settings import read_settings


def main() -> None:
    """Work until told to stop."""
    settings = read_settings(Settings, os.environ)  # noqa: TID251  # the one reader of the environment
    set_up_logs("catalogue-worker", settings.log_level)
    deps = build_worker(settings)
    wake(shelf=deps.shelf, providers=deps.providers, now=deps.clock())
    make_catalogue_worker(settings, deps).work()


if __name__ == "__main__":
    main()
