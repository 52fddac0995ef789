"""`make check-source` explains a description line by line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Response

from kinodom_resolver import check_source
from kinodom_resolver.adapters.site_check import explain
from kinodom_resolver.adapters.site_files import parse_site, read_site
from tests.support.fake_sites import DESCRIPTIONS, FakeSites, served_sites


@pytest.mark.parametrize("name", ["lantern", "tidepool", "papermoon"])
def test_the_examples_of_the_page_work(name: str) -> None:
    said: list[str] = []

    with served_sites(FakeSites()) as outside:
        good = explain(read_site(DESCRIPTIONS / f"{name}.yaml"), outside, said.append)

    assert good, "\n".join(said)
    assert said[-1] == "  works"


def test_each_pick_is_told_with_its_line() -> None:
    said: list[str] = []

    with served_sites(FakeSites()) as outside:
        explain(read_site(DESCRIPTIONS / "lantern.yaml"), outside, said.append)

    assert any("lantern.yaml:11 " in line and "search.name" in line and "Lighthouse Two" in line for line in said)


def test_what_the_site_changed_is_found_and_told() -> None:
    sites, said = FakeSites(), []
    sites.pages["lantern", "/film/last-lighthouse"] = Response("<h1>The Last Lighthouse</h1>", content_type="text/html")

    with served_sites(sites) as outside:
        good = explain(read_site(DESCRIPTIONS / "lantern.yaml"), outside, said.append)

    assert not good
    assert any("media.links.0.each" in line and "found nothing" in line for line in said)
    assert said[-1] == "  FAILED: no file was found for the first episode"


def test_mistakes_are_told_with_file_and_line() -> None:
    said: list[str] = []

    with served_sites(FakeSites()) as outside:
        good = explain(parse_site("name: x y\n", "x.yaml"), outside, said.append)

    assert not good
    assert said[0].startswith("x.yaml:1: ")


def test_the_command_writes_to_its_writer_and_ends_with_one_for_mistakes(tmp_path: Path) -> None:
    path, out = tmp_path / "x.yaml", io.StringIO()
    path.write_text("name: x\n")

    code = check_source.main([str(path)], out)

    assert code == 1
    assert "x.yaml:1: `home` is missing here" in out.getvalue()
