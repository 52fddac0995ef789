"""Whatever a bad host does, the film is identical or the download fails by name: no silent hole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import origin
from tests.support.bad_origins import CASES, Case, outcome_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_host_leaves_no_silent_hole(case: Case, tmp_path: Path) -> None:
    with origin.origin() as host:
        outcome = outcome_of(case, host, tmp_path)

    assert outcome.verdict == case.expected, outcome.words
    if case.expected in ("segment_bad", "segment_missing", "key_bad") and case.film not in ("mp4", "webm"):
        assert "segment " in outcome.words
