"""Picks: how a description says which text of a page is meant. Selectors, linear-time patterns, parts put together.

A pick is written as a text (`h1`, `img@src`, `$.films.0.name`) or as a mapping with `select`, `pattern` and `build`.
No part of it is code: a pattern runs in time linear to the page (RE2), and `build` only puts groups into a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import re2
import soupsieve
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Callable

ATTRIBUTE: Final = re.compile(r"(?P<css>.*?)\s*@(?P<name>[A-Za-z_][\w:.-]{0,60})", re.DOTALL)
STEP: Final = re.compile(r"[^.\s]{1,100}")
HOLE: Final = re.compile(r"\{([^{}]*)\}")
PATTERN_BYTES: Final = 4 << 20  # what one compiled pattern may take

_options = re2.Options()
_options.log_errors = False
_options.max_mem = PATTERN_BYTES


def mistake(text: str) -> PydanticCustomError:
    """Return an error that the reader of the file is shown as it is."""
    return PydanticCustomError("site_mistake", "{text}", {"text": text})


def compiled(pattern: str) -> Any:
    """Return a pattern ready for use; raises a mistake that says what is wrong with it."""
    try:
        return re2.compile(pattern, options=_options)
    except re2.error as exc:
        why = exc.args[0].decode(errors="replace") if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise mistake(
            f"the pattern does not work: {why}. Patterns are RE2: no look-around, no back references"
        ) from exc


def css_and_attribute(select: str) -> tuple[str, str | None]:
    """Return the selector and the name of the attribute in `css@attribute`; None: the text of the element."""
    match = ATTRIBUTE.fullmatch(select)
    return (match["css"], match["name"]) if match else (select, None)


def steps_of(select: str) -> list[str]:
    """Return the steps of a path into JSON: `$.films.0.name` is `films`, `0`, `name`."""
    return select.split(".")[1:]


def _selector(select: str) -> str:
    if select.startswith("$"):
        if select != "$" and not (select.startswith("$.") and all(STEP.fullmatch(step) for step in steps_of(select))):
            raise mistake(f"{select!r} is no path into JSON. Write it like $.films.0.name, or $ for the value itself")
        return select
    css, _ = css_and_attribute(select)
    if not css:
        return select
    try:
        soupsieve.compile(css)
    except (soupsieve.SelectorSyntaxError, ValueError) as exc:
        raise mistake(f"{css!r} is no CSS selector: {str(exc).splitlines()[0]}") from exc
    return select


def holes_in(text: str) -> list[str]:
    """Return the names in braces; raises a mistake when a brace stands alone."""
    if "{" in HOLE.sub("", text) or "}" in HOLE.sub("", text):
        raise mistake("a brace stands alone. Braces hold {query}, {page} or the number of a group such as {1}")
    return HOLE.findall(text)


def template(*allowed: str, groups: bool = False) -> Callable[[str], str]:
    """Return a check that a text holds no other names in braces than these (and numbers of groups)."""

    def check(text: str) -> str:
        for name in holes_in(text):
            if name not in allowed and not (groups and re.fullmatch(r"[1-9]", name)):
                known = [f"{{{one}}}" for one in allowed] + (["{1} to {9}"] if groups else [])
                raise mistake(f"{{{name}}} means nothing here. Known: {', '.join(known)}")
        return text

    return check


def filled(text: str, values: dict[str, str]) -> str:
    """Return a template with its values; a name without one leaves nothing."""
    return HOLE.sub(lambda match: values.get(match[1], ""), text)


def _many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Selector = Annotated[str, Field(max_length=500), AfterValidator(_selector)]
Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(lambda text: compiled(text) and text)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_many), Field(max_length=9)]
GroupTemplate = Annotated[str, Field(max_length=1000), AfterValidator(template(groups=True))]


class Part(BaseModel):
    """A piece of a description. Words nobody knows are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pick(Part):
    """Which text is meant.

    `select` narrows the page to elements or JSON values; left out, the whole page as it came is read. One `pattern`
    gives a text for each place it fits; of a list of patterns each gives its first groups, and the groups are
    numbered through. `build` puts them together; left out, the first group counts, or all that the pattern covers.
    """

    select: Selector = ""
    pattern: Patterns = ()
    build: GroupTemplate | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"select": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Pick:
        if not self.select and not self.pattern:
            raise mistake("say what to read: a CSS selector, a path such as $.name, or a `pattern`")
        groups = sum(compiled(one).groups for one in self.pattern) if self.pattern else 1
        wanted = [int(name) for name in holes_in(self.build or "")]
        if wanted and max(wanted) > groups:
            raise mistake(f"`build` asks for group {max(wanted)}, and there are {groups}")
        return self
