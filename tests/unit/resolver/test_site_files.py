"""Descriptions of sites: what may stand in them, and mistakes with their lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kinodom_resolver.adapters.site_files import FILE_BYTES, SiteFile, parse_site, read_site
from tests.support.fake_sites import DESCRIPTIONS

GOOD = """name: plain
label: Plain
home: https://plain.example/
search:
  address: /find?q={query}
  each: li
  link: a@href
  name: a
title:
  name: h1
media:
  links: video@src
"""


def told(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.text) for one in parse_site(text, "plain.yaml").mistakes]


@pytest.mark.parametrize("path", sorted(DESCRIPTIONS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_three_examples_hold_no_mistakes(path: Path) -> None:
    file = read_site(path)

    assert file.mistakes == ()
    assert file.site is not None
    assert file.site.name == path.stem


def test_every_mistake_is_told_with_its_line() -> None:
    text = GOOD.replace("label: Plain", "labl: Plain\nweight: heavy")
    text += "hosts: [http://x.example]\nproxy: somewhere\npace_s: -1\nheaders: {Cookie: a=b}\n"

    mistakes = told(text)

    assert [line for line, _ in mistakes] == [1, 2, 3, 14, 15, 16, 17]
    assert mistakes[0][1] == "`label` is missing here"
    assert mistakes[1][1] == "`labl` is not known here. Did you mean `label`?"


@pytest.mark.parametrize(
    ("was", "becomes", "line", "words"),
    [
        ("each: li", "each: li[", 6, "no CSS selector"),
        ("each: li", "each: $..x", 6, "no path into JSON"),
        ("name: h1", "name: {pattern: '(a)\\1'}", 10, "RE2"),
        ("name: h1", "name: {pattern: '(?=a)'}", 10, "RE2"),
        ("name: h1", "name: {pattern: 'a(b)', build: '{2}'}", 10, "asks for group 2"),
        ("name: h1", "name: {build: x}", 10, "say what to read"),
        ("name: h1", "name:", 10, "`name`"),
        ("{query}", "{query.__class__}", 5, "means nothing here"),
        ("{query}", "{query", 5, "a brace stands alone"),
        ("/find?q={query}", "https://other.example/?q={query}", 5, "neither `home` nor among the `hosts`"),
        ("/find?q={query}", "ftp://plain.example/?q={query}", 5, "only http and https"),
        ("https://plain.example/", "https://user:pw@plain.example/", 3, "cannot be asked"),
        ("  link: a@href", "  link: $.url", 7, "the rows are HTML"),
        ("name: plain", "name: Plain Site", 1, "name"),
        ("label: Plain", "label: Plain\nlabel: Again", 3, "a second time"),
        ("label: Plain", "label: !!python/object:os.system Plain", 2, "tag"),
        ("label: Plain", "label: &a Plain", 2, "anchors"),
        ("label: Plain", "label: 'Plain", 2, "no YAML"),
        ("label: Plain", "\tlabel: Plain", 2, "no YAML"),
    ],
)
def test_a_mistake_is_found_and_explained(was: str, becomes: str, line: int, words: str) -> None:
    mistakes = told(GOOD.replace(was, becomes))

    assert any(at == line and words in text for at, text in mistakes) or (
        words == "no YAML" and words in mistakes[0][1]
    )


def test_plain_words_stay_texts() -> None:
    file = parse_site(GOOD.replace("label: Plain", "label: no\nproxy: 10:20\ncookies: {age: on, n: 0x10}"), "x.yaml")

    assert file.site is not None
    assert (file.site.label, file.site.proxy, file.site.cookies) == ("no", "10:20", {"age": "on", "n": "0x10"})


@pytest.mark.parametrize("text", ["", "- a", "just words", "a: b: c", "[" * 30_000, "{}", "\x00", "? [a]: b"])
def test_what_is_no_description_has_mistakes_and_raises_nothing(text: str) -> None:
    file = parse_site(text, "odd.yaml")

    assert file.site is None
    assert file.mistakes


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"a: " + b"x" * FILE_BYTES], ids=["not UTF-8", "too large"])
def test_a_file_of_another_kind_has_a_mistake(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(raw)

    assert len(read_site(path).mistakes) == 1


def test_a_file_that_is_gone_has_a_mistake(tmp_path: Path) -> None:
    assert "cannot be read" in read_site(tmp_path / "gone.yaml").mistakes[0].text


def test_a_sick_file_keeps_the_name_that_can_be_read() -> None:
    file: SiteFile = parse_site(GOOD.replace("each: li", "each: li["), "x.yaml")

    assert (file.site, file.named) == (None, "plain")


def test_the_page_shows_the_three_files_as_they_are() -> None:
    page = (DESCRIPTIONS.parents[2] / "docs/sources.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    assert [path.read_text(encoding="utf-8") for path in (DESCRIPTIONS / f"{name}.yaml" for name in
            ("lantern", "tidepool", "papermoon"))] == snippets  # fmt: skip
