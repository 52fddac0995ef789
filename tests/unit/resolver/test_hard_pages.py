"""Pages that take more time or memory to read than a page may: each costs itself and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Response

from kinodom_common.egress import OutsideClient
from kinodom_resolver.adapters.parsing import PageTooHard, Parser, plain_text_apart
from kinodom_resolver.adapters.site_files import read_site
from kinodom_resolver.adapters.site_source import YamlSite
from kinodom_resolver.adapters.site_web import Pace, SiteWeb
from kinodom_resolver.sources.folder import Folder
from kinodom_resolver.sources.kodik import Kodik
from tests.support.fake_kodik import FakeKodik
from tests.support.fake_sites import DESCRIPTIONS, FakeSites, served_sites

pytestmark = pytest.mark.slow

OPTIONS = "<option>" * 240_000  # takes a tree of HTML far longer than a page is given
NOTES = b"<movie " * 36_000  # every one of them may be the beginning of a note


@pytest.fixture
def sites() -> FakeSites:
    return FakeSites()


@pytest.fixture
def outside(sites: FakeSites) -> Iterator[OutsideClient]:
    with served_sites(sites) as client:
        yield client


def site(name: str, outside: OutsideClient) -> YamlSite:
    described = read_site(DESCRIPTIONS / f"{name}.yaml").site
    assert described is not None
    return YamlSite(described, SiteWeb(described, outside, pace=Pace(0)))


def test_a_player_page_that_is_too_hard_is_given_up_and_the_next_one_is_read(
    kodik: FakeKodik, kodik_source: Kodik
) -> None:
    episode = ("shikimori:20", 1, 1, "735")
    kodik.page_failure = OPTIONS

    with pytest.raises(PageTooHard):
        kodik_source.offers(*episode)
    kodik.page_failure = None

    assert [one.height_px for one in kodik_source.offers(*episode)] == [720, 480, 360]


def test_a_page_of_a_described_site_that_is_too_hard_costs_that_site_alone(
    sites: FakeSites, outside: OutsideClient
) -> None:
    sites.pages["lantern", "/find"] = Response(OPTIONS, content_type="text/html")

    with pytest.raises(PageTooHard):
        site("lantern", outside).search("lighthouse")

    assert len(site("papermoon", outside).search("moon")) == 1


def test_a_note_that_is_too_hard_leaves_the_film_under_the_name_of_its_file(tmp_path: Path) -> None:
    for name in ("Tin Light (1999)", "Tin Moon (2001)"):
        (tmp_path / f"{name}.mp4").write_bytes(b"film")
    (tmp_path / "Tin Light (1999).nfo").write_bytes(NOTES)
    (tmp_path / "Tin Moon (2001).nfo").write_bytes(b"<movie><title>The Moon of Tin</title></movie>")

    hits = Folder(str(tmp_path)).search("tin")

    assert [hit.name for hit in hits] == ["Tin Light", "The Moon of Tin"]


def test_a_text_that_is_too_hard_is_left_out() -> None:
    parser = Parser(memory_bytes=1, children=1)

    assert plain_text_apart(["<p>Words" * 1000] * 1000, longest=100, parser=parser) is None
    assert plain_text_apart("<p>Words", longest=100, parser=parser) == "Words"

    parser.close()
