"""Tries one description of a site: `python -m kinodom_resolver.check_source FILE`, or `make check-source FILE=…`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kinodom_common.egress import parse_allow_lan
from kinodom_resolver.wiring import check_site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


def main(words: Sequence[str], out: TextIO) -> int:
    """Explain the file on `out`; return 0 when it and its examples are good, else 1."""
    parser = argparse.ArgumentParser(prog="check_source", description="Tries the description of a site.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--allow-lan", default="", type=parse_allow_lan, help="host:port at home that may be called")
    given = parser.parse_args(words)
    return 0 if check_site(given.file, given.allow_lan, lambda line: print(line, file=out)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
