"""A process that fetches from the origin of the tests until it is done or killed; then it says its peak memory, kB.

python -m tests.support.fetch_child ADDRESS ENTRY FOLDER [DELIVERY]
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from kinodom_common.contracts.offers import Offer
from kinodom_common.egress import EgressRules, target_of
from kinodom_downloader.adapters.engine import Transport, fetch


def main(address: str, entry: str, folder: str, workers: int | str = 4, delivery: str = "progressive") -> None:
    """Fetch into a folder."""
    rules = EgressRules(allow_lan=frozenset({("127.0.0.1", target_of(address).port)}))
    fetch(
        Offer.model_validate({"source": "test", "url": f"{address}{entry}", "delivery": delivery}),
        Path(folder),
        transport=Transport(rules=rules, user_agent="Kinodom test"),
        workers=int(workers),
        on_progress=lambda _progress: None,
        should_stop=lambda: False,
    )
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
