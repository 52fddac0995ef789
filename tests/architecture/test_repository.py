"""What the repository holds besides code, and what it must not hold."""

from __future__ import annotations

import re
import tokenize
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.code import ROOT, SERVICES, tracked

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = (
    "pypi org", "files pythonhosted org", "registry npmjs org", "registry yarnpkg com", "proxy golang org",
    "deb debian org", "registry-1 docker io",
)  # fmt: skip
REGISTRY = re.compile("|".join(re.escape(name.replace(" ", ".")) for name in REGISTRIES) + "|artifactory[.]")
MACHINE_FOLDERS = ("work", "root", r"home/\w+", r"Users/\w+")
MACHINE_PATH = re.compile(rf"(?<![\w.])/(?:{'|'.join(MACHINE_FOLDERS)})/")
SECRET = re.compile(
    "|".join(
        (
            "-----BEGIN " + "[A-Z ]*PRIVATE KEY",
            "AKIA" + "[0-9A-Z]{16}",
            "gh[pousr]_" + "[A-Za-z0-9]{36}",
            "xox[baprs]-" + "[A-Za-z0-9-]{10}",
            "sk-" + "[A-Za-z0-9_-]{32}",
            r"(?i:apikey|api_key|secret|password|token)\s*[=:]\s*" + "[\"'][A-Za-z0-9+/_-]{24,}[\"']",
        )
    )
)
OPT_OUT = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?P<rest>.*)")
RULES = re.compile(r"(?::\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*|\[[a-z-]+(?:\s*,\s*[a-z-]+)*\])")
LARGE_BYTES = 2_000_000
ADDRESS = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|\bresolved\b")


def texts() -> list[tuple[str, str]]:
    """Return name and text of every tracked file that is text."""
    found = []
    for path in tracked():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def hits(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for name, text in texts()
        for found in pattern.finditer(text)
    ]


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE_PATH, SECRET], ids=["registry", "machine path", "secret"])
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    assert hits(pattern) == []


def test_no_two_services_hold_an_equal_file() -> None:
    holders: dict[bytes, list[str]] = defaultdict(list)
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] == "services" and name.parts[1] in SERVICES and path.stat().st_size > 200:
            holders[path.read_bytes()].append(str(name))

    assert [names for names in holders.values() if len({name.split("/")[1] for name in names}) > 1] == []


def test_every_opt_out_names_its_rule_and_gives_a_reason() -> None:
    bare = []
    for path in tracked():
        if path.suffix != ".py":
            continue
        with path.open("rb") as file:
            comments = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
        for token in comments:
            found = OPT_OUT.search(token.string)
            # mypy does not read the tests: there `type: ignore` is a note to an editor.
            if found and path.relative_to(ROOT).parts[0] == "tests" and "noqa" not in found[0]:
                continue
            if found and not has_rule_and_reason(found["rest"]):
                bare.append(f"{path.relative_to(ROOT)}:{token.start[0]}: {token.string}")

    assert bare == []


def has_rule_and_reason(rest: str) -> bool:
    rules = RULES.match(rest)
    return rules is not None and len(rest[rules.end() :].strip(" -#")) > 3


def test_requirements_hold_hashes_and_no_address() -> None:
    locks = sorted((ROOT / "services/requirements").glob("*.txt")) + sorted(ROOT.glob("**/package-lock.json"))
    locks = [path for path in locks if "node_modules" not in path.parts and path in set(tracked())]

    assert locks
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert not ADDRESS.search(text.replace('"resolved": ""', "")), path
        assert "sha256:" in text or "sha512-" in text, path


def test_no_file_is_large() -> None:
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size for path in tracked() if path.stat().st_size > LARGE_BYTES
    }

    assert large == {}


def test_links_in_the_pages_lead_somewhere() -> None:
    dead = [
        f"{name}: {target}"
        for name, text in texts()
        if name.endswith(".md")
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", text)
        if not (ROOT / Path(name).parent / target).exists()
    ]

    assert dead == []
