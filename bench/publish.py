"""Fetching and publishing killed at every system call: `make bench-publish`, or at fewer with `--every 5`.

strace says which system calls a piece of work makes; then it is killed as it makes each of them. Publishing in each
situation that it meets: nothing there, a whole or a broken folder there, a sound lent by another film, the catalogue's
row. Fetching at the calls of all its threads, of MPEG-TS every second time together with the power. And a wish from its
first byte to its row, at each tenth call of its worker's main thread. What is visible then must be whole, and the next
run must bring the same film, once. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from kinodom_common.logs import set_up_logs
from tests.support import origin
from tests.support.publish_scenes import SCENES, killed_everywhere
from tests.support.whole_way import FILMS, fetches_killed, put_films, wishes_killed

RARE = 10  # a whole wish takes two seconds


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth system call (1)")
    every = parser.parse_args().every
    set_up_logs("bench", "CRITICAL")
    with tempfile.TemporaryDirectory(prefix="kinodom-bench-") as name, origin.origin() as host:
        put_films(host)
        folder = Path(name)
        runs = {
            f"publishing, {scene}": partial(killed_everywhere, folder / scene, scene, every=every) for scene in SCENES
        }
        for entry, film in FILMS.items():
            runs[f"fetching, {film}"] = partial(fetches_killed, folder / film, host, entry, every=every)
        runs["all of a wish"] = partial(wishes_killed, folder / "wishes", host, every=RARE * every)
        faults = 0
        for what, run in runs.items():
            kills = run()
            print(f"{what}: {kills.told()}", *kills.faults, sep="\n  ", flush=True)
            faults += len(kills.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
