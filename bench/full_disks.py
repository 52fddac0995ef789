"""Disks in memory that run full while a film is fetched, packaged and published: `make bench-full-disks` (root).

For 50 sizes, from a disk that is full at the first byte to one that lacks the last page of the metadata, and for some
numbers of files, a worker takes a wish. Each time the wish must wait for space, nothing may be visible and nothing may
lie there but what was fetched; when there is room and the time has come, the wish must go on to the same film without
fetching a finished segment again. Exit code 1 otherwise.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.logs import set_up_logs
from tests.support import media, origin
from tests.support.full_disks import Whole, on_full_disk, sizes, whole_film

if TYPE_CHECKING:
    from tests.support.origin import Origin

EVEN, LAST = (
    35,
    15,
)  # disks spread over all, and one for each of the last pages, where pictures and metadata are written
FEW_FILES = 12


def run(folder: Path, host: Origin, whole: Whole, options: list[str]) -> tuple[Counter[str], list[str]]:
    """Return how far the film came on these disks, and what was wrong."""
    stages: Counter[str] = Counter()
    wrong: list[str] = []
    for number, option in enumerate(options):
        outcome = on_full_disk(folder / str(number), host, option)
        wrong += [f"{option}: {one}" for one in outcome.wrong(whole)]
        stages["packaging" if "packaging" in outcome.stages else "fetching"] += 1
    return stages, wrong


def main() -> int:
    """Print what was found; return the exit code."""
    if os.geteuid() != 0:
        print("Mounting small disks takes root.")
        return 1
    set_up_logs("bench", "CRITICAL")
    with origin.origin() as host, tempfile.TemporaryDirectory(prefix="kinodom-bench-") as name:
        host.put(media.hls_ts())
        folder = Path(name)
        whole = whole_film(folder / "whole", host)
        full = [f"size={size}" for size in sizes(whole, EVEN, LAST)]
        few = [f"nr_inodes={2 + (whole.inodes - 3) * number // (FEW_FILES - 1)}" for number in range(FEW_FILES)]
        failed = False
        for what, options in (("too small", full), ("without room for so many files", few)):
            stages, wrong = run(folder / what, host, whole, options)
            print(
                f"{len(options)} disks {what} ({stages['fetching']} full while fetching, {stages['packaging']} later): "
                f"{len(wrong)} faults; goal 0"
            )
            print(*(f"  {one}" for one in wrong), sep="\n", end="\n" if wrong else "")
            failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
