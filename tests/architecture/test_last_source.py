"""A new built-in source is one file, one line of the registry, one test file and one row of docs."""

from __future__ import annotations

import re

from kinodom_resolver.sources import BUILT_IN
from tests.support.code import ROOT, tracked

LAST = "nasa"  # the source that was added last
ITS_OWN = {"services/resolver/src/kinodom_resolver/sources/nasa.py", "tests/unit/resolver/test_nasa.py"}
ONE_LINE = {"services/resolver/src/kinodom_resolver/sources/__init__.py", "docs/sources.md", "CHANGELOG.md"}


def lines_about(name: str) -> dict[str, int]:
    word = re.compile(rf"(?<![a-z]){name}(?![a-z])", re.IGNORECASE)
    found = {}
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        count = sum(word.search(line) is not None for line in text.splitlines())
        if count:
            found[str(path.relative_to(ROOT))] = count
    return found


def test_the_last_source_touched_one_file_one_line_one_test_file_and_one_row() -> None:
    about = lines_about(LAST)
    about.pop("tests/architecture/test_last_source.py")
    # Recorded answers of other sites may hold the word.
    about = {path: count for path, count in about.items() if not path.startswith("tests/data/")}

    assert LAST in BUILT_IN
    assert set(about) == ITS_OWN | ONE_LINE
    assert {about[path] for path in ONE_LINE} == {1}
