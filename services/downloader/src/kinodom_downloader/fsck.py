"""Compares the disk with the catalogue: `python -m kinodom_downloader.fsck`, or `make fsck`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from kinodom_common.errors import KinodomError
from kinodom_common.settings import read_settings
from kinodom_downloader.settings import CheckSettings
from kinodom_downloader.wiring import check_house

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO


def main(words: Sequence[str], environ: Mapping[str, str], out: TextIO) -> int:
    """Tell on `out` what is wrong; return 0 when all is well now, else 1."""
    parser = argparse.ArgumentParser(prog="fsck", description="Compares the films on the disk with the catalogue.")
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    parser.add_argument("--sums", action="store_true", help="read every file whole and compare its SHA-256")
    given = parser.parse_args(words)
    return tell(read_settings(CheckSettings, environ), out, repair=given.repair, with_sums=given.sums)


def tell(settings: CheckSettings, out: TextIO, *, repair: bool, with_sums: bool) -> int:
    """Look, and say what was found and how it stands."""
    try:
        seen = check_house(settings, lambda line: print(line, file=out), repair=repair, with_sums=with_sums)
    except KinodomError as exc:
        print(f"It could not be checked: {exc.detail}", file=out)
        return 1
    left = seen.found - seen.mended
    print(
        f"{seen.folders} folders, {seen.rows} rows of the catalogue; {seen.found} found wrong, {left} left.", file=out
    )
    return 0 if seen.is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdout))  # noqa: TID251  # the one place
