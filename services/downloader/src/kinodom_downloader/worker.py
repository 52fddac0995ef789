"""Entry point of a worker: `python -m kinodom_downloader.worker`; the only reader of its environment."""

import os

from kinodom_common.logs import set_up_logs
from kinodom_common.queueing import connect, make_worker
from kinodom_common.settings import read_settings
from kinodom_downloader import jobs, wiring
from kinodom_downloader.adapters.news import QUEUE
from kinodom_downloader.settings import WorkerSettings


def main() -> None:
    """Work until told to stop."""
    settings = read_settings(WorkerSettings, os.environ)  # noqa: TID251  # the one place
    set_up_logs("downloader-worker", settings.log_level)
    connection = connect(settings.redis_url.get_secret_value())
    sweep, bereaved = wiring.sweeper(settings), wiring.bereaved(settings)
    worker = make_worker(QUEUE, connection, jobs.table(settings), sweep=sweep, bereaved=bereaved)
    worker.work(logging_level=settings.log_level)


if __name__ == "__main__":
    main()
