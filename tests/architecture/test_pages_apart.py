"""Pages of strangers are parsed in children that can be killed, and nowhere else."""

from __future__ import annotations

import ast

from tests.support.code import is_below, modules

PARSERS = ("bs4", "lxml", "defusedxml", "xml", "html.parser")
RUN_IN_CHILDREN = {
    "sources/reading.py": "plain_text",  # called on what holds no `<` in the service itself
    "sources/feed_reading.py": "read_feed",
    "sources/nfo.py": "read_note",
    "sources/kodik/page.py": "page_of",
    "adapters/site_pages.py": "read_page",
    "adapters/bot_check.py": "is_challenge",
}
MAY_CALL = {*RUN_IN_CHILDREN, "adapters/parsing.py"}


def test_only_what_runs_in_children_knows_a_parser() -> None:
    knowing = {
        module.inside
        for module in modules("kinodom_resolver")
        if any(is_below(name, *PARSERS) for name in module.imports())
    }

    assert knowing == set(RUN_IN_CHILDREN)


def test_what_parses_is_handed_to_a_child_and_never_called() -> None:
    calls = [
        f"{module.inside}:{node.lineno} calls {node.func.id}"
        for module in modules("kinodom_resolver")
        if module.inside not in MAY_CALL
        for node in ast.walk(module.tree())
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in RUN_IN_CHILDREN.values()
    ]

    assert calls == []
