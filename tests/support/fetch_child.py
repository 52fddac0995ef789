"""A process that fetches from the origin of the tests until it is done or killed: `origin address, entry, folder`."""

from __future__ import annotations

import sys
from pathlib import Path

from kinodom_common.contracts.offers import Offer
from kinodom_common.egress import EgressRules, target_of
from kinodom_downloader.adapters.engine import Transport, fetch


def main(address: str, entry: str, folder: str, workers: int = 4) -> None:
    """Fetch into a folder."""
    rules = EgressRules(allow_lan=frozenset({("127.0.0.1", target_of(address).port)}))
    fetch(
        Offer(source="test", url=f"{address}{entry}", delivery="progressive"),
        Path(folder),
        transport=Transport(rules=rules, user_agent="Kinodom test"),
        workers=workers,
        on_progress=lambda _progress: None,
        should_stop=lambda: False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
