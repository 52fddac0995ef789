"""Foreign JSON with fields of any type, for claims that no answer of a site breaks a source."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", " ", "x" * 20_000, "\ud800", "a\x00b", "<b>",
    "&#0;", [], [None], [[]], ["a", 1], {}, {"a": {}}, "../..", "12:61", "9" * 5000, "http://[", "//", "٣",
)  # fmt: skip


class Told:
    """Stands for the way out; gives the values it was made with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_json(self, url: str) -> Any:
        return self.value

    def post_json(self, url: str, body: object, *, follows: bool = True) -> Any:
        return self.value

    def get(self, url: str, **_: object) -> Any:
        raise AssertionError("not asked for")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a copy in which up to twelve values are something else."""
    copy = deepcopy(value)
    for _ in range(chance.randint(1, 12)):
        container, key = chance.choice(places(copy))
        container[key] = deepcopy(chance.choice(ODD))
        if not places(copy):
            break
    return copy
