"""The code of the house as the architecture tests read it: files, what they import, what they define."""

from __future__ import annotations

import ast
import subprocess  # asks git which files are ours
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("catalogue", "downloader", "gateway", "resolver", "sync")
PACKAGES = {
    **{f"kinodom_{name}": ROOT / "services" / name / "src" / f"kinodom_{name}" for name in ("common", *SERVICES)},
    "kinodom_demo": ROOT / "demo/src/kinodom_demo",
    "kinodom_house": ROOT / "house/src/kinodom_house",
}


@dataclass(frozen=True, slots=True)
class Module:
    """One file of one of our packages."""

    package: str  # such as `kinodom_sync`
    inside: str  # path inside the package, such as `domain/rooms.py`
    path: Path

    def __str__(self) -> str:
        return f"{self.package}/{self.inside}"

    @property
    def folder(self) -> str:
        """The first folder below the package, or an empty string."""
        return self.inside.partition("/")[0] if "/" in self.inside else ""

    def tree(self) -> ast.Module:
        """Return the parsed file."""
        return parsed(self.path)

    def imports(self) -> dict[str, int]:
        """Return every dotted name that is imported anywhere in the file, with its line.

        `from a.b import c` counts as `a.b.c`, which is the module `a.b.c` or a name in `a.b`.
        """
        found: dict[str, int] = {}
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                found.update((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self}:{node.lineno}: relative import"
                found.update((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        return found


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Return the modules of these packages, or of all."""
    return tuple(
        Module(package, str(path.relative_to(folder)), path)
        for package, folder in PACKAGES.items()
        if package in (packages or PACKAGES)
        for path in sorted(folder.rglob("*.py"))
    )


def is_below(name: str, *tops: str) -> bool:
    """Tell whether a dotted name is one of these or lies below one."""
    return any(name == top or name.startswith(f"{top}.") for top in tops)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that belong to the repository, new ones that are not ignored included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in sorted(set(listed.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())
