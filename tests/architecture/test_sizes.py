"""Code that fits on a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.code import Module, modules

MODULE_LINES = 300
FUNCTION_LINES = 40  # without the docstring, which is welcome to be long
VIEW_LINES = 8
COMMON_LINES = 2000  # of code, in the frame
LIBRARY_LINES = 1000  # of code, in each of store and egress
VERBS = {"get", "post", "put", "patch", "delete", "route"}


def lines_of(module: Module) -> int:
    return len(module.path.read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in modules():
        for node in ast.walk(module.tree()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def is_view(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in VERBS
        for one in function.decorator_list
    )


def length(body: list[ast.stmt]) -> int:
    """Return the lines of a body without its docstring."""
    first = body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    rest = body[1:] if documented else body
    return (rest[-1].end_lineno or 0) - rest[0].lineno + 1 if rest else 0


def test_modules_are_short() -> None:
    long = {str(module): lines_of(module) for module in modules() if lines_of(module) > MODULE_LINES}

    assert long == {}


def test_functions_are_short() -> None:
    long = {
        f"{module}:{node.name}": length(node.body) + node.body[0].lineno - node.lineno
        for module, node in functions()
        if length(node.body) + node.body[0].lineno - node.lineno > FUNCTION_LINES
    }

    assert long == {}


def test_views_parse_call_and_render() -> None:
    views = [(module, node) for module, node in functions() if module.folder == "routes" and is_view(node)]
    long = {f"{m}:{view.name}": length(view.body) for m, view in views if length(view.body) > VIEW_LINES}

    assert len(views) > 10
    assert long == {}


def code_lines(module: Module) -> int:
    """Return the lines that hold code: no blank ones, no comments, no docstrings (ADR 8)."""
    prose: set[int] = set()
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = module.path.read_text(encoding="utf-8").splitlines()
    return sum(
        1
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#") and number not in prose
    )


def test_common_stays_a_frame_around_two_small_libraries() -> None:
    sizes: dict[str, int] = {"frame": 0, "store": 0, "egress": 0}
    for module in modules("kinodom_common"):
        sizes[module.folder if module.folder in sizes else "frame"] += code_lines(module)

    assert sizes["frame"] <= COMMON_LINES
    assert max(sizes["store"], sizes["egress"]) <= LIBRARY_LINES


def test_the_libraries_inside_common_know_nothing_of_its_frame() -> None:
    allowed = {"errors", "logs", "ids", "store", "egress"}
    strays = {
        f"{module}: {name}"
        for module in modules("kinodom_common")
        if module.folder in ("store", "egress")
        for name in module.imports()
        if name.startswith("kinodom_common.") and name.split(".")[1] not in allowed
    }

    assert strays == set()
