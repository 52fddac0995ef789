"""Entry point of the usher: `python -m kinodom_downloader.usher`; the only reader of its environment."""

import os
from functools import partial

from kinodom_common.logs import set_up_logs
from kinodom_common.settings import read_settings
from kinodom_downloader import jobs, wiring
from kinodom_downloader.settings import WorkerSettings


def main() -> None:
    """Begin what is watched until told to stop."""
    settings = read_settings(WorkerSettings, os.environ)  # noqa: TID251  # the one place
    set_up_logs("downloader-usher", settings.log_level)
    wiring.usher(settings, show=partial(jobs.show, settings), mark=jobs.usher_mark()).run()


if __name__ == "__main__":
    main()
