"""The fetch engine, started and waiting: prints `ready`, fetches at `go`, prints what that took.

    python -m bench.download_child URL FOLDER CONNECTIONS

It is the engine by itself. A worker of the downloader holds the queue, the store and the shapes of the wire beside it;
`bench.download` prints what an idle one takes.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path

from kinodom_common.egress import EgressRules, target_of
from kinodom_downloader.adapters.engine import Transport, fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Where it is, as an offer says it."""

    url: str
    delivery: str = "hls"
    height_px: int | None = None
    duration_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)
    subtitles: tuple[()] = ()


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
        Film(url=url),
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
