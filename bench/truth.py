"""Bad media hosts against the fetch engine, judged by the bytes: `make bench-truth`.

For each case the film is either identical to the truth, fetched and packaged, or it fails by name. Anything else is a
silent hole or a failure without a name, and the exit code is 1. With `--peers`, curl and ffmpeg get the same hosts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench.truth_peers import PEERS
from tests.support import origin
from tests.support.bad_origins import CASES, IDENTICAL, outcome_of

if TYPE_CHECKING:
    from tests.support.bad_origins import Case


def verdict_of(case: Case) -> tuple[str, str]:
    """Return the engine's verdict on a case and the words of the failure."""
    with origin.origin() as host, tempfile.TemporaryDirectory() as folder:
        outcome = outcome_of(case, host, Path(folder))
    return outcome.verdict, outcome.words


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="run curl and ffmpeg against the same hosts too")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    chosen = parser.parse_args()
    cases = [case for case in CASES if chosen.only in case.name]
    peers = PEERS if chosen.peers else {}
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("kinodom", *peers)}
    for case in cases:
        verdict, words = verdict_of(case)
        counts["kinodom"][kind_of(verdict)] += 1
        row = f"{case.name:<42} {verdict:<20}"
        for name, run in peers.items():
            peer = run(case)
            counts[name][peer] += 1
            row += f" {name}: {peer:<12}"
        sys.stdout.write(f"{row} {words[:110]}\n".rstrip() + "\n")
        sys.stdout.flush()
    for name, found in counts.items():
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
        sys.stdout.write(f"\n{name}: {len(cases)} cases: {told}")
    ours = counts["kinodom"]
    sys.stdout.write(f"\nsilent holes: {ours['silent hole']}, failures without a name: {ours['unnamed']}; goal 0\n")
    return 1 if ours["silent hole"] or ours["unnamed"] else 0


def kind_of(verdict: str) -> str:
    """Return what a verdict is counted as."""
    if verdict in (IDENTICAL, "silent hole"):
        return verdict
    if verdict == "packaged otherwise":
        return "silent hole"
    return "unnamed" if verdict.startswith("unnamed") else "failed by name"


if __name__ == "__main__":
    sys.exit(main())
