"""A worker of the downloader that has started and waits: prints `ready`, fetches at `go`, prints what that took.

python -m bench.download_child URL FOLDER CONNECTIONS
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from kinodom_common.contracts.offers import Offer
from kinodom_common.egress import EgressRules, target_of
from kinodom_downloader.adapters.engine import Transport, fetch


def cpu_s() -> float:
    """Return the processor time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(url: str, folder: str, connections: str) -> None:
    """Fetch into a folder, as the fetcher of a worker does."""
    rules = EgressRules(allow_lan=frozenset({("127.0.0.1", target_of(url).port)}))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    before_s = cpu_s()
    fetch(
        Offer(source="bench", url=url, delivery="hls"),
        Path(folder),
        transport=Transport(rules=rules, user_agent="Kinodom bench"),
        workers=int(connections),
        on_progress=lambda _progress: None,
        should_stop=lambda: False,
    )
    sys.stdout.write(f"{cpu_s() - before_s}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
