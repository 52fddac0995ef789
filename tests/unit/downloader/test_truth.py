"""Whatever a bad host does, the film is identical or the download fails by name: no silent hole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import media, origin
from tests.support.bad_origins import CASES, Case, Film, honest, outcome_of
from tests.support.packaged import pictures_of, sounds_of
from tests.support.periods import takes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_host_leaves_no_silent_hole(case: Case, tmp_path: Path) -> None:
    with origin.origin() as host:
        outcome = outcome_of(case, host, tmp_path)

    assert outcome.verdict == case.expected, outcome.words
    if case.expected in ("segment_bad", "segment_missing", "key_bad") and case.film not in ("mp4", "webm"):
        assert "segment " in outcome.words


@pytest.mark.parametrize("film", ["ts", "aes", "fmp4", "ranges", "mp4", "dash", "periods"])
def test_from_an_honest_host_every_picture_and_every_sound_is_packaged(film: Film) -> None:
    made_of = takes("periods") if film == "periods" else [media.film_mp4()]

    made = honest(film)

    assert made.pictures == pictures_of(*made_of)
    assert made.sounds == (sounds_of(*made_of),)


@pytest.mark.parametrize(("film", "length_s"), [("half-silent", 8.0), ("two-sizes", 8.0), ("periods", 8.0)])
def test_films_of_two_periods_are_as_long_as_both(film: Film, length_s: float) -> None:
    assert honest(film).duration_s == pytest.approx(length_s, abs=0.1)
